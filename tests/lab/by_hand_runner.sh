# shellcheck shell=sh
# After by_hand.sh: the job runner by hand, as its instructions had it. Folders that psy owns, a compose
# file, a proxy before Docker's socket and a runner; both are stand-ins that answer as theirs did.
set -eu
export DEBIAN_FRONTEND=noninteractive
docker rm -f dkr-claw-runner >/dev/null
# Python as every Ubuntu has it: without it, a plan cannot tell what Docker runs.
apt-get -qq -y install --no-install-recommends docker-compose python3 >/dev/null 2>&1

data=/srv/data/openclaw/runner
cache=/srv/cache/openclaw/runner
mkdir -p $data/runner-go $data/reports/1 $cache/gradle/caches
echo 'job: deploy' >$data/jobs/deploy.yaml
echo '{"event": "started"}' >$data/audit/audit.jsonl
echo built >$data/reports/1/log
echo 'package main' >$data/runner-go/main.go
echo 'MODE=dev' >$data/compose/.env
echo half >$cache/work/checkout
echo jar >$cache/gradle/caches/lib.jar
echo scratch >$cache/tmp/scratch

# The images: one static program that answers as the real ones do.
cd /root
serve() {
    mkdir -p "$1/bin" "$1/www"
    cp image/bin/busybox "$1/bin/"
    printf '%s\n' "$3" >"$1/www/$2"
    tar -C "$1" -c . | docker import -c "CMD [\"/bin/busybox\", \"httpd\", \"-f\", \"-p\", \"$4\", \"-h\", \"/www\"]" \
        - "$5" >/dev/null
}
serve proxy _ping OK 2375 tecnativa/docker-socket-proxy:latest
serve runner healthz '{"ok": true, "service": "openclaw-runner-mvp"}' 8080 openclaw-runner:local

cat >$data/compose/docker-compose.yml <<'EOF'
services:
  dkr-claw-socket-proxy:
    image: tecnativa/docker-socket-proxy:latest
    container_name: dkr-claw-socket-proxy
    restart: unless-stopped
    environment: {CONTAINERS: 1, IMAGES: 1}
    volumes: ["/var/run/docker.sock:/var/run/docker.sock:ro"]
    networks: {default: {aliases: [claw-socket-proxy]}}
  dkr-claw-runner:
    image: openclaw-runner:local
    container_name: dkr-claw-runner
    restart: unless-stopped
    depends_on: [dkr-claw-socket-proxy]
    environment: {DOCKER_HOST: "tcp://claw-socket-proxy:2375"}
    ports: ["127.0.0.1:18888:8080"]
    volumes: ["/srv/data/openclaw/runner:/runner-data", "/srv/cache/openclaw/runner:/runner-cache"]
EOF
chown -R psy:psy $data $cache
cd $data/compose
docker compose up -d >/dev/null 2>&1
