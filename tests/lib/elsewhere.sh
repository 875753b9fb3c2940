# shellcheck shell=bash
# Database servers that this machine's own release does not have, out of
# other releases of Debian.
#
#     elsewhere_fetch RELEASE...           what is not there yet, into SERVERS; needs the network
#     elsewhere RELEASE PROGRAM VERSION    sets ELSEWHERE, the folder of that program, or skips the test and says why
#
# The mirror is the one that the machine's own apt is set up for. apt runs on a folder of its own: it believes that nothing at all is installed, and so
# names every library that a server needs, the C library included. Nothing of the machine is
# touched, and nobody has to be root. Signatures are checked as ever; how old an archive's index
# may be is not, as the servers are for tests on loopback and a release that has ended stays as it is.
#
# The packages are unpacked, never installed. A program runs by the loader and the
# libraries that came with it: what bears its name is a script, beside PROGRAM.elf.
#
# SERVERS is kept: a second run needs no network, and has the versions of the first. Remove it to fetch anew.
# It takes 100 to 300 MB a release.

if [ -z "${SERVERS:-}" ]; then
    SERVERS=${XDG_CACHE_HOME:-$HOME/.cache}/roster-servers
    [ "$(id -u)" != 0 ] || SERVERS=/var/cache/roster-servers # others have to be able to run them
fi
export SERVERS

# The packages whose programs are wanted.
elsewhere_packages() {
    case $1 in
    bullseye) echo postgresql-13 postgresql-client-13 mariadb-server-core-10.5 mariadb-client-core-10.5 ;;
    bookworm) echo postgresql-15 postgresql-client-15 mariadb-server-core mariadb-client-core mariadb-server galera-4 ;; # mariadb-server: scripts of state transfers
    trixie) echo postgresql-17 postgresql-client-17 mariadb-server-core mariadb-client-core ;;
    sid) echo postgresql-18 postgresql-client-18 mysql-server-core mysql-client-core mysql-router ;;
    sid-client) echo libmysqlclient-dev mysql-client-core ;; # to build with; and the plugin for accounts of mysql_native_password
    esac
}

# ---- fetching -------------------------------------------------------------------

elsewhere_fetch() {
    local release
    mkdir -p "$SERVERS" || return 1
    for release; do
        ! elsewhere_complete "$release" || continue
        ( # one at a time, however many runs there are
            umask 022
            flock 9
            ! elsewhere_complete "$release" || exit 0
            trap 'rm -rf "$SERVERS/$release.new"' EXIT
            trap 'exit 130' HUP INT TERM
            rm -rf "$SERVERS/$release.new"
            elsewhere_get "$release" "$SERVERS/$release.new" > "$SERVERS/$release.log" 2>&1 &&
                rm -rf "${SERVERS:?}/$release" && mv "$SERVERS/$release.new" "$SERVERS/$release"
        ) 9> "$SERVERS/lock" || echo "$release cannot be fetched: $(elsewhere_reason "$release")"
    done
}

# Fetched, and with the packages that are wanted now; what was fetched for an older list serves until it can be replaced.
elsewhere_complete() { [ "$(cat "$SERVERS/$1/ready" 2> /dev/null)" = "$(elsewhere_packages "$1")" ]; }

elsewhere_reason() { grep -v '^W:' "$SERVERS/$1.log" 2> /dev/null | head -n 1 | grep . || echo "it is not in $SERVERS"; }

elsewhere_get() { # elsewhere_get RELEASE FOLDER
    local apt=$2/apt packages source names
    packages=$(elsewhere_packages "$1")
    source=$(elsewhere_source "$1") || { echo "$source"; return 1; }
    mkdir -p "$apt"/{parts,preferences.d,lists/partial,cache/archives/partial,debs} || return
    : > "$apt/status"
    echo "$source" > "$apt/sources.list"
    elsewhere_settings "$apt" > "$apt/conf"
    export APT_CONFIG=$apt/conf
    timeout 120 apt-get -qq -o APT::Update::Error-Mode=any update || return
    # shellcheck disable=SC2046 # a list of names: those that the release still has
    names=$(elsewhere_needs $(apt-cache pkgnames | grep -Fx "${packages// /$'\n'}")) || return
    # shellcheck disable=SC2086
    (cd "$apt/debs" && timeout 300 apt-get -qq download $names) || return
    elsewhere_unpack "$2" "$apt"/debs/*.deb && elsewhere_wrap "$2" "$SERVERS/$1" || return
    rm -rf "$apt"
    echo "$packages" > "$2/ready"
}

# A line of a sources.list. The machine's own apt is asked, before APT_CONFIG says otherwise.
elsewhere_source() { # elsewhere_source RELEASE
    local keys=/usr/share/keyrings/debian-archive-keyring.gpg mirror codename
    codename=$(. /etc/os-release && [ "$ID" = debian ] && echo "$VERSION_CODENAME")
    mirror=$(apt-get --print-uris update 2> /dev/null |
        sed -En "s,^'(.*)/dists/(${codename:-stable}|(old)*stable|testing|unstable)/InRelease'.*,\1,p" | head -n 1)
    [ -n "$mirror" ] || { echo "no archive of Debian is known here"; return 1; }
    [ -r "$keys" ] || { echo "there is no ${keys##*/}"; return 1; }
    echo "deb [signed-by=$keys] $mirror ${1%%-*} main"
}

