"""What people do to Docker by hand."""

from tests.lab.breakages import Breakage

CONFIGURE = "Configure Docker and containerd"
_RESTART = " && systemctl reset-failed docker && systemctl restart docker"
RUN = "Install Docker and Compose, and run them"

NEIGHBOURS = "Keep neighbours from what is published on this machine alone"

BREAKAGES = [
    Breakage(
        "larger logs",
        """sed -i 's/"10m"/"10g"/' /etc/docker/daemon.json""" + _RESTART,
        changes=(CONFIGURE,),
        checks=("daemon.json has log-opts max-size",),
    ),
    Breakage(
        "live restore off in the daemon that runs",
        'sed -i \'s/"live-restore": true/"live-restore": false/\' /etc/docker/daemon.json'
        + _RESTART,
        changes=(CONFIGURE,),
        checks=("daemon.json has live-restore", "live restore"),
    ),
    Breakage(
        "another data root tried, its file put back, the daemon left as it was",
        "cp -a /etc/docker/daemon.json /tmp/kept"
        " && sed -i 's#/srv/cache/docker#/srv/cache/tried#' /etc/docker/daemon.json"
        + _RESTART
        + " && cp -a /tmp/kept /etc/docker/daemon.json",
        changes=(CONFIGURE,),
        checks=("engine: Docker's data root",),
    ),
    Breakage(
        "daemon.json removed",
        "rm /etc/docker/daemon.json",
        changes=(CONFIGURE,),
        checks=("daemon.json is root:root 644", "daemon.json has data-root"),
    ),
    Breakage(
        "daemon.json writable for everybody",
        "chmod 666 /etc/docker/daemon.json",
        changes=(CONFIGURE,),
        checks=("daemon.json is root:root 644",),
    ),
    Breakage(
        "containerd on the root disk",
        "sed -i 's#^root = .*#root = \"/var/lib/containerd\"#' /etc/containerd/config.toml"
        " && systemctl restart containerd",
        changes=(CONFIGURE,),
        checks=("config.toml has root", "engine: containerd's root"),
    ),
    Breakage(
        "Docker no longer held by its disk",
        "rm /etc/systemd/system/docker.service.d/clup.conf && systemctl daemon-reload",
        changes=(CONFIGURE,),
        checks=("docker.service waits for the disk", "docker.service does not start unless"),
    ),
    Breakage(
        "containerd's drop-in without its assertion",
        "sed -i /Assert/d /etc/systemd/system/containerd.service.d/clup.conf"
        " && systemctl daemon-reload",
        changes=(CONFIGURE,),
        checks=("containerd.service does not start unless",),
    ),
    Breakage(
        "the folder of Docker's configuration open to a group",
        "chmod 775 /etc/docker",
        changes=("Make /etc/docker",),
        checks=("/etc/docker is root:root 755",),
    ),
    Breakage(
        "Docker stopped",
        "systemctl stop docker.socket docker.service",
        changes=(RUN,),
        checks=("docker.service runs", "the daemon answers"),
    ),
    Breakage(
        "Docker not started at boot",
        "systemctl disable docker.service",
        changes=(RUN,),
        checks=("docker.service starts at boot",),
    ),
    Breakage(
        "containerd stopped",
        "systemctl stop containerd.service",
        changes=(RUN,),
        checks=("containerd.service runs",),
    ),
    Breakage(
        "Compose removed",
        "dpkg --remove --force-depends docker-compose",
        changes=(RUN,),
        checks=("package docker-compose is installed", "Compose v2 is a plugin"),
    ),
    Breakage(
        "Docker down for good after too many starts with a broken daemon.json",
        'cp -a /etc/docker/daemon.json /tmp/kept && echo \'{"no": "such key"}\''
        " >/etc/docker/daemon.json; for n in 1 2 3 4; do systemctl restart docker || :; done;"
        " cp -a /tmp/kept /etc/docker/daemon.json",
        changes=(RUN,),
        checks=("docker.service runs",),
    ),
    Breakage(
        "the rules against neighbours flushed",
        "nft delete table inet clup_docker_neighbours",
        changes=(NEIGHBOURS,),
        checks=("neighbours do not reach what is published",),
    ),
    Breakage(
        "the rules against neighbours no longer loaded at boot",
        "systemctl -q disable clup-docker-neighbours.service",
        changes=(NEIGHBOURS,),
        checks=("clup-docker-neighbours.service loads these rules at boot",),
    ),
]
