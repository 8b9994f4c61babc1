"""Plots as SVG, by hand: readable on a light and on a dark page."""
import math
import pathlib
import statistics
from xml.sax.saxutils import escape

from .cases import CASES, GROWTH, QUICK

STYLE = """
text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #24292f; }
.title { font-size: 15px; font-weight: 600; } .small { font-size: 11px; fill: #57606a; }
.axis { stroke: #8c959f; stroke-width: 1; fill: none; } .grid { stroke: #d0d7de; stroke-width: 1; }
.spread { stroke: #24292f; stroke-width: 1.2; }
.page { fill: #ffffff; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .small { fill: #9da7b1; } .axis { stroke: #7d8590; } .grid { stroke: #30363d; }
  .spread { stroke: #e6edf3; } .page { fill: #0d1117; }
}
"""
# One colour a server in every plot, of like contrast on white and on black.
COLOURS = {"limit": "#808a94", "ring": "#a58a5c", "hubbub epoll": "#2f81f7", "hubbub asio": "#63a4ff", "hubbub uring": "#1f9d55",
           "uWebSockets": "#d9772b", "websocketpp tuned": "#b560d4", "websocketpp example": "#8f5aa8", "Beast chat": "#d04f6b",
           "libwebsockets": "#3aa6a6", "gorilla (Go)": "#5aa9c9", "centrifuge (Go)": "#c2769c", "ws (Node)": "#8a9a2f",
           "tuned": "#b560d4", "naive": "#8f5aa8", "hosted": "#2f81f7", "adopted": "#63a4ff",
           "1 shard": "#63a4ff", "2 shards": "#2f81f7"}


def colour(name):
    return COLOURS.get(name, "#d09b1a")


class Picture:
    """An SVG that grows by elements."""

    def __init__(self, width, height, title):
        self.width, self.height, self.title = width, height, title
        self.parts = []
        self.text(16, 24, title, "title")

    def text(self, x, y, text, kind="", anchor="start"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{escape(text)}</text>')

    def line(self, x1, y1, x2, y2, kind):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>')

    def bar(self, x, y, width, height, fill):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.5):.1f}" height="{height:.1f}" fill="{fill}"/>')

    def path(self, points, stroke, dashed=False, dots=True):
        d = " ".join(f"{'L' if i else 'M'}{x:.1f} {y:.1f}" for i, (x, y) in enumerate(points))
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        self.parts.append(f'<path d="{d}" fill="none" stroke="{stroke}" stroke-width="2"{dash}/>')
        if dots:
            self.parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{stroke}"/>' for x, y in points]

    def save(self, path):
        path.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height:.0f}" '
                        f'width="{self.width}" height="{self.height:.0f}" role="img" aria-label="{escape(self.title)}">\n'
                        f'<style>{STYLE}</style>\n<rect class="page" width="100%" height="100%"/>\n'
                        + "\n".join(self.parts) + "\n</svg>\n")
        return path


def number(value):
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def bars(title, unit, groups, footnote=""):
    """Horizontal bars; a group is (title, [(name, median, least, most)]). Each group has a scale of its own."""
    rows = sum(len(entries) for _, entries in groups)
    picture = Picture(760, 44 + rows * 19 + len(groups) * 34 + 24, title)
    y, left, room = 44, 160, 500
    for heading, entries in groups:
        picture.text(16, y + 14, heading, "small")
        y += 24
        largest = max(most for _, _, _, most in entries) or 1
        for name, middle, least, most in entries:
            picture.text(left - 8, y + 12, name, anchor="end")
            picture.bar(left, y + 2, room * middle / largest, 13, colour(name))
            if most > least:
                picture.line(left + room * least / largest, y + 8.5, left + room * most / largest, y + 8.5, "spread")
            picture.text(left + room * max(middle, most) / largest + 6, y + 12, number(middle), "small")
            y += 19
        y += 10
    picture.text(16, y + 12, unit + (f"; {footnote}" if footnote else ""), "small")
    return picture


