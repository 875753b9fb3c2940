# shellcheck shell=bash
# Servers of other Debian releases than the machine's (tests/lib/elsewhere.sh), and of its own: 12 and 13 try the same ones.

test_postgresql_13() { versions_postgresql bullseye 13; }
test_postgresql_15() { versions_postgresql bookworm 15; }
test_postgresql_17() { versions_postgresql trixie 17; }
test_postgresql_18() { versions_postgresql sid 18; }
test_mariadb_10_5() { versions_mariadb bullseye 10.5; }
test_mariadb_10_11() { versions_mariadb bookworm 10.11; }
test_mariadb_11_8() { versions_mariadb trixie 11.8; }
test_mysql_9() { versions_mysql sid 9; }
