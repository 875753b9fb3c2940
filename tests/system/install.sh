# shellcheck shell=bash
# make install: everything in its place, and a customer can build against it.

tree() { (cd "$1" && find . -type f -o -type l) | sort; }

test_install_puts_everything_in_its_place() {
    local d=$T/root/opt/roster f
    make -C "$ROOT" --no-print-directory B="$B" VARIANT="$VARIANT" DESTDIR="$T/root" PREFIX=/opt/roster install > "$T/install.log" 2>&1 ||
        { cat "$T/install.log"; fail "make install"; }
    for f in bin/roster sbin/roster-probe lib/libroster.so lib/libroster.so.0 include/roster.h lib/pkgconfig/roster.pc \
        share/man/man1/roster.1 share/man/man3/libroster.3 share/man/man3/roster_route.3 share/man/man5/roster-probe.ini.5 share/man/man8/roster-probe.8 \
        share/man/man7/roster-kinds.7 share/man/man7/roster-tree.7 share/man/man7/roster-runbook.7 share/doc/roster/runbook.md share/doc/roster/protocol.md share/doc/roster/znodes.md \
        etc/roster/roster-probe.ini lib/systemd/system/roster-probe.service share/doc/roster/samples/ndb.ini; do
        [ -e "$d/$f" ] || { tree "$T/root"; fail "$f is not installed"; }
    done
    expect "what lies outside the prefix" "$(tree "$T/root" | grep -v "^\./opt/roster/" || true)" ''
    expect "roster's version" "$("$d/bin/roster" --version)" "roster $(sed -n 's/^Version: //p' "$d/lib/pkgconfig/roster.pc")"
    "$d/sbin/roster-probe" --version > /dev/null
    expect_text "$d/lib/systemd/system/roster-probe.service" '^ExecStart=/opt/roster/sbin/roster-probe '
    readelf -d "$d/lib/libroster.so" | grep 'SONAME.*libroster.so.0' > /dev/null || fail "no soname"
    # A second time, an operator's own file stays.
    echo '# mine' > "$d/etc/roster/roster-probe.ini"
    make -C "$ROOT" --no-print-directory B="$B" VARIANT="$VARIANT" DESTDIR="$T/root" PREFIX=/opt/roster install > "$T/install.log" 2>&1
    expect "the operator's file" "$(cat "$d/etc/roster/roster-probe.ini")" '# mine'
}

test_a_customer_builds_with_pkg_config() {
    local p=$T/usr flags
    case $VARIANT in asan | tsan) skip "a customer's program is not sanitized" ;; esac
    make -C "$ROOT" --no-print-directory B="$B" VARIANT="$VARIANT" PREFIX="$p" install > "$T/install.log" 2>&1 ||
        { cat "$T/install.log"; fail "make install"; }
    flags=$(PKG_CONFIG_PATH=$p/lib/pkgconfig pkg-config --cflags --libs roster)
    # shellcheck disable=SC2086
    gcc -Wall -Wextra -Werror -o "$T/router" "$ROOT/etc/example/router.c" $flags
    # grep -q would end before ldd has written all, and a broken pipe is a failure
    LD_LIBRARY_PATH=$p/lib ldd "$T/router" | grep 'libroster.so.0 => /' > /dev/null || fail "the router does not find libroster.so.0"
    expect "what the library exports" "$(nm -D --defined-only "$p/lib/libroster.so" | awk '$2 == "T"' | grep -vc ' roster_' || true)" 0
}

test_the_header_compiles_alone_as_c99_and_cxx() {
    local compiler
    echo '#include <roster.h>' > "$T/alone.c"
    for compiler in gcc clang; do
        command -v $compiler > /dev/null || continue
        $compiler -std=c99 -pedantic -Wall -Wextra -Werror -I"$ROOT/include" -fsyntax-only "$T/alone.c"
    done
    for compiler in g++ clang++; do
        command -v $compiler > /dev/null || continue
        $compiler -std=c++11 -pedantic -Wall -Wextra -Werror -I"$ROOT/include" -fsyntax-only -x c++ "$T/alone.c"
    done
}
