"""Debian packages, through apt-get, without a question."""

from __future__ import annotations

from collections.abc import Sequence

from pyinfra.api.operation import operation
from pyinfra.context import host

from clup import report
from clup.command import script
from clup.facts.packages import DebVersions
from clup.operations.steps import Steps, ensure

# Another apt, such as unattended-upgrades right after the first boot, is waited for as long as apt
# is configured to on that machine, or 300 s: by `check`, as dpkg itself would not wait. A run that
# was cut may have left packages unpacked: dpkg finishes these first. Configuration files that clup
# placed before the package came are kept (--force-confold).
# $1 "refresh" or "", the rest are packages, each NAME or NAME=VERSION.
_INSTALL = """set -e
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a LC_ALL=C.UTF-8
trap '[ $? = 0 ] || echo "mend that with apt-get there, then apply again" >&2' EXIT
refresh=$1; shift
lock=$(apt-config dump --format '%v' DPkg::Lock::Timeout)
lock=${lock:-300}
apt-get -q -o DPkg::Lock::Timeout="$lock" check >/dev/null 2>&1 || true
dpkg --configure -a --force-confold
if [ -n "$refresh" ] || [ -z "$(find /var/lib/apt/lists -maxdepth 1 -name '*Packages*' -mmin -60)" ]
then apt-get -q -o DPkg::Lock::Timeout="$lock" update; fi
for package; do
  name=${package%%=*} version=${package#*=}
  [ "$name" != "$package" ] || continue
  known=$(apt-cache madison -- "$name" | cut -d '|' -f 2 | tr -d ' ' | sort -uV)
  if ! echo "$known" | grep -qxF -- "$version"; then
    echo "$name $version is not, or no longer, in this machine's package sources;" \
      "pin one that is there: $(echo ${known:-none is})" >&2
    exit 1
  fi
done
apt-get -q -y -o DPkg::Lock::Timeout="$lock" -o Dpkg::Options::=--force-confdef \\
  -o Dpkg::Options::=--force-confold install --no-install-recommends --allow-downgrades -- "$@"
"""


@operation()
def installed(packages: Sequence[str], refresh: bool = False) -> Steps:
    """Install those packages that are missing, each given as NAME or NAME=VERSION.

    `refresh` reads the package lists again, as is needed when a source was added.
    """
    missing = _missing(packages)
    if not missing:
        return
    report.evidence(f"to install: {' '.join(missing)}")
    yield script(_INSTALL, "refresh" if refresh else "", *missing)
    yield ensure("packages", lambda: _still_missing(packages))


def _missing(packages: Sequence[str]) -> list[str]:
    names = tuple(package.partition("=")[0] for package in packages)
    found = host.get_fact(DebVersions, names=names)
    return [package for package in packages if not is_installed(package, found)]


def is_installed(package: str, found: dict[str, str]) -> bool:
    """Given NAME or NAME=VERSION and what dpkg has, say whether that one is installed."""
    name, _, version = package.partition("=")
    return name in found and version in ("", found[name])


def _still_missing(packages: Sequence[str]) -> str | None:
    missing = _missing(packages)
    return f"not installed after apt-get: {' '.join(missing)}" if missing else None
