"""Throwaway machines to converge, break and throw away.

    box = lab.up("mine")                      # about 3 s once the image is built
    subprocess.run(lab.ssh_argv(box, ["uptime"]))
    lab.reboot("mine")
    lab.down("mine")

What the rest of clup uses is here; the files beside it are one idea each.
"""

from clup.lab.choice import fitting_kind, is_emulated
from clup.lab.disk_change import disk_add, disk_detach
from clup.lab.errors import LabError
from clup.lab.keys import ssh_argv
from clup.lab.lifecycle import cut, down, down_all, equip, reboot, up
from clup.lab.lookup import Seen, chosen, find, only, running, seen, sole
from clup.lab.machine import DEFAULT_DISKS, Disk, Lab, recorded
from clup.lab.own_settings import own_settings, say_of

__all__ = [
    "DEFAULT_DISKS",
    "Disk",
    "Lab",
    "LabError",
    "Seen",
    "chosen",
    "cut",
    "disk_add",
    "disk_detach",
    "down",
    "down_all",
    "equip",
    "find",
    "fitting_kind",
    "is_emulated",
    "only",
    "own_settings",
    "reboot",
    "recorded",
    "running",
    "say_of",
    "seen",
    "sole",
    "ssh_argv",
    "up",
]
