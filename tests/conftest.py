"""pyinfra_cli patches the standard library for gevent: before any test module opens a socket."""

import pyinfra_cli  # noqa: F401
