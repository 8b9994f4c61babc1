#!/usr/bin/env python3
"""docs/images/dashboard.py OPERATIONS_SERVER

Draws dashboard.svg: panels of docs/deploy/grafana-dashboard.json, of what a Prometheus server has scraped from a hub while 200 clients talk, and
for a while some of them do not read and messages of others hold a loop. OPERATIONS_SERVER is hubbub_operations_server of a build."""
import asyncio
import json
import math
import pathlib
import re
import sys
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/integration"), str(ROOT / "tools")]
from bench_lib.plots import Picture  # noqa: E402
from check_dashboard import DASHBOARD  # noqa: E402
from metrics import Crowd, Prometheus, get  # noqa: E402
from operated import Operated  # noqa: E402

SHOWN = ("Deliveries", "Deliveries that wait", "Age of queues that stand still", "How busy", "How late", "Callbacks that are slow or throw")
COLOURS = ("#2f81f7", "#d9772b", "#1f9d55", "#b560d4", "#d04f6b")
PHASE = 40  # seconds each: before, trouble, afterwards
WIDTH, HEIGHT, COLUMNS = 380, 190, 2


async def incident(operated):
    """Returns when the trouble began."""
    crowd = Crowd(operated, 200)
    await crowd.come()
    talk = asyncio.ensure_future(crowd.say(3 * PHASE, 20))
    await asyncio.sleep(PHASE)
    begun = time.time()
    async with operated.stall(), operated.sleep():
        await asyncio.sleep(PHASE)
    await talk
    await crowd.go()
    return begun


def series_of(prometheus, target, begin, end):
    """(legend, [(seconds, value)]) of those that were ever above zero, or of all if none was."""
    expression = target["expr"]
    for variable, value in (("$job", "hubbub"), ("$instance", ".*"), ("$__rate_interval", "5s")):
        expression = expression.replace(variable, value)
    query = urllib.parse.urlencode({"query": expression, "start": begin, "end": end, "step": 1})
    for series in json.loads(get(prometheus.port, f"/api/v1/query_range?{query}"))["data"]["result"]:
        labels = series["metric"] | {"instance": "hub"}
        points = [(at - begin, float(value)) for at, value in series["values"] if math.isfinite(float(value))]
        if any(value for _, value in points):
            yield re.sub(r"\{\{(\w+)\}\}", lambda name: labels.get(name[1], ""), target["legendFormat"]), points


def text_of(value, unit):
    if unit == "percentunit":
        return f"{100 * value:.3g} %"
    if unit == "s":
        return f"{1000 * value:.3g} ms" if value < 1 else f"{value:.3g} s"
    return f"{value:,.4g}" + ("/s" if unit == "cps" else "")


def draw(picture, panel, found, x, y, span):
    unit = panel["fieldConfig"]["defaults"]["unit"]
    left, right, top, bottom = x + 62, x + WIDTH - 14, y + 26, y + HEIGHT - 40
    most = max((value for _, points in found for _, value in points), default=0) or 1
    picture.text(x + 16, y + 12, panel["title"])
    for part in (0, 0.5, 1):
        height = bottom - part * (bottom - top)
        picture.line(left, height, right, height, "grid")
        picture.text(left - 6, height + 4, text_of(part * most, unit), "small", "end")
    for at in (PHASE, 2 * PHASE):  # the trouble is between these
        across = left + at / span * (right - left)
        picture.line(across, top, across, bottom, "axis")
    beside = left
    for (legend, points), colour in zip(found, COLOURS):
        picture.path([(left + at / span * (right - left), bottom - value / most * (bottom - top)) for at, value in points], colour, dots=False)
        picture.bar(beside, bottom + 12, 8, 8, colour)
        picture.text(beside + 12, bottom + 20, legend, "small")
        beside += 26 + 6 * len(legend)


async def main(program):
    operated = Operated(program)
    prometheus = Prometheus(operated.of_operators)
    try:
        await prometheus.ready()
        begun = await incident(operated) - PHASE
        span = 3 * PHASE
        panels = {panel["title"]: panel for panel in json.loads((ROOT / DASHBOARD).read_text())["panels"]}
        rows = math.ceil(len(SHOWN) / COLUMNS)
        picture = Picture(COLUMNS * WIDTH, 44 + rows * HEIGHT, "Clients that do not read, and messages that hold a loop, from 40 s to 80 s")
        for place, title in enumerate(SHOWN):
            found = [each for target in panels[title]["targets"] for each in series_of(prometheus, target, begun, begun + span)]
            draw(picture, panels[title], found, place % COLUMNS * WIDTH, 52 + place // COLUMNS * HEIGHT, span)
        picture.save(pathlib.Path(__file__).with_suffix(".svg"))
    finally:
        prometheus.end()
        operated.server.end()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    asyncio.run(main(pathlib.Path(sys.argv[1])))
