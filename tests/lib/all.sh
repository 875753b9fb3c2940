# shellcheck shell=bash
# The whole harness: servers, fleet, and what they stand on. Source it; see base.sh.
set -uo pipefail
lib=$(dirname "${BASH_SOURCE[0]}")
for part in base elsewhere zookeeper postgres patroni repmgr autoctl mariadb galera mysql group fleet window versions streaming async; do
    # shellcheck source=/dev/null
    . "$lib/$part.sh"
done
unset part lib
