"""Writes docs/benchmarks.md from results. What stands between the markers of the page is kept, because it is written by hand."""
import re
import statistics

from . import plots
from .cases import CASES, GROWTH, MOST_OF_UWEBSOCKETS, QUICK, TURN
from .servers import PEERS

START = """Ratios of one run, with the whole hub on: registry, topics, bounded queues, accounting and heartbeats. `limit` is a server over
epoll, written by hand, which does nothing else; `ring` is the same over io_uring. Both say where the floor is. The peers are
programs of ours on other libraries, each in the design that its documentation or its examples recommend; their sources are in
[benchmarks](../benchmarks/README.md#benchmarks)."""

BY_HAND = """## Method

- The figure is CPU time of the server per delivery, the kernel included, from the scheduler's nanoseconds of all its threads, over
  a window at whose edges nothing is outstanding. Time on the clock says little where both sides share a machine.
- Server and generator are pinned to a core each. Repetitions are interleaved (A B C A B C ...), so that what disturbs the machine
  for a while disturbs all. Shown are the median, the least and the most.
- Waking a receiver that sleeps is charged to the sender: compare servers at which the generator's share is alike. It is in the
  results, `benchmarks/results/latest.json`, with every repetition.
- Nothing may be lost in any run: a count that is wrong fails it. Before the first run each server has to deliver every message in
  its order and with its content, and to end at SIGTERM.
- Latency is each receiver's own, from a time in the payload. At a fixed rate that is the time at which the message was due, not the
  one at which it was sent: a server that holds its publisher back pays for what waits. The generator does not sleep there. The rate
  is half of what the limit server manages with one message in flight. Clients that stall never read, and their buffers are filled
  before the window begins.
- Resident memory is what the process grew by for each of 1,000 sessions, so it has the allocator's rounding in it. The limit
  server has made its room before.

What is not alike among the peers: gorilla's design drops a client whose 256 slots are full, and runs on one core here, as all do;
the ring of libwebsockets drops a message that finds no room; Node's `ws` and Go have a collector, whose work is in the figures; nobody
compresses. uWebSockets is built with the flags of its own Makefile, the others with those above. centrifuge has a
transport of ours, because its clients speak a protocol of their own: what comes in is published as it is, and only the data goes out.

## Costs

[Costs](costs.md) has what each operation of the hub costs.

## Past one machine

To be written."""

BEGIN, END = "<!-- by hand: begin -->", "<!-- by hand: end -->"
OURS = ("hubbub epoll", "hubbub asio", "hubbub uring")
REFERENCES = ("limit", "ring")


def figures_of(runs, figure="server_us_per_delivery"):
    return plots.of(runs, figure)


def text_of(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def is_peer(name):
    return name not in OURS and name not in REFERENCES


def better_peers(results):
    """A sentence for each figure where a peer is better than one of our engines."""
    found = []
    for case in [*QUICK, *(name for name in GROWTH.values() if name not in QUICK)]:
        runs = results["cases"].get(case, {})
        for mine in OURS:
            if not runs.get(mine):
                continue
            own = figures_of(runs[mine])[0]
            for name in filter(is_peer, runs):
                if runs[name] and (theirs := figures_of(runs[name])[0]) < own:
                    found.append(f"{name} at {CASES[case].title} ({text_of(theirs)} us, {mine} {text_of(own)})")
    for kind, what in (("memory", "memory of a session"),):
        figures = results.get(kind) or {}
        for mine in OURS:
            for name in filter(is_peer, figures):
                if mine in figures and figures[name] < figures[mine]:
                    found.append(f"{name} at {what} ({figures[name]:,.0f} bytes, {mine} {figures[mine]:,.0f})")
    for mine in OURS:
        for name in filter(is_peer, results.get("turns") or {}):
            for own, theirs in zip(results["turns"].get(mine, []), results["turns"][name]):
                if theirs["calls_per_subscriber_and_turn"] < own["calls_per_subscriber_and_turn"]:
                    found.append(f"{name} at {own['messages']:,} messages in one turn ({theirs['calls_per_subscriber_and_turn']:.2f} "
                                 f"system calls a subscriber, {mine} {own['calls_per_subscriber_and_turn']:.2f})")
    return found


def table(head, rows):
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *("| " + " | ".join(row) + " |" for row in rows)])


