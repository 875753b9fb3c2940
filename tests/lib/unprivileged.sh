# shellcheck shell=bash
# Started by root, what starts servers goes on as nobody, in a copy of the tree
# that nobody can read (a clone below /root cannot be).
#
#     stage FOLDER             sets HOME_TREE, where to go on, and as_user, a prefix for commands;
#                              the tree itself and nothing when we are not root
#
# $B, the programs' folder, is copied too; commands run by the prefix have the copy as B. So is FORMER, when there is one.

stage() {
    local root
    root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
    HOME_TREE=$root
    as_user=()
    [ "$(id -u)" = 0 ] || return 0
    HOME_TREE=$1
    mkdir -p "$1"
    tar -C "$root" --exclude=./.git --exclude=./build -cf - . | tar -C "$1" -xf -
    cp -a "$B" "$1/programs"
    [ -z "${FORMER:-}" ] || { cp -a "$FORMER" "$1/former" && export FORMER=$1/former; }
    chown -R nobody:nogroup "$1"
    # shellcheck disable=SC2034 # for the caller
    as_user=(setpriv --reuid=nobody --regid=nogroup --clear-groups env HOME="$1" B="$1/programs")
}
