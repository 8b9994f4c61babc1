#!/usr/bin/env python3
"""tests/load/operated_cost.py OPERATIONS_SERVER LOAD_GENERATOR [--pairs N] [--seconds N]

What it costs to be watched: processor time of a server for each delivery of a broadcast to 1,000, with a server for its operators, a
watcher of its live page and a Prometheus that reads its metrics each second, over the same server without any of that. Pairs are
interleaved; run it while the machine does nothing else. It prints each pair and the median of their ratios, and judges nothing."""
import argparse
import contextlib
import json
import pathlib
import socket
import statistics
import subprocess
import sys
import threading
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from processes import Server, raise_descriptor_limit  # noqa: E402
from raw_client import RawClient  # noqa: E402


def watched(port):
    """Somebody looks at the page, and Prometheus reads the metrics."""
    page = RawClient(port)
    over = threading.Event()

    def read_page():
        with contextlib.suppress(OSError):
            while page.socket.recv(1 << 16):
                pass

    def read_metrics():
        while not over.wait(1):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                answer.read()

    threads = [threading.Thread(target=each) for each in (read_page, read_metrics)]
    for thread in threads:
        thread.start()

    def stop():
        over.set()
        page.socket.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()
        page.close()

    return stop


def cost(options, is_watched, in_flight):
    """Microseconds of the server for a delivery."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(Server([options.server, "--threads", 1, *([] if is_watched else ["--operators", "none"])]))
        if is_watched:
            stack.callback(watched(int(server.line().rpartition(":")[2])))
        done = subprocess.run([options.generator, "--mode", "broadcast", "--connections", "1000", "--in-flight", str(in_flight),
                               "--seconds", str(options.seconds), "--warmup", "0.5", "--port", str(server.port),
                               "--server-pid", str(server.pid), "--json"], capture_output=True, text=True, timeout=60 + options.seconds)
        if done.returncode:
            sys.exit(f"{done.stdout}{done.stderr}")
        return json.loads(done.stdout)["server_us_per_delivery"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server", type=pathlib.Path)
    parser.add_argument("generator", type=pathlib.Path)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    raise_descriptor_limit()
    for in_flight in (1, 16):
        ratios = []
        for _ in range(options.pairs):
            alone, operated = cost(options, False, in_flight), cost(options, True, in_flight)
            ratios.append(operated / alone)
            print(f"{in_flight:>2} in flight: {alone:.3f} us alone, {operated:.3f} us operated, {ratios[-1]:.3f}", flush=True)
        print(f"{in_flight:>2} in flight: median {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})", flush=True)


if __name__ == "__main__":
    main()