def cost_tables(results):
    """CPU a delivery, and its ratio to the limit server."""
    cases = [case for case in [*QUICK, *(name for name in GROWTH.values() if name not in QUICK)] if results["cases"].get(case)]
    if not cases:
        return []
    names = list(dict.fromkeys(name for case in cases for name in results["cases"][case]))
    rows, ratios = [], []
    for case in cases:
        runs = results["cases"][case]
        cells, over = [], []
        for name in names:
            if not runs.get(name):
                cells.append("")
                over.append("")
                continue
            middle, least, most = figures_of(runs[name])
            cells.append(f"{text_of(middle)} ({text_of(least)} to {text_of(most)})")
            if not runs.get("limit"):
                over.append("")
            elif len(runs[name]) == len(runs["limit"]):
                pairs = [a["server_us_per_delivery"] / b["server_us_per_delivery"] for a, b in zip(runs[name], runs["limit"])]
                over.append(f"{statistics.median(pairs):.2f} ({min(pairs):.2f} to {max(pairs):.2f})")
            else:
                over.append(f"{middle / figures_of(runs['limit'])[0]:.2f}")
        rows.append([f"{CASES[case].row}: {CASES[case].title}", *cells])
        ratios.append([f"{CASES[case].row}: {CASES[case].title}", *over])
    # A server a row reads better than twelve columns.
    def turned(rows):
        return [[name, *(row[i + 1] for row in rows)] for i, name in enumerate(names)]
    head = ["", *(row[0] for row in rows)]
    return ["## What a delivery costs", "", "Microseconds of the server's CPU for each delivery (P5: for each handshake); median (least to "
            "most).", "", table(head, turned(rows)), "", "Over the limit server, as the median of pairs of neighbours (least to most):", "",
            table(head, turned(ratios)), ""]


def bars_table(results):
    rows = []
    for case in QUICK:
        runs = results["cases"].get(case, {})
        uwebsockets = runs.get(PEERS["uws"].title)
        for name in OURS:
            if not runs.get(name):
                continue
            for other, what, bar in ((runs.get("limit"), "the limit server", CASES[case].bars.get(name)),
                                     (uwebsockets, "uWebSockets", MOST_OF_UWEBSOCKETS.get(name, {}).get(case))):
                if not other or bar is None or len(other) != len(runs[name]):
                    continue
                ratio = statistics.median(a["server_us_per_delivery"] / b["server_us_per_delivery"] for a, b in zip(runs[name], other))
                rows.append([CASES[case].row, CASES[case].title, name, what, f"{ratio:.3f}", f"{bar:g}", "" if ratio <= bar else "missed"])
    if not rows:
        return []
    return ["## Bars", "", table(["row", "case", "server", "over", "ratio", "at most", ""], rows), ""]


def latency_tables(results):
    latency = results.get("latency")
    if not latency:
        return []
    lines = ["## Latency", "", "Microseconds to each of 1,000 receivers, medians of the repetitions; `sent late` is how late the generator "
             "itself was (p99), which is in the other figures.", ""]
    for key, title in (("closed", "One message in flight"), ("stalled 0", f"{latency['rate']} messages a second"),
                       ("stalled 10", f"{latency['rate']} messages a second, 10 more clients stall")):
        rows = []
        for name, runs in latency.get(key, {}).items():
            if not runs:
                continue
            worst = figures_of(runs, "latency_us.p999")
            late = figures_of(runs, "sent_late_us.p99")[0] if key != "closed" else None
            rows.append([name, *(text_of(figures_of(runs, f"latency_us.{part}")[0]) for part in ("p50", "p99")),
                         f"{text_of(worst[0])} ({text_of(worst[1])} to {text_of(worst[2])})", text_of(figures_of(runs, "latency_us.max")[0]),
                         "" if late is None else text_of(late)])
        if rows:
            lines += [f"{title}:", "", table(["", "p50", "p99", "p99.9", "most", "sent late"], rows), ""]
    return lines


def other_tables(results):
    lines = []
    if results.get("memory"):
        lines += ["## Memory", "", table(["", "resident bytes of a session"], [[name, f"{value:,.0f}"] for name, value in
                                                                        sorted(results["memory"].items(), key=lambda item: item[1])]), ""]
    if results.get("turns"):
        lines += ["## Many messages in one turn", "", "System calls that write, for each subscriber, when so many messages are published "
                  "in one turn of the loop:", "",
                  table(["", *(f"{count:,}" for count in TURN)],
                        [[name, *(f"{row['calls_per_subscriber_and_turn']:.2f}" for row in rows)] for name, rows in results["turns"].items()]), ""]
    for heading, cases, reference, other in (("Shards", ("P8a", "P8b", "P8d"), "1 shard", "2 shards"),
                                             ("Topics that remember", ("P16a", "P16b"), "no history", "history")):
        rows = []
        for case in cases:
            runs, figure = results["cases"].get(case) or {}, CASES[case].figure
            if not runs or not all(runs.values()):
                continue
            pairs = [a[figure] / b[figure] for a, b in zip(runs[other], runs[reference])]
            rows.append([CASES[case].title, f"{statistics.median(pairs):.2f} ({min(pairs):.2f} to {max(pairs):.2f})",
                         f"{CASES[case].bars[other]:g}"])
        if rows:
            lines += [f"## {heading}", "", table(["", "ratio", "at most"], rows), ""]
    over = [case for case in ("P15a", "P15b") if results["cases"].get(case, {}).get("tuned")]
    if over:
        rows = []
        for case in over:
            runs = results["cases"][case]
            for name in ("hosted", "adopted", "naive"):
                if runs.get(name) and len(runs[name]) == len(runs["tuned"]):
                    pairs = [a["server_us_per_delivery"] / b["server_us_per_delivery"] for a, b in zip(runs[name], runs["tuned"])]
                    rows.append([CASES[case].title.removeprefix("over websocketpp: "), name,
                                 f"{statistics.median(pairs):.2f} ({min(pairs):.2f} to {max(pairs):.2f})", f"{CASES[case].bars.get(name, '')}"])
        lines += ["## Over websocketpp", "", "Over its tuned server:", "", table(["", "", "ratio", "at most"], rows), ""]
    if results.get("alone"):
        lines += ["## The hub alone", "", table(["row", "what", "figure", "at most"],
                  [[figure["row"], figure["what"], f"{figure['figure']:.2f} {figure['unit']}",
                    "" if figure["bar"] is None else f"{figure['bar']:g}"] for figure in results["alone"]]), ""]
    return lines


