#!/bin/sh
# Installs what etc/packages lists and this machine lacks. With nothing lacking
# it says nothing, asks nobody and needs no network.
#
# Packages of servers would start them; none of ours is wanted as a service, so
# while they are installed policy-rc.d (unless the machine has one of its own)
# tells Debian's maintainer scripts not to.
set -eu
cd "$(dirname "$0")"

if ! command -v dpkg-query > /dev/null; then
    echo "deps: this is no Debian system; etc/packages lists what is needed, by the names it has there" >&2
    exit 0
fi

missing=
for package in $(sed 's/#.*//' packages); do
    case $(dpkg-query -W -f '${db:Status-Status} ' "$package" 2> /dev/null) in
    installed*) ;;
    *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

echo "deps: installing$missing"
if [ "$(id -u)" != 0 ]; then
    command -v sudo > /dev/null || { echo "deps: run this once as root, or install sudo" >&2; exit 1; }
    exec sudo -- "$(pwd)/deps.sh"
fi

policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
fi

export DEBIAN_FRONTEND=noninteractive
apt-get -q update || echo "deps: apt-get update failed; trying with the lists at hand" >&2
# shellcheck disable=SC2086 # a list of names
apt-get -q install -y --no-install-recommends $missing
