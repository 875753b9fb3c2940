# shellcheck shell=bash
# Database servers that this machine's own release does not have, out of the
# archives of other releases.
#
#     elsewhere_fetch RELEASE...   what is not there yet, into SERVERS; needs the network
#     elsewhere RELEASE PROGRAM    sets ELSEWHERE, the folder of that program, or skips the test and says why
#
# The mirror is the one that the machine's own apt is set up for; UBUNTU=URL
# names an archive for Ubuntu's releases, of which a Debian machine knows none.
# apt runs on a folder of its own: it believes that nothing at all is installed, and so
# names every library that a server needs, the C library included. Nothing of the machine is
# touched, and nobody has to be root. Signatures are checked as ever; how old an archive's index
# may be is not, as the servers are for tests on loopback and a release that has ended stays as it is.
#
# The packages are unpacked, never installed. A program runs by the loader and the
# libraries that came with it: what bears its name is a script, beside PROGRAM.elf.
#
# SERVERS is kept: a second run needs no network, and has the versions of the first. Remove it to fetch anew.
# It takes 200 to 400 MB a release.

if [ -z "${SERVERS:-}" ]; then
    SERVERS=${XDG_CACHE_HOME:-$HOME/.cache}/roster-servers
    [ "$(id -u)" != 0 ] || SERVERS=/var/cache/roster-servers # others have to be able to run them
fi

# Distribution, then packages. Those of a server bring no programs of other packages with them: see elsewhere_needs.
elsewhere_packages() {
    case $1 in
    bullseye) echo debian postgresql-13 postgresql-client-13 mariadb-server-core-10.5 mariadb-client-core-10.5 ;;
    trixie) echo debian postgresql-17 postgresql-client-17 mariadb-server-core mariadb-client-core ubuntu-keyring ;;
    sid) echo debian postgresql-18 postgresql-client-18 mysql-server-core ;;
    focal) echo ubuntu postgresql-12 postgresql-client-12 ;;
    jammy) echo ubuntu postgresql-14 postgresql-client-14 mariadb-server-core-10.6 mariadb-client-core-10.6 ;;
    noble) echo ubuntu postgresql-16 postgresql-client-16 mysql-server-core-8.0 ;;
    questing) echo ubuntu mysql-server-core ;;
    esac
}

# ---- fetching -------------------------------------------------------------------

elsewhere_fetch() {
    local release
    mkdir -p "$SERVERS" || return 1
    for release; do
        [ ! -e "$SERVERS/$release/ready" ] || continue
        ( # one at a time, however many runs there are
            flock 9
            [ ! -e "$SERVERS/$release/ready" ] || exit 0
            set -e
            trap 'rm -rf "$SERVERS/$release.new"' EXIT
            trap 'exit 130' HUP INT TERM
            rm -rf "$SERVERS/$release" "$SERVERS/$release.new"
            elsewhere_get "$release" "$SERVERS/$release.new" > "$SERVERS/$release.log" 2>&1
            mv "$SERVERS/$release.new" "$SERVERS/$release"
        ) 9> "$SERVERS/lock" || echo "$release cannot be fetched: $(elsewhere_reason "$release")"
    done
}

elsewhere_reason() { grep -v '^W:' "$SERVERS/$1.log" 2> /dev/null | tail -n 1 | grep . || echo "nobody fetched it"; }