def lines(title, unit, across, series, dashed=(), log_y=False):
    """A line a name; series is {name: {x: y}}; x is logarithmic."""
    picture = Picture(760, 420, title)
    left, right, top, bottom = 60, 590, 44, 360
    xs = sorted({x for points in series.values() for x in points})
    values = [y for points in series.values() for y in points.values()]
    low, high = (min(values), max(values)) if log_y else (0, max(values))

    def at(x, y):
        across_ = (math.log(x) - math.log(xs[0])) / ((math.log(xs[-1]) - math.log(xs[0])) or 1)
        up = (math.log(y) - math.log(low)) / ((math.log(high) - math.log(low)) or 1) if log_y else y / (high or 1)
        return left + across_ * (right - left), bottom - up * (bottom - top)

    for i in range(5):
        value = math.exp(math.log(low) + i / 4 * (math.log(high) - math.log(low))) if log_y else high * i / 4
        y = bottom - (bottom - top) * i / 4
        picture.line(left, y, right, y, "grid")
        picture.text(left - 6, y + 4, number(value), "small", "end")
    for x in xs:
        picture.text(at(x, high)[0], bottom + 18, f"{x:,}", "small", "middle")
    picture.line(left, bottom, right, bottom, "axis")
    picture.text((left + right) / 2, bottom + 36, across, "small", "middle")
    picture.text(16, 408, unit, "small")
    ends = []
    for name, points in series.items():
        placed = [at(x, y) for x, y in sorted(points.items())]
        picture.path(placed, colour(name), name in dashed)
        ends.append([placed[-1][1], name])
    ends.sort()
    for i in range(1, len(ends)):  # labels do not cover each other
        ends[i][0] = max(ends[i][0], ends[i - 1][0] + 14)
    shift = max(0, ends[-1][0] - bottom) if ends else 0
    for y, name in ends:
        picture.bar(right + 8, y - shift - 4, 8, 8, colour(name))
        picture.text(right + 20, y - shift + 4, name)
    return picture


def of(runs, figure="server_us_per_delivery"):
    """(median, least, most) of a figure, or of its part such as latency_us.p99."""
    values = []
    for run in runs:
        value = run
        for key in figure.split("."):
            value = value[key]
        values.append(value)
    return (statistics.median(values), min(values), max(values))


def draw(results, prefix):
    """Writes PREFIX_cpu.svg and so on, as far as there is something to draw. Returns the paths."""
    prefix = pathlib.Path(prefix)
    prefix.parent.mkdir(parents=True, exist_ok=True)
    drawn = []

    def save(name, picture):
        drawn.append(picture.save(prefix.with_name(f"{prefix.name}_{name}.svg")))

    def group(case):
        return CASES[case].title, sorted(((name, *of(runs, CASES[case].figure)) for name, runs in results["cases"][case].items()
                                          if runs), key=lambda entry: entry[1])

    measured = [group(case) for case in QUICK if case in results["cases"]]
    measured = [entry for entry in measured if entry[1]]
    unit = "CPU time of the server, kernel included, in microseconds for each delivery"
    if measured:
        save("cpu", bars("What a delivery costs", unit, measured, "the thin line is least to most; a scale for each group"))
    series = {}
    for count, case in GROWTH.items():
        for name, runs in results["cases"].get(case, {}).items():
            if runs:
                series.setdefault(name, {})[count] = of(runs)[0]
    series = {name: points for name, points in series.items() if len(points) > 1}
    if series:
        save("growth", lines("Growth with the number of subscribers, 4 messages in flight", unit + "; logarithmic", "subscribers",
                             series, ("limit", "ring"), log_y=True))
    if results.get("latency"):
        groups = []
        for key, title in (("stalled 0", "nobody stalls"), ("stalled 10", "10 more clients stall")):
            for quantile, word in (("p50", "p50"), ("p99", "p99"), ("p999", "p99.9"), ("max", "the most")):
                entries = [(name, *of(runs, f"latency_us.{quantile}"))
                           for name, runs in results["latency"].get(key, {}).items() if runs]
                if entries:
                    groups.append((f"{title}: {word}", entries))
        if groups:
            save("latency", bars(f"Latency at {results['latency']['rate']} messages a second to 1,000 subscribers",
                                 "microseconds from when a message was due to each receiver", groups, "a scale for each group"))
    if results.get("memory"):
        entries = sorted(((name, value, value, value) for name, value in results["memory"].items()), key=lambda entry: entry[1])
        save("memory", bars("Memory of a session", "bytes of resident memory for each of 1,000 sessions that have said and heard "
                            "one message", [("echo", entries)]))
    shards = [group(case) for case in ("P8a", "P8b", "P8c", "P8d") if case in results["cases"]]
    shards = [entry for entry in shards if entry[1]]
    if shards:
        save("shards", bars("Two shards on one core", unit + " or send", shards, "a scale for each group"))
    return drawn
