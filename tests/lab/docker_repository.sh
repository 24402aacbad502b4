# shellcheck shell=sh
# Make a signed package repository below /opt/repository and serve it on 127.0.0.1:8099.
# Its packages have Docker's names and what the distribution's hold, so a real daemon runs from them.
set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
root=/opt/repository
index=$root/dists/trixie/stable/binary-$(dpkg --print-architecture)
mkdir -p "$root/work" "$root/pool" "$index"
cd "$root/work"
apt-get -qq update
apt-get -qq -y install --no-install-recommends gpg gpg-agent python3 >/dev/null
apt-get -qq -o APT::Sandbox::User=root download \
  docker.io docker-cli docker-compose docker-buildx containerd runc >/dev/null

# NAME VERSION DEPENDS CONFLICTS PACKAGE...: the packages' files and the first one's scripts.
repack() {
  name=$1 version=$2 depends=$3 conflicts=$4
  shift 4
  rm -rf tree
  dpkg-deb -R "$1"_*.deb tree
  shift
  for more; do dpkg-deb -x "$more"_*.deb tree; done
  cat >tree/DEBIAN/control <<EOF
Package: $name
Version: $version
Architecture: $(dpkg --print-architecture)
Maintainer: Lab <lab@lab.invalid>
Depends: $depends
Conflicts: $conflicts
Replaces: $conflicts
Description: what the distribution has, under Docker's name
EOF
  dpkg-deb -Zgzip -z1 -b tree "$root/pool/$(echo "${name}_$version" | tr : -).deb" >/dev/null
}
repack containerd.io 1.7.24-1~lab libc6 "containerd, runc" containerd runc
repack docker-ce 5:26.1.5-1~lab "containerd.io, iptables" docker.io docker.io
repack docker-ce 5:27.0.0-1~lab "containerd.io, iptables" docker.io docker.io
repack docker-ce-cli 5:26.1.5-1~lab libc6 docker-cli docker-cli
repack docker-buildx-plugin 0.13.1-1~lab libc6 docker-buildx docker-buildx
repack docker-compose-plugin 2.26.1-1~lab libc6 docker-compose docker-compose

cd "$root"
for deb in pool/*.deb; do
  dpkg-deb -f "$deb"
  echo "Filename: $deb"
  echo "Size: $(stat -c %s "$deb")"
  echo "SHA256: $(sha256sum "$deb" | cut -d ' ' -f 1)"
  echo
done >"$index/Packages"
cd dists/trixie
packages=${index#"$PWD"/}/Packages
cat >Release <<EOF
Origin: Lab
Suite: trixie
Codename: trixie
Date: $(date -u '+%a, %d %b %Y %H:%M:%S UTC')
Architectures: $(dpkg --print-architecture)
Components: stable
SHA256:
 $(sha256sum "$packages" | cut -d ' ' -f 1) $(stat -c %s "$packages") $packages
EOF
for who in lab stranger; do
  gpg -q --batch --homedir "$(mkdir -m 700 "/root/$who" && echo "/root/$who")" --passphrase '' \
    --quick-gen-key "$who <$who@lab.invalid>" ed25519 sign never
  gpg -q --homedir "/root/$who" --armor --export >"$root/$who.asc"
done
gpg -q --batch --homedir /root/lab --clearsign -o InRelease Release
systemd-run -q --unit=lab-repository \
  python3 -m http.server 8099 --bind 127.0.0.1 --directory "$root"
