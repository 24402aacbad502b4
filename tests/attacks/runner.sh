# shellcheck shell=sh
set -eu
# Puts the runner before the guard of stand.sh, with callers and nothing that it did before.
# RUNNER_IMAGE, RUNNER_PROGRAM and TOOLBOX_IMAGE come before it.
stand=/srv/stand

docker ps -aq --filter name=clup-job- --filter name=runner | xargs -r docker rm -f -v >/dev/null
for name in state audit reports cache tokens; do
  rm -rf "${stand:?}/$name"
  mkdir "$stand/$name"
done
for name in operator neighbour gateway; do
  head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >$stand/tokens/$name
done
printf 'jobs: all\nsees: all\nparallel: 2\nqueued: 9\n' >$stand/tokens/operator.yaml
printf 'jobs: [greets]\n' >$stand/tokens/neighbour.yaml
printf 'jobs: [greets, naps, runs, build, test, audit]\nparallel: 1\nqueued: 2\n' \
  >$stand/tokens/gateway.yaml
chown -R 7003 $stand/state $stand/audit $stand/reports $stand/cache $stand/tokens
chmod 700 $stand/state $stand/audit $stand/reports $stand/cache $stand/tokens
chmod 600 $stand/tokens/operator $stand/tokens/neighbour $stand/tokens/gateway
# The group is the guard's, and the runner is in it.
chown -R 7000:7000 $stand/key
chmod 750 $stand/key
chmod 440 $stand/key/key
# shellcheck disable=SC2154
docker tag "$TOOLBOX_IMAGE" toolbox

# RUNNER_PROGRAM is words.
# shellcheck disable=SC2086,SC2154
docker run -d --name runner --network inside --user 7003:7000 --memory 256m \
  --read-only --cap-drop ALL --security-opt no-new-privileges \
  -v $stand/jobs:/runner-data/jobs:ro -v $stand/tokens:/runner-data/tokens:ro \
  -v $stand/state:/runner-data/state -v $stand/audit:/runner-data/audit \
  -v $stand/reports:/runner-data/reports -v $stand/cache:/runner-cache -v $stand/key:/key:ro \
  -v /root/attacks:/attacks:ro \
  -e PYTHONPATH=/opt/clup:/opt/clup/site:/attacks -e DOCKER_HOST=tcp://claw-socket-proxy:2375 \
  -e RUNNER_GUARD_KEY_FILE=/key/key \
  -e RUNNER_JOBS_OWNER=0 --entrypoint python3 "$RUNNER_IMAGE" $RUNNER_PROGRAM >/dev/null
for _ in $(seq 300); do
  docker exec runner python3 -I /opt/clup/services/runner/healthy.py && exit 0
  sleep 0.1
done
docker logs runner >&2
exit 1
