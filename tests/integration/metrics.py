"""metrics.py OPERATIONS_SERVER [--clients N] [--seconds N]
What /metrics says is what clients count themselves: exactly at a quiet moment, and as a Prometheus server reckons rates. What the dashboard
and the alerts of docs/deploy ask, a Prometheus server answers. The last line is "N passed, N failed".

For long:  metrics.py build/clang/tests/hubbub_operations_server --clients 1000 --seconds 120
"""
import argparse
import asyncio
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

import websockets

from dashboard_queries import check_configuration, check_queries
from operated import Operated
from processes import Judge, free_port, raise_descriptor_limit

SYSTEM = "/usr/bin:/usr/local/bin:/usr/sbin"
judge = Judge()


def get(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return answer.read().decode()


class Scrape:
    """Samples by name; of several with the same name the sum of those that have these labels."""

    def __init__(self, text):
        self.samples = re.findall(r"^(\w+)(?:\{(.*)\})? (\S+)$", text, re.M)

    def sum(self, name, *labels):
        return sum(float(value) for each, has, value in self.samples if each == name and all(label in has for label in labels))


class Crowd:
    """Clients that count what they send and hear. Some stand still for a while, some are refused."""

    def __init__(self, operated, count):
        self.operated, self.count = operated, count
        self.clients, self.tasks = [], []
        self.heard = self.sent = self.refused = self.stalled = 0
        self.may_read = asyncio.Event()

    async def come(self):
        gate = asyncio.Semaphore(50)

        async def connect(number):
            async with gate:
                client = await websockets.connect(f"ws://127.0.0.1:{self.operated.port}/", max_queue=None, ping_interval=None,
                                                  extra_headers={"X-User": f"user {number}"})
                self.clients.append(client)

        await asyncio.gather(*(connect(number) for number in range(self.count)))
        self.may_read.set()
        self.tasks = [asyncio.ensure_future(self.listen(client)) for client in self.clients]

    async def listen(self, client):
        async for _ in client:
            self.heard += 1
            await self.may_read.wait()

    async def be_refused(self, count):
        """Requests that are no handshakes, which are counted as malformed."""
        for _ in range(count):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.operated.port)
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n")
            self.refused += (await reader.readline()).split()[1] != b"101"
            writer.close()

    async def say(self, seconds, rate):
        """At that rate, measured from the beginning, so that it is exact whatever a single pause takes."""
        begun = time.monotonic()
        for number in range(int(seconds * rate)):
            await self.clients[number % 10].send(f"lobby {number}")
            self.sent += 1
            await asyncio.sleep(max(0.0, begun + (number + 1) / rate - time.monotonic()))
        return begun, time.monotonic()

    async def stand_still(self):
        """All read nothing for a second."""
        self.may_read.clear()
        self.stalled += len(self.clients)
        await asyncio.sleep(1)
        self.may_read.set()

    async def be_quiet(self):
        """Until nothing more comes."""
        before = -1
        while before != self.heard:
            before = self.heard
            await asyncio.sleep(0.5)

    async def go(self):
        for client in self.clients:
            await client.close()
        await asyncio.gather(*self.tasks, return_exceptions=True)


