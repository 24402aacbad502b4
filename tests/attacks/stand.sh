# shellcheck shell=sh
set -eu
# Makes the stand of the attacks on a lab machine: the guard, a bot that is none of its business, a
# stranger on another network, canaries. GUARD_IMAGE and GUARD_PROGRAM come before it.
stand=/srv/stand
key=$stand/key/key
bot_secret=canary-of-the-bot
host_secret=canary-of-the-host

if [ ! -e /etc/systemd/system/docker.socket.d/guard.conf ]; then
  # A second socket in a folder of its own, which can be mounted as a whole.
  mkdir -p /etc/systemd/system/docker.socket.d
  printf '[Socket]\nListenStream=/run/clup-docker/api.sock\n' >/etc/systemd/system/docker.socket.d/guard.conf
  systemctl daemon-reload
  systemctl stop docker.service docker.socket
  systemctl start docker.socket docker.service
fi

mkdir -p $stand/jobs $stand/repo/clup $stand/key $stand/ledger $stand/gradle $stand/canary
echo "$host_secret" >$stand/canary/secret
echo source >$stand/repo/clup/file
[ -s $key ] || head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >$key
chmod 711 $stand
chmod 700 $stand/canary $stand/ledger $stand/key
chmod 400 $key
chown -R 7000 $stand/ledger $stand/key
chown 7002:7002 $stand/gradle

if ! docker image inspect hello >/dev/null 2>&1; then
  # An image from nothing but one static program, which no registry is needed for.
  cd /root
  mkdir -p image/bin image/etc
  cp /bin/busybox image/bin/busybox
  for name in $(image/bin/busybox --list); do
    [ "$name" = busybox ] || ln -sf busybox "image/bin/$name"
  done
  # What a careless image may have: a program that becomes root.
  cp image/bin/busybox image/bin/rootbox
  chmod 4755 image/bin/rootbox
  printf 'root:x:0:0::/:/bin/sh\nroot2::0:0::/:/bin/sh\n' >image/etc/passwd
  tar -C image --owner 0 --group 0 -c . | docker import - hello >/dev/null
fi

for name in inside elsewhere; do
  docker network inspect $name >/dev/null 2>&1 || docker network create --internal $name >/dev/null
done
# The machine is a lab of its own: whatever an earlier run has left goes.
docker ps -aq | xargs -r docker rm -f -v >/dev/null
docker run -d --name bot --network none -e "DB_PASSWORD=$bot_secret" hello /bin/sh -c \
  "echo $bot_secret; echo $bot_secret >/secret; sleep 1000000" >/dev/null
docker run -d --name stranger --network elsewhere hello /bin/sleep 1000000 >/dev/null

# GUARD_PROGRAM is words, and what is in capitals comes before this script.
# shellcheck disable=SC2086,SC2154
docker run -d --name guard --network inside --network-alias claw-socket-proxy \
  --user "7000:$(getent group docker | cut -d: -f3)" \
  --read-only --cap-drop ALL --security-opt no-new-privileges \
  -v /run/clup-docker:/run/docker:ro -v $stand/jobs:/jobs:ro -v $stand/key:/key:ro \
  -v $stand/ledger:/ledger -v /root/attacks:/attacks:ro \
  -e PYTHONPATH=/opt/clup:/attacks -e GUARD_DOCKER_SOCKET=/run/docker/api.sock -e GUARD_KEY_FILE=/key/key \
  -e GUARD_JOBS=/jobs -e GUARD_LEDGER=/ledger/heads -e GUARD_REPOSITORIES=$stand/repo \
  -e GUARD_CACHE_GRADLE=$stand/gradle -e GUARD_UNTRUSTED_USER=7001:7001 \
  -e GUARD_TRUSTED_USER=7002:7002 -e GUARD_MOST_CONTAINERS=6 -e GUARD_MOST_RUNNING=3 \
  --memory 128m --cpus 1 --pids-limit 64 --entrypoint python3 "$GUARD_IMAGE" $GUARD_PROGRAM \
  >/dev/null
for _ in $(seq 100); do
  docker exec guard python3 -I /opt/clup/services/guard/health.py && exit 0
  sleep 0.1
done
docker logs guard >&2
exit 1
