"""Settings of role storage: which filesystems there are, on which disks, mounted where."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from clup.disks.verdict import Wanted
from clup.fields import AbsolutePath, Mode
from clup.fstab import Entry
from clup.settings import Model, fault
from clup.waiver import Waiver

LABEL_BYTES = 16
"""ext4(5): s_volume_name."""

SYSTEM = ("bin", "boot", "dev", "etc", "lib", "lib64", "proc", "root", "run", "sbin", "sys", "usr")
"""Folders below / that hold the system itself: nothing is mounted on or in them."""

BY_ID = "/dev/disk/by-id/"


def _label(value: str) -> str:
    length = len(value.encode())
    if length > LABEL_BYTES:
        raise fault(f"is {length} bytes; an ext4 label has at most {LABEL_BYTES}", "shorten it")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", value):
        raise fault("has a character that fstab would escape", "use letters, digits, _ . and -")
    return value


def _mount(value: str) -> str:
    if PurePosixPath(value).parts[1] in SYSTEM:
        raise fault("is where the system itself lives", "choose a place such as /srv/data")
    return value


def _by_id(value: str) -> str:
    name = value.removeprefix("/dev/")
    if re.fullmatch(r"(sd|hd|vd|xvd|nvme|dm-|md|loop|mmcblk)[a-z0-9]*", name):
        raise fault(
            "is a kernel's name, which may be another disk after the next boot",
            f"write the name that leads to it in {BY_ID}",
        )
    if value.startswith(BY_ID):
        raise fault("is a path", f"write only the name below {BY_ID}")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.:=+@,~#-]*", value):
        raise fault(f"is not a name below {BY_ID}", f"`ls {BY_ID}` on the machine lists them")
    return value


def _serial(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.:-]*", value):
        raise fault("is not a serial number", "`lsblk -dno NAME,SERIAL` on the machine lists them")
    return value


def _wwn(value: str) -> str:
    if not re.fullmatch(r"(0x|naa\.|eui\.|uuid\.)?[0-9A-Fa-f][0-9A-Fa-f-]{7,}", value):
        raise fault("is not a world-wide name", "`lsblk -dno NAME,WWN` on the machine lists them")
    return value


def _option(value: str) -> str:
    if value in ("nofail", "noauto") or value.startswith("x-systemd.device-timeout"):
        raise fault("is clup's own business", "leave it out: a machine boots without its disks")
    if value in ("ro", "defaults") or not re.fullmatch(r"[a-z][a-z0-9_.=:/-]*", value):
        raise fault("is no option of a mount that is written to", "see ext4(5) and mount(8)")
    return value


def by_name(name: object) -> dict[str, str]:
    """Given a filesystem's name, return the label and the mount that follow from it."""
    return {"label": f"CLAW_{str(name).upper()}", "mount": f"/srv/{name}"}


class SampleWaiver(Waiver):
    """Why a sample is proof enough. After its last day all of the disk is read again."""


