# shellcheck shell=sh
# A machine as somebody set it up by hand, step by step as a wiki had it, before there was clup.
# Disks with labels, an fstab of UUIDs, Docker with its root on the cache disk and containers that
# run, an account of another id, folders by mkdir and chown -R, sysctl and sshd files of one's own.
set -eu
export DEBIAN_FRONTEND=noninteractive

# Two disks, labelled, in fstab by their UUIDs.
for name in DATA CACHE; do
    disk=/dev/disk/by-id/virtio-LAB$name
    mount=/srv/$(echo "$name" | tr '[:upper:]' '[:lower:]')
    mkfs.ext4 -q -L "CLAW_$name" "$disk"
    mkdir -p "$mount"
    echo "UUID=$(blkid -p -s UUID -o value "$disk") $mount ext4 defaults,noatime 0 2" >>/etc/fstab
    mount "$mount"
done

# The human account, which the installer gave the first id that was free.
useradd -m -u 1100 -s /bin/bash -c 'Psy After,,,' psy
install -d -m 0700 -o psy -g psy /home/psy/.ssh
cat >/home/psy/.ssh/authorized_keys <<'EOF'
# from the desk
ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPeuEOn+xUJDJvlFYELNtyNqPR+nTSUzDeTgZ5gRNW1C psy@desk
EOF
chown psy:psy /home/psy/.ssh/authorized_keys
chmod 0600 /home/psy/.ssh/authorized_keys

# Docker as the distribution has it, moved to the cache disk after it was installed.
apt-get -qq update
apt-get -qq -y install --no-install-recommends docker.io docker-cli >/dev/null 2>&1
systemctl stop docker.socket docker
cat >/etc/docker/daemon.json <<'EOF'
{
  "data-root": "/srv/cache/docker",
  "debug": false,
  "default-address-pools": [{"base": "172.30.0.0/16", "size": 24}],
  "log-driver": "json-file",
  "log-opts": {"max-size": "20m"},
  "proxies": {"http-proxy": "http://psy:hunter2@192.0.2.1:3128"}
}
EOF
cp -a /var/lib/docker /srv/cache/docker
systemctl start docker
gpasswd -a psy docker >/dev/null
gpasswd -a psy sudo >/dev/null

# Folders.
mkdir -p /srv/data/openclaw/runner/compose /srv/data/openclaw/runner/jobs \
    /srv/data/openclaw/runner/audit /srv/data/openclaw/runner/reports \
    /srv/data/openclaw/gw-admin/config/devices /srv/data/openclaw/repo /srv/data/openclaw/artifacts
mkdir -p /srv/cache/openclaw/runner/work /srv/cache/openclaw/runner/gradle \
    /srv/cache/openclaw/runner/tmp
echo '{"paired": ["desk"]}' >/srv/data/openclaw/gw-admin/config/devices/paired.json
echo '{"gateway": true}' >/srv/data/openclaw/gw-admin/config/openclaw.json
echo ready >/srv/cache/openclaw/runner/health
echo 'services: {}' >/srv/data/openclaw/runner/compose/docker-compose.yml
chown -R psy:psy /srv/data/openclaw/runner /srv/data/openclaw/gw-admin /srv/data/openclaw/repo
chown -R psy:psy /srv/cache/openclaw/runner

# An image of one static program, and containers: a database with a volume, a gateway with a bind
# mount that runs as psy, a runner that is published on the loopback.
cd /root
apt-get -qq -o APT::Sandbox::User=root download busybox-static >/dev/null
dpkg-deb -x busybox-static_*.deb tree
mkdir -p image/bin
cp "$(find tree -path '*/bin/busybox')" image/bin/
ln -s busybox image/bin/sh
tar -C image -c . | docker import - openclaw:local >/dev/null
docker volume create pgdata >/dev/null
docker run -d --name dkr-postgres --restart unless-stopped -v pgdata:/var/lib/db openclaw:local \
    /bin/busybox sh -c 'echo rows >/var/lib/db/table; exec /bin/busybox sleep 100000' >/dev/null
docker run -d --name dkr-gw-admin --restart unless-stopped --user 1100:1100 \
    -v /srv/data/openclaw/gw-admin/config:/config openclaw:local \
    /bin/busybox sleep 100000 >/dev/null
docker run -d --name dkr-claw-runner --restart unless-stopped -p 127.0.0.1:18888:8080 \
    -v /srv/cache/openclaw/runner:/runner-cache openclaw:local \
    /bin/busybox httpd -f -p 8080 -h /runner-cache >/dev/null

# What he tuned.
printf 'vm.swappiness = 60\nvm.max_map_count = 262144\n' >/etc/sysctl.d/99-claw.conf
printf 'PasswordAuthentication no\nClientAliveInterval 120\n' >/etc/ssh/sshd_config.d/50-psy.conf
systemctl reload ssh
ln -sfn ../usr/share/zoneinfo/Europe/Berlin /etc/localtime
