"""The labs that are up: group `lab`. CLUP_LAB=NAME limits it to one of them."""

import os

from pyinfra.api.exceptions import InventoryError

from clup import lab as labs


def _host(machine: labs.Lab) -> tuple[str, dict[str, object]]:
    """Given a lab, return it as a host of pyinfra's, reached with its own key and known_hosts."""
    return f"lab-{machine.name}", {
        "ssh_hostname": machine.address,
        "ssh_port": machine.port,
        "ssh_user": machine.user,
        "ssh_key": str(machine.key_file),
        "ssh_known_hosts_file": str(machine.known_hosts_file),
        "ssh_strict_host_key_checking": "yes",
        **labs.own_settings(machine),
    }


# An inventory without hosts is a success for pyinfra, which changes nothing: so it raises instead,
# and what it raises itself, it shows in one line.
try:
    lab = [_host(machine) for machine in labs.chosen(os.environ.get("CLUP_LAB"))]
except labs.LabError as error:
    raise InventoryError(str(error)) from error
