#!/bin/sh
# Greets whoever is named, or everybody.
set -eu

printf 'hello from sh, %s\n' "${1:-everybody}"
