# shellcheck shell=bash
# Servers that Ubuntu has and Debian does not: `make check-versions UBUNTU=URL`, the address of an archive of Ubuntu's.

test_postgresql_12() { versions_postgresql focal 12; }
test_postgresql_14() { versions_postgresql jammy 14; }
test_postgresql_16() { versions_postgresql noble 16; }
test_mariadb_10_6() { versions_mariadb jammy 10.6; }
test_mysql_8_0() { versions_mysql noble 8.0; }
test_mysql_8_4() { versions_mysql questing 8.4; }
