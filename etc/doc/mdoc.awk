# A page of etc/doc as a manual page in mdoc. The page begins with "<!-- mdoc: TITLE SECTION, DATE -->" and "# NAME: ONE LINE".
# Of Markdown it knows what that page uses: headings, paragraphs, lists of "- ", tables, indented text, `literal`, *emphasis*.
# A table becomes a list: its first column is the tag, the others follow with their heading, the last one without.

function inline(s,    out, c, open) {
    gsub(/\\/, "\\e", s)
    while (match(s, /`[^`]*`|\*[^*]+\*|\[[^]]*\]\([^)]*\)/)) {
        out = out substr(s, 1, RSTART - 1)
        c = substr(s, RSTART, 1)
        open = substr(s, RSTART + 1, RLENGTH - 2)
        if (c == "[") { sub(/\].*/, "", open) } else { open = (c == "`" ? "\\fB" : "\\fI") open "\\fP" }
        out = out open
        s = substr(s, RSTART + RLENGTH)
    }
    return out s
}
function line(s,    n, i, piece) {
    gsub(/[^ ][.] +/, "&\n", s) # a sentence begins a line
    n = split(inline(s), piece, /\n/)
    for (i = 1; i <= n; i++) { sub(/ +$/, "", piece[i]); print (piece[i] ~ /^[.']/ ? "\\&" : "") piece[i] }
}
function list(kind) {
    if (listed == kind) { return }
    if (listed != "") { print ".El"; gap = 1 }
    if (kind == "bullet") { print ".Bl -bullet" } else if (kind == "tag") { print ".Bl -tag -width last_lineage" }
    listed = kind
}
function literal(on) {
    if (on && !code) { list(""); print ".Bd -literal" } else if (!on && code) { print ".Ed" }
    code = on
    gap = on ? gap : 0
}
function row(    cell, n, i, text) {
    n = split($0, cell, /[ ]*\|[ ]*/)
    if (cell[2] ~ /^-+$/) { return }
    if (listed != "tag") { # the heading
        list("tag")
        for (columns = n - 1; n > 1; n--) { title[n] = cell[n] }
        return
    }
    print ".It " inline(cell[2])
    for (i = 3; i < columns; i++) { text = text (text == "" ? "" : ", ") (title[i] == "type" ? "" : title[i] " ") cell[i] }
    if (text != "") { line(text ".") }
    if (text != "" && cell[columns] != "") { print ".br" }
    if (cell[columns] != "") { line(cell[columns] (cell[columns] ~ /\.$/ ? "" : ".")) }
}

/^<!-- mdoc:/ { split($0, head, /: |, | -->/); date = head[3] ", " head[4]; title_line = head[2]; next }
/^# / {
    split(substr($0, 3), name, ": ")
    print ".\\\" made from etc/doc by mdoc.awk\n.Dd " date "\n.Dt " title_line "\n.Os\n.Sh NAME\n.Nm " name[1] "\n.Nd " name[2] "\n.Sh DESCRIPTION"
    next
}
/^### / { literal(0); list(""); print ".Ss " inline(substr($0, 5)); gap = 0; begun = 0; next }
/^#+ / { literal(0); list(""); print ($0 ~ /^## [A-Z]/ ? ".Sh " toupper(substr($0, 4)) : ".Sh " substr($0, 4)); gap = 0; begun = 0; next }
/^$/ { gap = 1; next }
/^    / { literal(1); sub(/^    /, ""); gsub(/\\/, "\\e"); print; begun = 1; next }
/^\|/ { literal(0); if (gap && listed == "tag") { list("") } row(); gap = 0; begun = 1; next }
/^- / { literal(0); list("bullet"); print ".It"; line(substr($0, 3)); begun = 1; next }
listed == "bullet" && /^  / { line(substr($0, 3)); next }
{ literal(0); list(""); if (gap && begun) { print ".Pp" } gap = 0; begun = 1; line($0) }
END { literal(0); list("") }