elsewhere_settings() {
    apt-config dump | grep -E '^Acquire::(http|https|ftp)\b' || true # how this machine reaches its mirror
    cat << E2
Dir "$1/";
Dir::Etc "$1/";
Dir::Etc::main "none";
Dir::Etc::parts "parts";
Dir::Etc::netrc "/etc/apt/auth.conf";
Dir::Etc::netrcparts "/etc/apt/auth.conf.d";
Dir::State "$1/";
Dir::State::status "$1/status";
Dir::Cache "cache";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Check-Valid-Until "false";
Acquire::Retries "1";
Acquire::http::Timeout "15";
Acquire::https::Timeout "15";
E2
}

# The packages given and the libraries that they need; of everything else they need, maintainers' scripts do, and none runs here.
elsewhere_needs() {
    local plan
    plan=$(apt-get -qq -y --print-uris install "$@") || return
    echo "$@"
    sed "s,.* \([^ _]*\)_[^ ]*\.deb .*,\1," <<< "$plan" |
        grep -E '^(lib|zlib1g)' | grep -vE '^lib(perl|llvm|z3|systemd-shared|c-bin|c-l10n|db5|dpkg|json-perl|ipc-run)'
}

elsewhere_unpack() { # elsewhere_unpack FOLDER DEB...
    local to=$1 name
    shift
    # Older packages have /lib, newer ones know /usr/lib alone.
    for name in bin sbin lib lib64; do
        mkdir -p "$to/usr/$name" && ln -s "usr/$name" "$to/$name" || return
    done
    for name; do
        (set -o pipefail && dpkg-deb --fsys-tarfile "$name" |
            tar -C "$to" --no-same-owner --keep-directory-symlink -xf - --exclude='*/bitcode' --exclude='*/llvmjit*' \
                --exclude=./usr/share/locale --exclude=./usr/share/doc --exclude=./usr/share/man) || return
    done
}

# Scripts in the place of programs. AT is where FOLDER will be.
elsewhere_wrap() { # elsewhere_wrap FOLDER AT
    local path loader options libraries
    loader=$(cd "$1" && ls usr/lib/*/ld-linux*.so.* | head -n 1)
    [ -n "$loader" ] || return
    libraries=$2/${loader%/*}
    [ ! -d "$1/usr/lib/mysql-router" ] || libraries+=:$2/usr/lib/mysql-router
    for path in "$1"/usr/{bin,sbin}/* "$1"/usr/lib/postgresql/*/bin/*; do
        [ -f "$path" ] && [ ! -h "$path" ] && [ "$(head -c 4 "$path" | tr -d '\0')" = $'\177ELF' ] || continue
        options=$(elsewhere_options "${path##*/}" "$1" "$2")
        mv "$path" "$path.elf" || return
        printf '#!/bin/sh\nexec %s --library-path %s %s "$@"%s\n' \
            "$2/$loader" "$libraries" "$2/${path#"$1"/}.elf" "$options" > "$path" || return
        chmod 755 "$path"
    done
}

# What a program would look for where it was built to be; they go behind the options that have to be first.
elsewhere_options() { # elsewhere_options PROGRAM FOLDER AT
    local share
    case $1 in mysqld | mariadbd) ;; *) return ;; esac
    share=$(cd "$2" && ls -d usr/share/*/english)
    echo " --basedir=$3/usr --plugin-dir=$3/usr/lib/mysql/plugin" \
        "--lc-messages-dir=$3/${share%/english} --character-sets-dir=$3/${share%/english}/charsets"
}

# ---- using ------------------------------------------------------------------------

elsewhere() { # elsewhere RELEASE PROGRAM VERSION: the program's path below usr, the version's first numbers
    local found
    [ -e "$SERVERS/$1/ready" ] || skip "$1 cannot be fetched: $(elsewhere_reason "$1")"
    ELSEWHERE=$SERVERS/$1/usr/${2%/*}
    found=$("$ELSEWHERE/${2##*/}" --version 2>&1) || skip "$1 has no $2"
    case $found in *" $3."*) echo "$found" ;; *) skip "$1 has not version $3 of $2: $found" ;; esac
}
