#!/usr/bin/env python3
"""tests/load/budget.py BUILD_DIR [--seconds N] [--quick]

Many hostile clients beside few honest ones, on a server with a budget: half of the hostile ones let themselves be answered and read
nothing, the others begin messages that they never end, or send bombs. What the server keeps stays within its budget and a fifth, and
the honest ones lose nothing and are not made to wait for long (medians of interleaved pairs, without --quick).
The last line is "N passed, N failed"."""
import argparse
import contextlib
import json
import pathlib
import selectors
import socket
import statistics
import subprocess
import sys
import threading
import time
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from processes import Failure, Judge, Process, Server, is_sanitized, raise_descriptor_limit  # noqa: E402
from raw_client import BINARY, frame, request  # noqa: E402

MIB = 1024 * 1024
ANSWERED = frame(BINARY, b"x" * 60000)
ENDLESS = frame(BINARY, b"x" * 65536)[:-1]
DEFLATED = zlib.compressobj(9, zlib.DEFLATED, -15)
BOMB_BODY = (DEFLATED.compress(bytes(40 * MIB)) + DEFLATED.flush(zlib.Z_SYNC_FLUSH))[:-4]
BOMB = bytearray(frame(BINARY, BOMB_BODY))
BOMB[0] |= 0x40  # RSV1


def hostile(port: int, count: int, seconds: float):
    """Runs in a process of its own. Who is closed or refused comes again."""
    raise_descriptor_limit()
    loop = selectors.DefaultSelector()
    end = time.monotonic() + seconds
    sent = {"stalled": 0, "endless": 0, "bomb": 0, "closed": 0}

    def come(kind):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        client.connect_ex(("127.0.0.1", port))
        extension = ["Sec-WebSocket-Extensions: permessage-deflate"] if kind == "bomb" else []
        what = {"stalled": ANSWERED, "endless": ENDLESS, "bomb": bytes(BOMB)}[kind]
        loop.register(client, selectors.EVENT_WRITE, [kind, request(port, *extension) + what, 0])

    for i in range(count):
        come("stalled" if i % 2 else "endless" if i % 4 else "bomb")
    while time.monotonic() < end:
        for key, _ in loop.select(0.1):
            client, (kind, data, at) = key.fileobj, key.data
            try:
                if at < len(data):
                    key.data[2] += client.send(data[at:at + 65536])
                elif kind == "stalled":  # the next one to be answered, for as long as it is read
                    sent[kind] += 1
                    key.data[1], key.data[2] = ANSWERED, 0
                else:
                    sent[kind] += 1
                    loop.modify(client, selectors.EVENT_READ, key.data)
                    key.data[2] = len(data) + 1
                    if at > len(data) and not client.recv(65536):
                        raise ConnectionResetError
            except BlockingIOError:
                pass
            except OSError:
                sent["closed"] += 1
                loop.unregister(client)
                client.close()
                come(kind)
    print(json.dumps(sent), flush=True)


