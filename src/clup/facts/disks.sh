# Tells all about the machine's block devices: a line is a word that says what it is, then values.
# Whatever is not ASCII becomes "?". Devices without a node in this /dev (a container shows those
# of its host) are listed, not probed. What carries no signature is sampled: its first and last
# MiB and 14 places in between.
# shellcheck shell=sh
LC_ALL=C
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH

# Puts the first line of the first of these files that can be read, whether or not it ends, into
# $line. That takes no process, and there are many such files.
first() {
    for file; do
        if [ -r "$file" ] && { read -r line || [ -n "$line" ]; } <"$file"; then return; fi
    done
    line=
}

# A text in one line.
flat() {
    printf '%s' "$1" | tr '\n' ' '
}

# A line for each sample: where it begins and its length in bytes; 0 when all are zeros, 1 when not,
# 2 when it cannot be read; where the first byte is that is none, and the sector with it. One process
# reads them all. It is perl, as every Debian and Ubuntu has it from the start (perl-base).
# shellcheck disable=SC2016
SAMPLES='
my ($path, @places) = @ARGV;
open(my $disk, "<:raw", $path);
sub bytes {
    my ($from, $length) = @_;
    my $found = "";
    sysseek($disk, $from, 0) or return "";
    while ((my $missing = $length - length $found) > 0) {
        sysread($disk, $found, $missing, length $found) or last;
    }
    return $found;
}
while (my ($from, $length) = splice @places, 0, 2) {
    my $found = bytes($from, $length);
    my $status = length $found < $length ? 2 : 0;
    my @stray = ("-");
    if ($found ne "\0" x length $found) {
        $found =~ /[^\0]/;
        $status = 1;
        @stray = ($from + $-[0], unpack "H*", bytes($from + $-[0] - ($from + $-[0]) % 512, 512));
    }
    print "sample $from $length $status @stray\n";
}
'

# $1 device, the rest are the offset and the length of each sample.
samples() {
    timeout 60 perl -e "$SAMPLES" -- "$@" || printf 'sample 0 0 %s -\n' "$?"
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
    set -- "$1" "$2" 0 "$piece" $(($2 - piece)) "$piece"
    if [ "$2" -ge $((16 * piece)) ]; then
        for part in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do
            set -- "$@" $(($2 * part / 15 & ~65535)) 65536
        done
    fi
    device=$1
    shift 2
    samples "$device" "$@"
}

# $1 its folder in /sys/class/block.
device() {
    name=${1##*/}
    first "$1/dev"
    number=$line
    first "$1/size"
    size=$((line * 512))
    partition=no
    if [ -e "$1/partition" ]; then partition=yes; fi
    first "$1/ro"
    printf 'device %s %s %s %s %s\n' "$name" "$number" "$size" "$line" "$partition"
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
        first "$1/dm/name"
        printf 'mapping %s ' "$line"
        first "$1/dm/uuid"
        printf '%s\n' "$line"
    fi
    first "$1/serial" "$1/device/serial"
    printf 'serial %s\n' "$line"
    first "$1/wwid" "$1/device/wwid"
    printf 'wwn %s\n' "$line"
    if [ -r "/run/udev/data/b$number" ]; then
        while read -r line; do
            case $line in
            E:ID_SERIAL_SHORT=* | E:ID_SCSI_SERIAL=*) printf 'serial %s\n' "${line#*=}" ;;
            E:ID_WWN=* | E:ID_WWN_WITH_EXTENSION=*) printf 'wwn %s\n' "${line#*=}" ;;
            esac
        done <"/run/udev/data/b$number"
    fi
    # The kernel writes a slash of a name as "!".
    node=/dev/$name
    case $name in
    *!*) node=/dev/$(printf '%s' "$name" | tr '!' '/') ;;
    esac
    if [ -b "$node" ] && [ "$(stat -c '%Hr:%Lr' "$node")" = "$number" ]; then
        printf 'node %s\n' "$node"
        if [ "$size" -gt 0 ]; then probe "$node" "$size"; fi
    fi
}

{
    for folder in /sys/class/block/*; do
        # What the kernel hides is a path to an NVMe disk, with that one's name, and is for no use.
        first "$folder/size"
        size=$line
        first "$folder/hidden"
        case ${folder##*/}:$size:$line in
        ram* | fd[0-9]* | loop*:0:* | zram*:0:* | *:1) ;;
        *) device "$folder" ;;
        esac
    done
    if [ -d /dev/disk/by-id ]; then find /dev/disk/by-id -type l -printf 'link %f %l\n'; fi
    sed 's/^/mount /' /proc/self/mountinfo
    sed '1d; s/^/swap /' /proc/swaps
    for file in /var/lib/clup/storage/*.json; do
        if [ -f "$file" ]; then
            first "$file"
            printf 'marker %s %s\n' "${file##*/}" "$line"
        fi
    done
    for file in /var/lib/clup/storage/*.uuid; do
        if [ -f "$file" ]; then
            first "$file"
            printf 'record %s %s\n' "${file##*/}" "$line"
        fi
    done
    # A pipeline ends well even if this end of it was killed.
    echo end
} 2>/dev/null | tr '\200-\377' '?'