class Filesystem(Model):
    """An ext4 filesystem. Its disk is selected by one of `by_id`, `serial` and `wwn`; without
    any, a filesystem with the label must be there already, and nothing is ever formatted."""

    label: Annotated[str, AfterValidator(_label)] = Field(
        json_schema_extra={"left_out": "`CLAW_` and NAME in capitals"}
    )
    """Its ext4 label, at most 16 bytes."""
    mount: Annotated[AbsolutePath, AfterValidator(_mount)] = Field(
        json_schema_extra={"left_out": "`/srv/` and NAME"}
    )
    """Where it is mounted."""
    by_id: Annotated[str, AfterValidator(_by_id)] | None = Field(
        default=None, examples=["wwn-0x60022480aaaaaaaaaaaaaaaaaaaaaaaa", "virtio-LABDATA"]
    )
    """The disk's name below /dev/disk/by-id."""
    serial: Annotated[str, AfterValidator(_serial)] | None = None
    """The disk's serial number, as `lsblk -o SERIAL` shows it."""
    wwn: Annotated[str, AfterValidator(_wwn)] | None = None
    """The disk's world-wide name, as `lsblk -o WWN` shows it."""
    options: tuple[Annotated[str, AfterValidator(_option)], ...] = ("noatime",)
    """Mount options. `nofail` and a device timeout of 90 s are always added, so that a machine
    whose disk is missing boots and answers ssh."""
    mode: Mode = "0755"
    """The mode of the filesystem's root, which belongs to root."""
    reserved_percent: float = Field(default=1.0, ge=0, le=50)
    """Blocks that only root may use, in percent; when the filesystem is made."""
    at_least_mib: int = Field(default=64, ge=16)
    """A disk smaller than this many MiB is refused: it is probably another one."""
    proof: Literal["full", "sample"] = "full"
    """How a disk is proven blank before it is formatted: by reading all of it, or (a waiver) a
    sample and the places that the filesystem's own tables take."""
    waiver: SampleWaiver | None = None
    """Why a sample is enough; required with it."""

    @model_validator(mode="after")
    def _consistent(self) -> Filesystem:
        selectors = [name for name in ("by_id", "serial", "wwn") if getattr(self, name)]
        if len(selectors) > 1:
            raise fault(f"selects its disk by {' and '.join(selectors)}", "keep one of them")
        if self.proof == "sample" and not self.waiver:
            raise fault("takes a sample for proof without a reason", "give it in `waiver`")
        if self.waiver and self.proof == "full":
            raise fault("has a waiver but nothing to waive", "remove it, or set proof to 'sample'")
        return self

    def wanted(self, name: str, today: datetime.date) -> Wanted:
        """Return what the verdict on its disk needs to know on a day."""
        return Wanted(
            name=name,
            label=self.label,
            mount=self.mount,
            by_id=self.by_id or "",
            serial=self.serial or "",
            wwn=self.wwn or "",
            at_least=self.at_least_mib << 20,
            waiver=self.waiver.reason if self.waiver and self.waiver.holds(today) else "",
        )

    @property
    def entry(self) -> Entry:
        """The line of fstab that mounts it."""
        return Entry(self.label, self.mount, self.options)


class Settings(Model):
    """The machine's labelled filesystems and where they are mounted."""

    filesystems: dict[str, Filesystem] = Field(default_factory=dict)
    """The filesystems by name, in the order in which they are mounted."""

    @model_validator(mode="before")
    @classmethod
    def _defaults(cls, data: Any) -> Any:
        """A filesystem's label and mount follow from its name: data is CLAW_DATA on /srv/data."""
        filesystems = data.get("filesystems") if isinstance(data, Mapping) else None
        if not isinstance(filesystems, Mapping):
            return data
        named = {
            name: {**by_name(name), **one} if isinstance(one, Mapping) else one
            for name, one in filesystems.items()
        }
        return {**data, "filesystems": named}

    @model_validator(mode="after")
    def _apart(self) -> Settings:
        for name in self.filesystems:
            if not re.fullmatch(r"[a-z][a-z0-9_-]{0,31}", name):
                raise fault(f"has a filesystem named {name!r}", "use a-z, 0-9, - and _")
        for field in ("label", "mount", "by_id", "serial", "wwn"):
            self._unique(field)
        earlier: list[str] = []
        for name, one in self.filesystems.items():
            below = [mount for mount in earlier if mount.startswith(one.mount + "/")]
            if below:
                raise fault(
                    f"mounts {below[0]} before {one.mount}, which would hide it",
                    f"declare filesystems.{name} first",
                )
            earlier.append(one.mount)
        return self

    def _unique(self, field: str) -> None:
        seen: dict[str, str] = {}
        for name, one in self.filesystems.items():
            value = getattr(one, field)
            if value and value in seen:
                raise fault(
                    f"has {field} {value!r} twice: for {seen[value]} and for {name}",
                    "each filesystem has its own",
                )
            if value:
                seen[value] = name