class Peak(threading.Thread):
    """The most that a server has resident, looked at often."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.over, self.most = server, threading.Event(), 0

    def run(self):
        while not self.over.wait(0.02):
            try:
                self.most = max(self.most, self.server.resident_bytes())
            except OSError:
                return

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


class Budget:
    def __init__(self, options):
        self.options = options
        self.judge = Judge()
        self.load_server = options.build / "benchmarks/hubbub_load_server"
        self.generator = options.build / "benchmarks/hubbub_load_generator"

    def honest(self, server, seconds, meanwhile=None) -> dict:
        command = [self.generator, "--port", server.port, "--mode", "echo", "--connections", self.options.honest, "--in-flight", 1,
                   "--seconds", seconds, "--warmup", 0.2, "--verify", "--latency", "--json", "--timeout", 20]
        with Process(command) as generator:
            if meanwhile:
                meanwhile()
            sums = json.loads(generator.line(seconds + 60))
            sums["code"] = generator.wait(10)
        return sums

    def server(self):
        return Server([self.load_server, "--snapshot", "--mode", "echo", "--memory", self.options.budget, "--deflate", "--queue-bytes", 4 * MIB,
                       "--write-limit", 900_000, "--message-limit", 900_000])

    def attacked(self, seconds) -> dict:
        """The honest ones' sums, and the server's, under attack."""
        with self.server() as server, contextlib.ExitStack() as attack:
            def begin():
                # Who is there already stays: nobody new is let in while memory is short, and the honest ones are not told from the others.
                server.snapshot_when(lambda sums: sums["sessions"] == self.options.honest, 20)
                attack.enter_context(Process([sys.executable, __file__, "--hostile", server.port, self.options.hostile, seconds + 1]))
            # The idle server is another one: this one is never idle.
            with Peak(server) as peak:
                sums = self.honest(server, seconds, begin)
            snapshot = server.snapshot()
            attack.close()
            server.snapshot_when(lambda sums: sums["sessions"] == 0 == sums["handshakes"], 20)
            code = server.end(12)
        return {"honest": sums, "hub": snapshot, "peak": peak.most, "code": code}

    def quiet(self, seconds) -> dict:
        with self.server() as server:
            self.honest(server, 0.5)
            sums = self.honest(server, seconds)
            idle = server.resident_bytes()
            server.end(12)
        return {"honest": sums, "idle": idle}

    def run(self):
        quiet = self.quiet(min(5, self.options.seconds))
        run = self.attacked(self.options.seconds)
        honest, hub = run["honest"], run["hub"]
        self.judge.check(f"{self.options.hostile} hostile clients for {self.options.seconds:g} s: {honest['deliveries']:,} echoes of the honest ones, none "
                         f"lost; {hub['shed']:,} sessions shed", honest["code"] == 0 and honest["wrong"] == 0 == honest["lost_connections"]
                         and honest["deliveries"] > 0 and hub["shed"] > 0 and run["code"] == 0, f"{run}")
        growth = run["peak"] - quiet["idle"]
        self.judge.check(f"resident {quiet['idle'] / MIB:.1f} MiB idle, {run['peak'] / MIB:.1f} MiB at most: {growth / self.options.budget:.2f} of the "
                         "budget", growth <= 1.2 * self.options.budget or is_sanitized(self.load_server))
        if self.options.quick:
            return
        pairs = []
        for _ in range(5):
            pairs.append((self.quiet(5)["honest"]["latency_us"]["p99"], self.attacked(5)["honest"]["latency_us"]["p99"]))
        without, under = (statistics.median(pair[i] for pair in pairs) for i in (0, 1))
        self.judge.check(f"p99 of the honest ones {under:.0f} us under attack, {without:.0f} us without: {under / without:.2f} "
                         f"(pairs {' '.join(f'{b / a:.2f}' for a, b in pairs)})", under <= 3 * without)


def main() -> int:
    if sys.argv[1] == "--hostile":
        hostile(int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path, metavar="BUILD_DIR")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--hostile", type=int, default=1000)
    parser.add_argument("--honest", type=int, default=100)
    parser.add_argument("--budget", type=int, default=64 * MIB, help="bytes")
    parser.add_argument("--quick", action="store_true", help="only what is right or wrong, with fewer of all")
    options = parser.parse_args()
    if options.quick:
        options.seconds, options.hostile, options.honest = 3, 200, 20
        options.budget = 32 * MIB  # so much that what the server needs for itself when it is busy first counts little
    raise_descriptor_limit()
    budget = Budget(options)
    try:
        budget.run()
    except (Failure, OSError, ValueError, subprocess.SubprocessError) as problem:
        budget.judge.check("the run", False, f"{type(problem).__name__}: {problem}")
    return budget.judge.sum_up()


if __name__ == "__main__":
    sys.exit(main())
