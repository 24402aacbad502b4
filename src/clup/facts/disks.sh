# Tells all about the machine's block devices: a line is a word that says what it is, then values.
# Whatever is not ASCII becomes "?". Devices without a node in this /dev (a container shows those
# of its host) are listed, not probed. What carries no signature is sampled: its first and last
# MiB and 14 places in between.
# shellcheck shell=sh
LC_ALL=C
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH

# The first line of the first of these files that can be read, whether or not it ends.
first() {
    for file; do
        if [ -r "$file" ] && { read -r line || [ -n "$line" ]; } <"$file"; then
            printf '%s\n' "$line"
            return
        fi
    done
}

# A text in one line.
flat() {
    printf '%s' "$1" | tr '\n' ' '
}

# $1 device, $2 offset, $3 length, in bytes.
sample() {
    said=$(timeout 20 cmp -n "$3" -i "$2:0" "$1" /dev/zero 2>&1)
    status=$?
    at=
    # It counts from 1, in "char" or in "byte" as the locale has it.
    case $said in
    *"differ: char "*) at=${said#*differ: char } && at=$(($2 + ${at%%,*} - 1)) ;;
    esac
    printf 'sample %s %s %s %s ' "$2" "$3" "$status" "${at:--}"
    if [ -n "$at" ]; then
        timeout 20 dd if="$1" bs=512 skip=$((at / 512)) count=1 | od -An -v -tx1 | tr -d ' \n'
    fi
    echo
}

# $1 device, $2 its size in bytes.
probe() {
    said=$(timeout 20 blkid -p -o udev "$1" 2>&1)
    status=$?
    printf 'blkid %s %s\n%s\n' "$status" "$(flat "$said")" "$said"
    case $said in
    *ID_PART_TABLE_TYPE=*) printf 'table %s\n' "$(timeout 20 partx -g -o NR "$1" | wc -l)" ;;
    esac
    case $status:$said in
    0:*ID_FS_* | 0:*ID_PART_TABLE_*) return ;;
    esac
    said=$(timeout 20 wipefs --no-act --json "$1" 2>&1)
    printf 'wipefs %s %s\n' "$?" "$(flat "$said")"
    piece=1048576
    if [ "$2" -lt $((2 * piece)) ]; then piece=$(($2 / 2)); fi
    sample "$1" 0 "$piece"
    sample "$1" $(($2 - piece)) "$piece"
    if [ "$2" -lt $((16 * piece)) ]; then return; fi
    for part in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do
        sample "$1" $(($2 * part / 15 & ~65535)) 65536
    done
}

# $1 its folder in /sys/class/block.
device() {
    name=${1##*/}
    number=$(first "$1/dev")
    size=$(($(first "$1/size") * 512))
    partition=no
    if [ -e "$1/partition" ]; then partition=yes; fi
    printf 'device %s %s %s %s %s\n' "$name" "$number" "$size" "$(first "$1/ro")" "$partition"
    for part in "$1/$name"*; do
        if [ -e "$part/partition" ]; then printf 'part %s\n' "${part##*/}"; fi
    done
    for holder in "$1"/holders/*; do
        if [ -e "$holder" ]; then printf 'holder %s\n' "${holder##*/}"; fi
    done
    # A mounted btrfs holds all its devices, of which the mounts name only one.
    for pool in /sys/fs/btrfs/*/devices/"$name"; do
        if [ -e "$pool" ]; then pool=${pool%/devices/*} && printf 'btrfs %s\n' "${pool##*/}"; fi
    done
    if [ -d "$1/dm" ]; then
        printf 'mapping %s %s\n' "$(first "$1/dm/name")" "$(first "$1/dm/uuid")"
    fi
    printf 'serial %s\n' "$(first "$1/serial" "$1/device/serial")"
    printf 'wwn %s\n' "$(first "$1/wwid" "$1/device/wwid")"
    if [ -r "/run/udev/data/b$number" ]; then
        while read -r line; do
            case $line in
            E:ID_SERIAL_SHORT=* | E:ID_SCSI_SERIAL=*) printf 'serial %s\n' "${line#*=}" ;;
            E:ID_WWN=* | E:ID_WWN_WITH_EXTENSION=*) printf 'wwn %s\n' "${line#*=}" ;;
            esac
        done <"/run/udev/data/b$number"
    fi
    node=/dev/$(printf '%s' "$name" | tr '!' '/')
    if [ -b "$node" ] && [ "$(stat -c '%Hr:%Lr' "$node")" = "$number" ]; then
        printf 'node %s\n' "$node"
        if [ "$size" -gt 0 ]; then probe "$node" "$size"; fi
    fi
}

{
    for folder in /sys/class/block/*; do
        # What the kernel hides is a path to an NVMe disk, with that one's name, and is for no use.
        case ${folder##*/}:$(first "$folder/size"):$(first "$folder/hidden") in
        ram* | fd[0-9]* | loop*:0:* | zram*:0:* | *:1) ;;
        *) device "$folder" ;;
        esac
    done
    if [ -d /dev/disk/by-id ]; then find /dev/disk/by-id -type l -printf 'link %f %l\n'; fi
    sed 's/^/mount /' /proc/self/mountinfo
    sed '1d; s/^/swap /' /proc/swaps
    for file in /var/lib/clup/storage/*.json; do
        if [ -f "$file" ]; then printf 'marker %s %s\n' "${file##*/}" "$(first "$file")"; fi
    done
    for file in /var/lib/clup/storage/*.uuid; do
        if [ -f "$file" ]; then printf 'record %s %s\n' "${file##*/}" "$(first "$file")"; fi
    done
    # A pipeline ends well even if this end of it was killed.
    echo end
} 2>/dev/null | tr '\200-\377' '?'
