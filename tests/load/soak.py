#!/usr/bin/env python3
"""tests/load/soak.py BUILD_DIR [--minutes N] [--engine NAME] [--threads N] [--seed N]

Clients that come and go in every way there is, for long: they connect, stop in the middle of a request or of a frame, send, do not
read, end with a Close, with FIN or with a reset, at any moment. Beside them others do nothing wrong, and these may notice nothing;
in the end the server has its descriptors, its memory and its counters back. Once on a hub that echoes, once on one that broadcasts,
both at the same time. The last line is "N passed, N failed"."""
import argparse
import json
import pathlib
import random
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from processes import Judge, Process, Server, is_sanitized, raise_descriptor_limit  # noqa: E402
from raw_client import BINARY, CLOSE, PING, TEXT, RawClient, frame, request  # noqa: E402

MIB = 1024 * 1024
RESET = struct.pack("ii", 1, 0)  # SO_LINGER


class Churn(threading.Thread):
    """What a seed makes of up to `most` sockets, until the time is over. Actions are counted by name."""

    def __init__(self, port: int, seed: int, ends_at: float, says: bool, most=64, pause=0.002):
        super().__init__(daemon=True)
        self.port, self.ends_at, self.says, self.most, self.pause = port, ends_at, says, most, pause
        self.random = random.Random(seed)
        self.sockets = []
        self.counts = {}
        self.problem = None
        message = [self.message, self.many_messages, self.two_halves] if says else []
        self.actions = [self.ping, self.half_frame, self.fragment, self.close_frame, self.read, self.read, self.garbage, *message]
        self.ends = [self.fin, self.reset, self.half_close_and_fin, self.close_frame_and_fin]

    def run(self):
        try:
            while time.monotonic() < self.ends_at:
                self.step()
                if self.random.random() < 0.25:
                    time.sleep(self.pause)
        except Exception as problem:  # reported by who waits for us
            self.problem = problem
        for client in self.sockets:
            client.close()

    def step(self):
        if len(self.sockets) < self.most and self.random.random() < 0.3:
            return self.connect()
        if not self.sockets:
            return
        client = self.random.choice(self.sockets)
        action = self.random.choice(self.ends if self.random.random() < 0.25 else self.actions)
        self.counts[action.__name__] = self.counts.get(action.__name__, 0) + 1
        try:
            action(client)
        except BlockingIOError:
            pass  # it does not read: neither do we wait
        except OSError:
            self.forget(client)

    def connect(self):
        client = socket.socket()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.random.random() < 0.2:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", self.port))
        client.setblocking(False)
        self.sockets.append(client)
        whole = request(self.port)
        kind = self.random.choice(["nothing", "half", "whole", "whole", "whole", "frames", "frames", "garbage"])
        self.counts[f"request: {kind}"] = self.counts.get(f"request: {kind}", 0) + 1
        try:
            client.sendall({"nothing": b"", "half": whole[:self.random.randrange(1, len(whole))], "whole": whole,
                            "frames": whole + frame(PING, b"behind the request") * 3, "garbage": b"\x16\x03\x01\x00" * 50}[kind])
        except OSError:
            self.forget(client)

    def forget(self, client):
        client.close()
        self.sockets.remove(client)

    def payload(self):
        return self.random.randbytes(self.random.choice([0, 1, 100, 125, 126, 5000, 40000]))

    def ping(self, client):
        client.sendall(frame(PING, b"a ping"))

    def message(self, client):
        client.sendall(frame(BINARY, self.payload()))

    def many_messages(self, client):
        client.sendall(frame(BINARY, b"one of many") * 200)

    def two_halves(self, client):
        client.sendall(frame(TEXT, b"the first half", final=False) + frame(0, b" and the second"))

    def half_frame(self, client):
        """What else is sent may complete it; who may say nothing announces more than he will ever send."""
        whole = frame(BINARY, self.payload() if self.says else bytes(60000))
        # Without its whole header it would be another frame, by what comes behind it.
        client.sendall(whole[:self.random.randrange(1, len(whole)) if self.says else self.random.randrange(8, 20)])

    def fragment(self, client):
        client.sendall(frame(TEXT, b"a beginning", final=False))

    def garbage(self, client):
        client.sendall(b"\xff" * self.random.randrange(1, 40))

    def close_frame(self, client):
        client.sendall(frame(CLOSE, struct.pack("!H", 1000)))

    def read(self, client):
        if not client.recv(65536):
            self.forget(client)

    def fin(self, client):
        self.forget(client)

    def reset(self, client):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.forget(client)

    def half_close_and_fin(self, client):
        client.shutdown(socket.SHUT_WR)
        self.forget(client)

    def close_frame_and_fin(self, client):
        self.close_frame(client)
        self.forget(client)


