# figures.awk: what the reports of script/bench have in common: lines "figure <tab> value" of several
# rounds, the median of each, and how a figure is written.
function figure_add(name, value) {
    if (!(name in count))
        names[++names_n] = name
    values[name, ++count[name]] = value + 0
}

function sorted(name,   i, k, v) {
    for (i = 2; i <= count[name]; i++) {
        v = values[name, i]
        for (k = i - 1; k >= 1 && values[name, k] > v; k--)
            values[name, k + 1] = values[name, k]
        values[name, k + 1] = v
    }
}

function median(name) {
    return values[name, int((count[name] + 1) / 2)]
}

# To be called when all are there. The fastest drain of any peer, with one process or with two, is a
# figure as well.
function figures_end(   i, part, best, place) {
    for (i = 1; i <= names_n; i++) {
        sorted(names[i])
        if (split(names[i], part, "[.]") == 4 && part[1] == "peer" && part[3] ~ /^drain/ &&
            median(names[i]) > best[part[4]])
            best[part[4]] = median(names[i])
    }
    for (place in best)
        figure_add("peer.best.drain." place, best[place])
}

function text(value, unit) {
    if (unit == "/s")
        return value < 10000 ? sprintf("%.2f k/s", value / 1000) : sprintf("%.0f k/s", value / 1000)
    if (unit == "ms")
        return sprintf("%.3f ms", value)
    if (unit == "%")
        return sprintf("%.3f %%", value)
    return sprintf(value < 100 ? "%.1f %s" : "%.0f %s", value, unit)
}

function ratio_of(value, base) {
    return base ? value / base : 0
}

function reaches(value, sense, mark) {
    return sense == ">=" ? value >= mark : value <= mark
}
