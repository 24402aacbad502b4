# Tells about mount points, each given as an argument: the folder itself, which a mount hides, and
# the root of what is mounted there. The folder is seen through a second, private view of its
# parent, in a mount namespace that ends with this command: nothing outside of it changes.
# shellcheck shell=sh disable=SC2016
LC_ALL=C
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
for path; do
    printf 'path %s\n' "$path"
    if [ -d "$path" ]; then printf 'root %s\n' "$(stat -c '%U %G %a' -- "$path")"; fi
done
# Within the namespace /run shows the parent of the path. With its own table mount would make
# /run/mount, which by then is a folder of that parent.
exec unshare --mount sh -c '
for path; do
    printf "path %s\n" "$path"
    parent=${path%/*}
    if [ ! -d "${parent:-/}" ]; then echo absent; continue; fi
    if ! mount --no-mtab --bind "${parent:-/}" /run; then echo hidden; continue; fi
    folder=/run/${path##*/}
    if [ -L "$folder" ] || { [ -e "$folder" ] && [ ! -d "$folder" ]; }; then echo other; continue; fi
    if [ ! -e "$folder" ]; then echo absent; continue; fi
    flags=$(lsattr -d "$folder") || flags=none
    printf "folder %s\n" "${flags%% *}"
    find "$folder" -xdev -mindepth 1 -maxdepth 1 -printf "entry %f\n" | head -n 3
done
echo end' sh "$@" 2>/dev/null | tr '\200-\377' '?'
