# table.awk, after figures.awk, with -v place=sqlite, postgres or redis: from goals.tsv and figures as
# report.awk has them, errand beside its peers as Markdown: the ratios, then a row each. What a peer is
# comes as "peer.PEER <tab> note <tab> text", and what could not be measured of it as "failed" and what.
BEGIN {
    FS = "\t"
    what_n = split("one bulk drain drain-2 pickup delay bytes", what, " ")
}

FNR == NR {
    if (!/^#/ && NF == 7 && $3 ~ /^peer[.]/)
        goals[++goals_n] = $0
    next
}
NF == 2 {
    figure_add($1, $2)
}
NF == 3 {
    if (!($1 in note))
        peers[++peers_n] = $1
    note[$1] = $2 == "note" ? $3 : note[$1]
    if ($2 == "failed")
        failed[$1, $3] = 1
}

function figure(name, unit) {
    return name in count ? text(median(name), unit) : "-"
}

function milliseconds(name) {
    return sprintf(median(name) < 10 ? "%.2f" : "%.0f", median(name))
}

function cell(who, of, where,   name) {
    name = who "." of "." where
    if ((who, of == "drain-2" ? "drain" : of) in failed)
        return "failed"
    if (of == "pickup" && name ".p50_ms" in count)
        return milliseconds(name ".p50_ms") " / " milliseconds(name ".p99_ms")
    if (of == "delay" && name ".p99_ms" in count)
        return milliseconds(name ".p99_ms")
    return figure(name, of == "bytes" ? "B" : "/s")
}

function row(label, who, where, about,   i, line) {
    line = "| " label
    for (i = 1; i <= what_n; i++)
        line = line " | " cell(who, what[i], where)
    print line " | " about " |"
}

# The one worker of errand has two processes that run jobs.
function rows_errand(   where) {
    where = place == "sqlite" ? "normal" : place
    if ("errand.drain." where in count) {
        figure_add("errand.drain-2." where, median("errand.drain." where))
        delete count["errand.drain." where]
    }
    row("errand", "errand", where, "two runners, completed removed")
    if ("errand.drain-keeping." where in count)
        printf "| errand, keeping | - | - | - | %s | - | - | - | two runners, 10,000 completed kept |\n",
            figure("errand.drain-keeping." where, "/s")
}

function table(   i, label) {
    print "| | dispatch one | 1,000 at a time | drain, 1 process | drain, 2 processes | pick-up, half / 99 %, ms |" \
        " 1 s delay, late, 99 %, ms | bytes a waiting job | |"
    print "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    rows_errand()
    for (i = 1; i <= peers_n; i++) {
        label = peers[i]
        sub(/^peer[.]/, "", label)
        row(label, peers[i], place, note[peers[i]])
    }
}

function ratio(line,   f, share) {
    split(line, f, FS)
    if (!(f[2] in count) || !(f[3] in count))
        return
    share = ratio_of(median(f[2]), median(f[3]))
    printf "| %s | %s | %s | %.1f | %s |\n", f[1], text(median(f[2]), f[4]), text(median(f[3]), f[4]), share,
        f[6] == "-" ? "" : f[6] (f[7] == "-" ? "" : ", goal " f[7]) (reaches(share, f[5], f[6]) ? "" : ", missed")
}

END {
    figures_end()
    print "\n| | errand | beside | ratio | mark |"
    print "| --- | --- | --- | --- | --- |"
    for (i = 1; i <= goals_n; i++)
        ratio(goals[i])
    print ""
    table()
}