class Echoes(threading.Thread):
    """Somebody who does nothing wrong, and wants his echo each time."""

    def __init__(self, port: int, ends_at: float):
        super().__init__(daemon=True)
        self.port, self.ends_at = port, ends_at
        self.echoes, self.problem = 0, None

    def run(self):
        try:
            clients = [RawClient(self.port) for _ in range(10)]
            while time.monotonic() < self.ends_at:
                for client in clients:
                    if not client.echoes():
                        raise AssertionError("another echo than was sent")
                    self.echoes += 1
                time.sleep(0.02)
            for client in clients:
                client.close()
        except Exception as problem:  # reported by who waits for us
            self.problem = problem


class Soak:
    def __init__(self, options):
        self.options = options
        self.seconds = options.minutes * 60
        self.load_server = options.build / "benchmarks/hubbub_load_server"
        self.load_generator = options.build / "benchmarks/hubbub_load_generator"
        self.judge = Judge()

    def server(self, mode):
        return Server([self.load_server, "--snapshot", "--mode", mode, "--engine", self.options.engine, "--threads",
                       self.options.threads, "--queue-bytes", 1 << 20])

    def soak(self):
        began = time.monotonic()
        ends_at = began + self.seconds
        with self.server("echo") as echo, self.server("broadcast") as broadcast:
            rest = {server: server.descriptors_at_rest() for server in (echo, broadcast)}
            churns = {server: [Churn(server.port, self.options.seed + i, ends_at, server is echo) for i in range(2)]
                      for server in (echo, broadcast)}
            echoes = Echoes(echo.port, ends_at)
            generate = [self.load_generator, "--port", broadcast.port, "--connections", 20, "--rate", 100, "--in-flight", 64,
                        "--warmup", 0, "--seconds", max(0.5, self.seconds - 1), "--verify", "--json"]
            with Process(generate) as generator:
                for thread in [*churns[echo], *churns[broadcast], echoes]:
                    thread.start()
                time.sleep(self.seconds / 5)  # what is kept for use has been made by then
                early = {server: server.resident_bytes() for server in rest}
                while time.monotonic() < ends_at:
                    time.sleep(min(60, max(0.05, ends_at - time.monotonic())))
                    if self.seconds > 120:
                        print(f"        {time.monotonic() - began:5.0f} s: " + ", ".join(
                            f"{name} {server.resident_bytes() / MIB:.2f} MiB, {server.descriptors()} descriptors"
                            for name, server in (("echo", echo), ("broadcast", broadcast))), flush=True)
                sums = json.loads(generator.line(60))
                code = generator.wait(10)
            for thread in [*churns[echo], *churns[broadcast], echoes]:
                thread.join(30)
            self.judge.check(f"{echoes.echoes:,} echoes while others came and went", not echoes.problem and not echoes.is_alive(),
                             f"{echoes.problem}")
            self.judge.check(f"{sums['deliveries']:,} deliveries of a broadcast while others came and went",
                             code == 0 and sums["wrong"] == 0 and sums["deliveries"] > 0, f"{sums}")
            for name, server in (("echo", echo), ("broadcast", broadcast)):
                self.look_at(name, server, churns[server], rest[server], early[server])

    def look_at(self, name, server, churns, descriptors, early):
        counts = {}
        for churn in churns:
            self.judge.check(f"{name}: the churn went on to its end", not churn.problem and not churn.is_alive(), f"{churn.problem}")
            for action, count in churn.counts.items():
                counts[action] = counts.get(action, 0) + count
        sums = server.snapshot_when(lambda snapshot: snapshot["sessions"] == 0 == snapshot["handshakes"], 30)
        end = time.monotonic() + 10
        while server.descriptors() != descriptors and time.monotonic() < end:
            time.sleep(0.05)
        self.judge.check(f"{name}: {sums['opened']:,} sessions came and went; descriptors and counters are back",
                         sums["opened"] == sums["closed"] > 0 and sums["sessions"] == 0 == sums["handshakes"]
                         and sums["callbacks_threw"] == 0 == sums["pending"] and server.descriptors() == descriptors,
                         f"{server.descriptors()} descriptors, {descriptors} at first; {sums}")
        late = server.resident_bytes()
        # A short run is over before the memory that is kept for use has been asked for.
        bound = 2 * MIB if self.seconds > 120 else 16 * MIB
        self.judge.check(f"{name}: resident {early / MIB:.2f} MiB early, {late / MIB:.2f} MiB at the end",
                         late <= early + bound or is_sanitized(self.load_server))
        self.judge.check(f"{name}: ended well", server.end() == 0)
        print(f"        {name}: " + ", ".join(f"{action} {count:,}" for action, count in sorted(counts.items())), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path, metavar="BUILD_DIR")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--engine", default="automatic")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    soak = Soak(parser.parse_args())
    for program in (soak.load_server, soak.load_generator):
        if not program.exists():
            sys.exit(f"there is no {program}: build it first")
    raise_descriptor_limit()
    soak.soak()
    return soak.judge.sum_up()


if __name__ == "__main__":
    sys.exit(main())
