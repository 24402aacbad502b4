#!/bin/sh
# Puts guard and runner on a lab machine that has Docker, with jobs for them, as a role will:
# GUARD_IMAGE and RUNNER_IMAGE come before it.
set -eu
stand=/srv/stand
if [ ! -e /etc/systemd/system/docker.socket.d/guard.conf ]; then
  # A second socket in a folder of its own, which can be mounted as a whole.
  mkdir -p /etc/systemd/system/docker.socket.d
  printf '[Socket]\nListenStream=/run/clup-docker/api.sock\n' >/etc/systemd/system/docker.socket.d/guard.conf
  systemctl daemon-reload
  systemctl stop docker.service docker.socket
  systemctl start docker.socket docker.service
fi

mkdir -p $stand/jobs $stand/repo/clup $stand/key $stand/ledger $stand/gradle $stand/tokens
mkdir -p $stand/state $stand/audit $stand/reports $stand/cache
token() { head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n'; }
[ -s $stand/key/key ] || token >$stand/key/key
for name in operator gateway; do
  [ -s $stand/tokens/$name ] || token >$stand/tokens/$name
done
printf 'jobs: all\nsees: all\nparallel: 8\nqueued: 100\n' >$stand/tokens/operator.yaml
printf 'jobs: [greets]\n' >$stand/tokens/gateway.yaml
echo source >$stand/repo/clup/file

if ! docker image inspect box >/dev/null 2>&1; then
  # An image from nothing but one static program, which no registry is needed for.
  cd /root
  mkdir -p image/bin
  if dpkg-query -W busybox-static >/dev/null 2>&1; then
    cp /bin/busybox image/bin/busybox
  else
    apt-get -qq -o APT::Sandbox::User=root download busybox-static >/dev/null
    dpkg-deb -x busybox-static_*.deb tree
    cp "$(find tree -path '*/bin/busybox')" image/bin/busybox
  fi
  image/bin/busybox --install image/bin
  tar -C image --owner 0 --group 0 -c . | docker import - box >/dev/null
fi
image=$(docker image inspect -f '{{.Id}}' box)

# NAME SCRIPT SECONDS OUTPUT_MB TRUST: what is trusted may write /cache.
job() {
  cat >"$stand/jobs/$1.yaml" <<END
job: $1
description: what a test needs
image: $image
command: [/bin/sh, -c, '$2']
trust: ${5:-untrusted}
cache: $([ "${5:-}" = trusted ] && echo gradle || echo none)
parameters:
  level: {kind: enum, values: [low, high], default: low}
  repository: {kind: workspace, default: clup}
limits: {seconds: ${3:-60}, memory_mb: 64, output_mb: ${4:-1}, artifacts_mb: 1}
END
}
# shellcheck disable=SC2016
{
  job greets 'echo "level $PARAM_LEVEL"; cat $PARAM_REPOSITORY/file; echo oh >&2'
  job fails 'exit 3'
  job eats 'tail /dev/zero | true; true'
  job lasts 'echo begun; sleep 300'
  job hangs 'trap "" TERM; echo begun; while :; do sleep 1; done' 2
  job floods 'yes $(printf %0200d 7) | head -c 120000000' 600 100
  job enumerates 'seq 3000000'
  job leaves 'cd /work/artifacts; echo fine >a.txt; ln -s /etc/passwd link; mkfifo pipe; truncate -s 1M hole; rm hole'
  job nothing 'true'
  job naps 'echo begun; sleep 3'
  job dozes 'echo begun; sleep 15'
  job pours 'yes $(printf %01000d 7) | head -c 1000000000' 600
  job ignores 'trap "" TERM; echo begun; while :; do sleep 1; done'
  # Writes down on the machine that it began, and that it came to its end.
  job notes 'note() { echo $1 >>/cache/$CLUP_JOB_ID; sync /cache/$CLUP_JOB_ID; }; note begun; '\
'echo begun; [ $PARAM_LEVEL = low ] || sleep 3; note done' 60 1 trusted
  job counts 'for n in $(seq 40); do echo line $n; sleep 0.25; done; echo over >&2; exit 7'
}
chmod -R go-w $stand/jobs
chown -R 7000 $stand/ledger
chown 7002:7002 $stand/gradle
chown -R 7003 $stand/state $stand/audit $stand/reports $stand/cache $stand/tokens
chmod 600 $stand/tokens/operator $stand/tokens/gateway
chown 7003:7000 $stand/key/key
chmod 440 $stand/key/key

docker network inspect inside >/dev/null 2>&1 || docker network create --internal inside >/dev/null
docker network inspect outside >/dev/null 2>&1 || docker network create outside >/dev/null
docker rm -f dkr-claw-socket-proxy dkr-claw-runner >/dev/null 2>&1 || true
# The tests look at their health themselves: a look of Docker's takes an emulated machine seconds.
# shellcheck disable=SC2154
docker run -d --no-healthcheck --name dkr-claw-socket-proxy --network inside --network-alias claw-socket-proxy \
  --user "7000:7000" --group-add "$(getent group docker | cut -d: -f3)" --restart unless-stopped \
  --read-only --cap-drop ALL --security-opt no-new-privileges \
  -v /run/clup-docker:/run/docker:ro -v $stand/jobs:/jobs:ro -v $stand/key:/key:ro \
  -v $stand/ledger:/ledger -e GUARD_DOCKER_SOCKET=/run/docker/api.sock -e GUARD_KEY_FILE=/key/key \
  -e GUARD_JOBS=/jobs -e GUARD_LEDGER=/ledger/heads -e GUARD_REPOSITORIES=$stand/repo \
  -e GUARD_CACHE_GRADLE=$stand/gradle -e GUARD_UNTRUSTED_USER=7001:7001 \
  -e GUARD_TRUSTED_USER=7002:7002 "$GUARD_IMAGE" >/dev/null
docker create --no-healthcheck --name dkr-claw-runner --network outside -p 127.0.0.1:18888:8080 \
  --user 7003:7000 --restart unless-stopped \
  --read-only --cap-drop ALL --security-opt no-new-privileges --memory 256m \
  -v $stand/jobs:/runner-data/jobs:ro -v $stand/tokens:/runner-data/tokens:ro \
  -v $stand/state:/runner-data/state -v $stand/audit:/runner-data/audit \
  -v $stand/reports:/runner-data/reports -v $stand/cache:/runner-cache -v $stand/key:/key:ro \
  -e DOCKER_HOST=tcp://claw-socket-proxy:2375 -e RUNNER_GUARD_KEY_FILE=/key/key \
  -e RUNNER_JOBS_OWNER=0 "$RUNNER_IMAGE" >/dev/null
docker network connect inside dkr-claw-runner
docker start dkr-claw-runner >/dev/null
for _ in $(seq 300); do
  curl -sf --max-time 5 -o /dev/null http://127.0.0.1:18888/healthz && exit 0
  sleep 0.3
done
docker logs dkr-claw-socket-proxy >&2
docker logs dkr-claw-runner >&2
exit 1
