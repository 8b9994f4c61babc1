"""What docs/deploy has for operators, asked of a Prometheus server that has scraped a hub. Part of metrics.py."""
import asyncio
import json
import math
import pathlib
import re
import subprocess
import sys
import time
import urllib.error

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from check_dashboard import ALERTS, DASHBOARD, alerts, queries  # noqa: E402

NOBODY_IS_PINGED = {"Round trip of pings"}  # clients are silent for less than a minute
# What talk, clients that do not read and messages that hold a loop have to show.
HAPPENS = {"Up", "Sessions", "Opened and closed", "Duration of handshakes", "From clients and published", "Deliveries", "Bytes", "Gathering",
           "Deliveries that wait", "Bytes in a queue", "Age of queues that stand still", "How busy", "How late", "What callbacks take",
           "Callbacks that are slow or throw", "Letters between loops", "By part", "Refused, by reason", "Subscriptions by topic",
           "Publications by topic"}


def check_configuration(judge, promtool):
    """That a Prometheus server takes it, and that each alert fires when it should and only then."""
    def run(*arguments, folder):
        done = subprocess.run([promtool, *arguments], cwd=folder, text=True, capture_output=True, check=False)
        return done.returncode == 0, (done.stdout + done.stderr)[:500]

    here = pathlib.Path(__file__).parent
    judge.check("promtool takes the configuration with its alerts", *run("check", "config", "prometheus.yml", folder=(ROOT / ALERTS).parent))
    judge.check("every alert fires where all is wrong, and none where all is well", *run("test", "rules", "alerts.yml", folder=here))
    untested = [name for name, _ in alerts((ROOT / ALERTS).read_text()) if f'"{name}"' not in (here / "alerts.yml").read_text()]
    judge.check("and each of them is in that test", not untested, untested)


class Answers:
    """What the server says now to each query, over the last seconds."""

    def __init__(self, prometheus, seconds):
        def answer(expression):
            for variable, value in (("$job", "hubbub"), ("$instance", ".*"), ("$__rate_interval", f"{seconds}s")):
                expression = expression.replace(variable, value)
            try:
                return prometheus.values(expression, now)
            except urllib.error.HTTPError as error:
                self.refused.append(f"{expression}: {error.read().decode()}")
                return []

        now = time.time()
        self.refused = []
        answer("sum by (le) (rate(up[$__rate_interval])")
        self.notices_mistakes = len(self.refused) == 1
        self.refused.clear()
        self.of_panels = [(title, answer(expression)) for title, expression in queries(json.loads((ROOT / DASHBOARD).read_text()))]
        # What is compared as a truth value is there whether it holds or not, unless its sides have different labels and never meet.
        self.of_alerts = [(name, answer(re.sub(r" (>|<|==) ", r" \1 bool ", expression)))
                          for name, expression in alerts((ROOT / ALERTS).read_text())]

    def panels_with(self, holds):
        return {title for title, values in self.of_panels if any(holds(value) for value in values)}

    def without_data(self):
        return {name for name, values in self.of_panels + self.of_alerts if not any(math.isfinite(value) for value in values)}


async def check_queries(judge, prometheus, operated, begun):
    """`begun`: from then on, on the monotonic clock, something has happened."""
    async with operated.stall(), operated.talk("lobby"), operated.sleep():
        deadline = time.monotonic() + 30
        while True:
            answers = await asyncio.to_thread(Answers, prometheus, int(time.monotonic() - begun))
            silent = HAPPENS - answers.panels_with(lambda value: value > 0)
            empty = answers.without_data() - NOBODY_IS_PINGED
            if answers.refused or not silent | empty or time.monotonic() > deadline:
                break
            await asyncio.sleep(0.5)
    judge.check("a query that is wrong is refused", answers.notices_mistakes)
    judge.check(f"Prometheus answers {len(answers.of_panels)} queries of the dashboard and {len(answers.of_alerts)} of alerts",
                not answers.refused, answers.refused)
    judge.check(f"every panel and alert has data, but {', '.join(NOBODY_IS_PINGED)}", not empty, empty)
    judge.check(f"{len(HAPPENS)} panels show what happens", not silent, silent)