class Prometheus:
    """A real one, that scrapes each second."""

    def __init__(self, of_operators):
        self.folder = tempfile.TemporaryDirectory()
        self.port = free_port()
        config = pathlib.Path(self.folder.name) / "prometheus.yml"
        config.write_text("global: {scrape_interval: 1s}\nscrape_configs:\n  - job_name: hubbub\n    static_configs:\n"
                          f"      - targets: ['127.0.0.1:{of_operators}']\n")
        self.process = subprocess.Popen(
            [shutil.which("prometheus", path=SYSTEM), f"--config.file={config}", f"--storage.tsdb.path={self.folder.name}/data",
             f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=error"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def values(self, expression, at):
        """Of all series. Raises urllib.error.HTTPError if that is no expression."""
        query = urllib.parse.urlencode({"query": expression, "time": at})
        return [float(series["value"][1]) for series in json.loads(get(self.port, f"/api/v1/query?{query}"))["data"]["result"]]

    def ask(self, expression, at):
        return next(iter(self.values(expression, at)), None)

    async def ready(self):
        for _ in range(200):
            try:
                if self.ask("up", time.time()) == 1:
                    return True
            except OSError:
                pass
            await asyncio.sleep(0.1)
        return False

    def end(self):
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()


def check_names(text):
    promtool = shutil.which("promtool", path=SYSTEM)
    if not promtool:
        return print("left out: promtool is not installed")
    done = subprocess.run([promtool, "check", "metrics"], input=text, text=True, capture_output=True, check=False)
    judge.check("promtool has nothing to say about the names", done.returncode == 0 and not done.stdout + done.stderr,
                (done.stdout + done.stderr)[:500])
    broken = subprocess.run([promtool, "check", "metrics"], input=text.replace("_total", ""), text=True, capture_output=True, check=False)
    judge.check("and it would have", bool(broken.stdout + broken.stderr))
    check_configuration(judge, promtool)


def check_sums(scrape, crowd, closed=0):
    deliveries = crowd.sent * crowd.count
    dropped = scrape.sum("hubbub_deliveries_dropped_total")
    for what, is_so, wanted in (
            ("messages that clients have sent", scrape.sum("hubbub_messages_received_total"), crowd.sent),
            ("publications", scrape.sum("hubbub_publications_total"), crowd.sent),
            ("deliveries", scrape.sum("hubbub_deliveries_total"), deliveries),
            ("messages that clients have heard", scrape.sum("hubbub_deliveries_written_total"), crowd.heard),
            ("what is lost", scrape.sum("hubbub_deliveries_dropped_total"), deliveries - crowd.heard),
            ("what is queued", scrape.sum("hubbub_deliveries_pending"), 0),
            ("the accounting", scrape.sum("hubbub_deliveries_written_total") + dropped, deliveries),
            ("sessions", scrape.sum("hubbub_sessions"), crowd.count - closed),
            ("sessions that opened", scrape.sum("hubbub_sessions_opened_total"), crowd.count),
            ("sessions that ended", scrape.sum("hubbub_sessions_closed_total", 'code="1000"', 'by="peer"'), closed),
            ("connections that were refused", scrape.sum("hubbub_connections_refused_total", 'reason="malformed"'), crowd.refused),
            ("subscriptions", scrape.sum("hubbub_subscriptions"), crowd.count - closed),
            ("handshakes", scrape.sum("hubbub_handshake_duration_seconds_count"), crowd.count)):
        judge.check(f"{what}: {is_so:g}", is_so == wanted, f"clients counted {wanted}")


async def main(options):
    operated = Operated(options.program)
    prometheus = Prometheus(operated.of_operators) if shutil.which("prometheus", path=SYSTEM) else None
    crowd = Crowd(operated, options.clients)
    try:
        judge.check("Prometheus reads the page", prometheus is None or await prometheus.ready())
        await crowd.come()
        talk = asyncio.ensure_future(crowd.say(options.seconds, options.rate))
        await asyncio.sleep(options.seconds / 3)
        await crowd.be_refused(10)
        await crowd.stand_still()
        begun, ended = await talk
        if prometheus:
            window = int(ended - begun) - 2
            rate = prometheus.ask(f"rate(hubbub_messages_received_total[{window}s])", time.time() - 0.5) or 0
            allowed = 0.01 if options.seconds >= 60 else 0.25  # a sample more or less, and a pause of the machine, are much of a short time
            judge.check(f"Prometheus reckons {rate:.2f} messages a second of {options.rate}", abs(rate / options.rate - 1) <= allowed)
        await crowd.be_quiet()
        text = get(operated.of_operators, "/metrics")
        check_names(text)
        check_sums(Scrape(text), crowd)
        await crowd.go()
        for _ in range(50):
            scrape = Scrape(get(operated.of_operators, "/metrics"))
            if scrape.sum("hubbub_sessions") == 0:
                break
            await asyncio.sleep(0.1)
        check_sums(scrape, crowd, closed=options.clients)
        if prometheus:
            await check_queries(judge, prometheus, operated, begun)
    finally:
        if prometheus:
            prometheus.end()
        else:
            print("left out: prometheus is not installed")
        operated.server.end()
    return judge.sum_up()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rate", type=float, default=10)
    raise_descriptor_limit()
    sys.exit(asyncio.run(main(parser.parse_args())))
