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

installed() {
    case $(dpkg-query -W -f '${db:Status-Status} ' "$1" 2> /dev/null) in
    installed*) return 0 ;;
    esac
    return 1
}
available() { LC_ALL=C apt-cache policy "$1" | grep -q '^  Candidate: [^(]'; }

# first TEST NAME...: the first name that passes it
first() {
    test=$1
    shift
    for package; do
        if "$test" "$package"; then
            echo "$package"
            return
        fi
    done
    return 1
}

# What the list asks for and has no installed package for: a line each, of names that do equally well.
missing=$(sed 's/#.*//; s/|/ /g' packages | while read -r names; do
    # shellcheck disable=SC2086 # a list of names
    [ -z "$names" ] || first installed $names > /dev/null || echo "$names"
done)
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
    echo "deps: lacking $(echo "$missing" | sed 's/  */ | /g' | paste -sd , | sed 's/,/, /g')"
    command -v sudo > /dev/null || { echo "deps: run this once as root, or install sudo" >&2; exit 1; }
    exec sudo -- "$(pwd)/deps.sh"
fi

export DEBIAN_FRONTEND=noninteractive
apt-get -q update || echo "deps: apt-get update failed; trying with the lists at hand" >&2

chosen=$(echo "$missing" | {
    code=0
    while read -r names; do
        # shellcheck disable=SC2086
        first available $names && continue
        echo "deps: apt offers no $(echo "$names" | sed 's/  */, and no /g')" >&2
        code=1
    done
    exit $code
})

policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
fi

# shellcheck disable=SC2086
echo deps: installing $chosen
# shellcheck disable=SC2086
apt-get -q install -y --no-install-recommends $chosen
