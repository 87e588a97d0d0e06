# report.awk, after figures.awk: goals.tsv, then lines "figure <tab> value" of several rounds: the median
# of each with its range, its ratio, and whether that is what was promised. With -v tsv=1 the figures alone.
BEGIN { FS = "\t" }

FNR == NR {
    if (!/^#/ && NF == 7)
        goals[++goals_n] = $0
    next
}
NF == 2 {
    figure_add($1, $2)
}

function row(line,   f, value, base, verdict, share) {
    split(line, f, FS)
    if (!(f[2] in count) || (f[3] != "-" && !(f[3] in count)))
        return
    value = median(f[2])
    share = value
    if (f[3] != "-") {
        base = median(f[3])
        share = ratio_of(value, base)
    }
    verdict = ""
    if (f[6] != "-") {
        verdict = reaches(share, f[5], f[6]) ? "pass" : "MISS"
        if (verdict == "MISS")
            missed++
        else if (f[7] != "-" && reaches(share, f[5], f[7]))
            verdict = "goal"
        held++
    }
    printf "%-38s %10s  %-23s %10s %6s  %-2s %-5s %-4s %s\n", f[1], text(value, f[4]),
        sprintf("(%s to %s)", short(values[f[2], 1], f[4]), short(values[f[2], count[f[2]]], f[4])),
        f[3] == "-" ? "" : text(base, f[4]), f[3] == "-" ? "" : sprintf("%.2f", share),
        f[6] == "-" ? "" : f[5], f[6] == "-" ? "" : f[6], f[7] == "-" ? "" : f[7], verdict
}

function short(value, unit,   t) {
    t = text(value, unit)
    sub(/ .*/, "", t)
    return t
}

END {
    figures_end()
    if (tsv) {
        print "figure\tmedian\tmin\tmax\trounds"
        for (i = 1; i <= names_n; i++)
            printf "%s\t%.6g\t%.6g\t%.6g\t%d\n", names[i], median(names[i]), values[names[i], 1],
                values[names[i], count[names[i]]], count[names[i]]
        exit
    }
    printf "%-38s %10s  %-23s %10s %6s  %-2s %-5s %-4s\n", "", "errand", "(range)", "beside",
        "ratio", "", "pass", "goal"
    for (i = 1; i <= goals_n; i++)
        row(goals[i])
    printf "\n%d of %d marks reached\n", held - missed, held
}