def page(results, images, by_hand):
    better = better_peers(results)
    peers = sorted({name for case in QUICK for name, runs in results["cases"].get(case, {}).items() if runs and is_peer(name)})
    if better:
        first = "Where a peer is better than the hub, in this run: " + "; ".join(better) + "."
    elif peers:
        first = f"In this run no peer was better than the hub at any figure; there were {', '.join(peers)}."
    else:
        first = "In this run there was no peer to compare with."
    about, options = results["machine"], results["options"]
    lines = ["# Benchmarks", "", first, "", START, "",
             f"Measured on {about['cpu']}, {about['cores']} cores, Linux {about['kernel']}, {about['compiler']}, `{about['flags']}`, "
             f"{options['payload']} bytes a message:", "",
             table(["rows", "command", "repetitions", "code", "date"],
                   [[", ".join(part["rows"]), f"`{' '.join(part['command'])}`", f"{part['options']['repetitions']} of "
                     f"{part['options']['seconds']} s", part["commit"], part["date"]] for part in results["parts"]]), ""]
    for part in results["parts"]:
        if (part.get("others_busy") or 0) > 0.1:
            lines += [f"**The machine was not quiet at {', '.join(part['rows'])}: others used {100 * part['others_busy']:.0f} % of a "
                      "core.**", ""]
    if results.get("left_out"):
        reasons = {name: re.sub(r" on port \d+", "", " ".join(reason.split())) for name, reason in results["left_out"].items()}
        lines += ["Left out: " + "; ".join(f"{name} ({reason})" for name, reason in reasons.items()) + ".", ""]
    pictures = {path.stem.removeprefix("benchmark_"): path.name for path in images}

    def picture(name, what):
        return [f"![{what}](images/{pictures[name]})", ""] if name in pictures else []

    parts = cost_tables(results)
    lines += picture("cpu", "What a delivery costs, by server and case") + parts
    if "growth" in pictures:
        lines += ["## Growth", "", *picture("growth", "Cost of a delivery by the number of subscribers")]
        if results.get("growth"):
            lines += ["A delivery among 10,000 over one among 1,000, in the same window:", "",
                      table(["", "ratio", "over the limit server's"], [[name, f"{value:.2f}", f"{value / results['growth']['limit']:.2f}"]
                                                                       for name, value in results["growth"].items()]), ""]
    latency = latency_tables(results)
    lines += latency[:2] + (picture("latency", "Latency with and without clients that stall") if latency else []) + latency[2:]
    others = other_tables(results)
    for name, heading, what in (("memory", "## Memory", "Memory of a session"), ("shards", "## Shards", "Two shards over one")):
        if heading in others and name in pictures:
            others[others.index(heading) + 2:others.index(heading) + 2] = picture(name, what)
    lines += others + bars_table(results)
    return "\n".join([*lines, BEGIN, "", by_hand, "", END, ""])


def write(results, root):
    """The page and its plots. Says what it wrote."""
    path = root / "docs/benchmarks.md"
    kept = BY_HAND
    if path.exists() and (found := re.search(re.escape(BEGIN) + r"\n(.*)\n" + re.escape(END), path.read_text(), re.DOTALL)):
        kept = found[1].strip("\n")
    for old in (root / "docs/images").glob("benchmark_*.svg"):
        old.unlink()
    images = plots.draw(results, root / "docs/images/benchmark")
    path.write_text(page(results, images, kept))
    print(f"wrote {path.relative_to(root)} and {len(images)} plots in docs/images/")