elsewhere_get() { # elsewhere_get RELEASE FOLDER
    local apt=$2/apt distribution packages source
    read -r distribution packages <<< "$(elsewhere_packages "$1")"
    source=$(elsewhere_source "$distribution" "$1")
    mkdir -p "$apt"/{parts,preferences.d,lists/partial,cache/archives/partial,debs}
    : > "$apt/status"
    echo "$source" > "$apt/sources.list"
    elsewhere_settings "$apt" > "$apt/conf"
    export APT_CONFIG=$apt/conf
    timeout 120 apt-get -qq update
    # shellcheck disable=SC2046,SC2086 # lists of names
    (cd "$apt/debs" && timeout 300 apt-get -qq download $(elsewhere_needs $packages))
    elsewhere_unpack "$2" "$apt"/debs/*.deb
    rm -rf "$apt"
    elsewhere_wrap "$2" "$SERVERS/$1"
    : > "$2/ready"
}

# The machine's own apt is asked before APT_CONFIG says otherwise.
elsewhere_source() { # elsewhere_source DISTRIBUTION RELEASE
    local mirror keys=/usr/share/keyrings/debian-archive-keyring.gpg parts=main codename
    if [ "$1" = debian ]; then
        codename=$(. /etc/os-release && [ "$ID" = debian ] && echo "$VERSION_CODENAME")
        mirror=$(apt-get --print-uris update 2> /dev/null | sed -n "s,^'\(.*\)/dists/${codename:-none}/InRelease'.*,\1,p" | head -n 1)
        [ -n "$mirror" ] || { echo "this machine's apt names no archive of Debian" >&2; return 1; }
    else
        mirror=${UBUNTU:-}
        [ -n "$mirror" ] || { echo "UBUNTU=URL names no archive" >&2; return 1; }
        keys=$SERVERS/trixie/usr/share/keyrings/ubuntu-archive-keyring.gpg # as Debian vouches for it
        parts='main universe'
    fi
    [ -r "$keys" ] || { echo "there is no ${keys##*/}" >&2; return 1; }
    echo "deb [signed-by=$keys] $mirror $2 $parts"
}

elsewhere_settings() {
    apt-config dump | grep -E '^Acquire::(http|https|ftp|Retries)\b' || true # how this machine reaches its mirror
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
        mkdir -p "$to/usr/$name"
        ln -s "usr/$name" "$to/$name"
    done
    for name; do
        dpkg-deb --fsys-tarfile "$name" | tar -C "$to" --no-same-owner --keep-directory-symlink -xf - \
            --exclude='*/bitcode' --exclude='*/llvmjit*' --exclude=./usr/share/locale --exclude=./usr/share/doc --exclude=./usr/share/man
    done
}

# Scripts in the place of programs. AT is where FOLDER will be.
elsewhere_wrap() { # elsewhere_wrap FOLDER AT
    local path loader libraries
    loader=$(cd "$1" && ls usr/lib/*/ld-linux*.so.* | head -n 1)
    libraries=$2/${loader%/*}
    for path in "$1"/usr/{bin,sbin}/* "$1"/usr/lib/postgresql/*/bin/*; do
        [ -f "$path" ] && [ ! -h "$path" ] && [ "$(head -c 4 "$path" | tail -c 3)" = ELF ] || continue
        mv "$path" "$path.elf"
        printf '#!/bin/sh\nexec %s --library-path %s %s "$@"%s\n' "$2/$loader" "$libraries" "$2/${path#"$1"/}.elf" \
            "$(elsewhere_options "${path##*/}" "$2")" > "$path"
        chmod 755 "$path"
    done
}

# What a program looks for at places that it was built to know; they go behind the options that must be first.
elsewhere_options() {
    case $1 in
    mysqld)
        echo " --basedir=$2/usr --plugin-dir=$2/usr/lib/mysql/plugin --lc-messages-dir=$2/usr/share/mysql" \
            "--character-sets-dir=$2/usr/share/mysql/charsets --secure-file-priv=NULL"
        ;;
    mariadbd) echo " --basedir=$2/usr --plugin-dir=$2/usr/lib/mysql/plugin --lc-messages-dir=$2/usr/share/mysql" ;;
    esac
}

# ---- using ------------------------------------------------------------------------

elsewhere() { # elsewhere RELEASE PROGRAM: its path below usr
    [ -e "$SERVERS/$1/ready" ] || skip "$1 cannot be fetched: $(elsewhere_reason "$1")"
    [ -x "$SERVERS/$1/usr/$2" ] || skip "$1 has no $2"
    ELSEWHERE=$SERVERS/$1/usr/${2%/*}
}
