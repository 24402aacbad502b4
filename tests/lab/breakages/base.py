"""What people do to the machine itself."""

from __future__ import annotations

from tests.lab.breakages import Breakage

APT = "Have apt wait for its lock and install only security updates by itself"
NAME = "Name the machine"
SSHD = "Let only keys in through sshd"
JOURNAL = "Limit the journal"
KERNEL = "Set the kernel"
PACKAGES = "Install the packages of the machine itself"

BREAKAGES = [
    Breakage(
        "someone renamed the running machine",
        "hostname elsewhere",
        (NAME,),
        ("the running host name is",),
    ),
    Breakage(
        "someone wrote another name for the next boot",
        "echo elsewhere >/etc/hostname",
        (NAME,),
        ("the host name after a reboot is",),
    ),
    Breakage(
        "someone cleaned /etc/hosts up",
        "sed -i /^127.0.1.1/d /etc/hosts",
        (NAME,),
        ("/etc/hosts has",),
    ),
    Breakage(
        "someone moved to another time zone",
        "ln -sfn /usr/share/zoneinfo/America/New_York /etc/localtime",
        ("Set the time zone",),
        ("the time zone is",),
    ),
    Breakage(
        "someone set another language",
        "echo LANG=POSIX >/etc/default/locale",
        ("Set the language",),
        ("the language is",),
    ),
    Breakage(
        "someone let every update install itself",
        "echo 'Unattended-Upgrade::Origins-Pattern:: \"origin=*\";' >>/etc/apt/apt.conf.d/90clup",
        (APT,),
        ("only security updates install themselves",),
    ),
    Breakage(
        "someone turned the security updates off",
        "sed -i '/Unattended-Upgrade \"1\"/s/1/0/' /etc/apt/apt.conf.d/90clup",
        (APT,),
        ("APT::Periodic::Unattended-Upgrade",),
    ),
    Breakage(
        "someone stopped the timer of the updates",
        "systemctl -q disable --now apt-daily-upgrade.timer",
        ("Install security updates every day",),
        ("apt-daily-upgrade.timer runs",),
    ),
    Breakage(
        "someone removed the unattended upgrades",
        "apt-get -qq -y purge unattended-upgrades >/dev/null",
        (PACKAGES,),
        ("package unattended-upgrades is installed",),
    ),
    Breakage(
        "someone gave the journal more room",
        "sed -i s/1024M/4096M/ /etc/systemd/journald.conf.d/50-clup.conf;"
        " systemctl restart systemd-journald",
        (JOURNAL,),
        ("journald has SystemMaxUse", "the running journald keeps at most"),
    ),
    Breakage(
        "someone closed the folder of journald's settings",
        "chmod 0700 /etc/systemd/journald.conf.d",
        ("Make /etc/systemd/journald.conf.d",),
        ("/etc/systemd/journald.conf.d is 0755",),
    ),
    Breakage(
        "someone opened clup's own folder",
        "chmod 0755 /var/lib/clup",
        ("Make /var/lib/clup",),
        ("/var/lib/clup is 0700",),
    ),
    Breakage(
        "someone lowered a kernel setting",
        "sed -i 's/^fs.inotify.max_user_instances.*/fs.inotify.max_user_instances = 128/'"
        " /etc/sysctl.d/zz-clup.conf",
        (KERNEL,),
        ("fs.inotify.max_user_instances is 1024 from the next boot on",),
    ),
    Breakage(
        "someone let anybody write the kernel settings",
        "chmod 0666 /etc/sysctl.d/zz-clup.conf",
        (KERNEL,),
        ("/etc/sysctl.d/zz-clup.conf is clup's",),
    ),
    Breakage(
        "someone allowed passwords again",
        "sed -i 's/^PasswordAuthentication.*/PasswordAuthentication yes/'"
        " /etc/ssh/sshd_config.d/10-clup.conf; systemctl reload ssh",
        (SSHD,),
        ("sshd has PasswordAuthentication no",),
    ),
    Breakage(
        "someone removed the settings of sshd",
        "rm /etc/ssh/sshd_config.d/10-clup.conf; systemctl reload ssh",
        (SSHD,),
        ("sshd has X11Forwarding no", "10-clup.conf is clup's"),
    ),
    Breakage(
        "someone changed sshd's own file and left it at that",
        "sleep 1.1; echo '# tried something' >>/etc/ssh/sshd_config",
        (SSHD,),
        ("the running sshd has read its files",),
    ),
]
