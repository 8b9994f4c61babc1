#!/usr/bin/env python3
"""tests/load/load_bars.py BUILD_DIR [--seconds N] [--bar 4|5] [--quick]

What the load server keeps to under load, seen from outside; run it while the machine does nothing else.
  4  of 1,000 clients 100 do not read for a minute, under each overflow policy: what all clients received is to the message what
     the server says, its memory does not grow, and the latency of the others stays what it is when nobody stalls
  5  19,000 sessions for a minute, each of them pinged: none is lost. Connect and close at full rate for a minute: descriptors,
     memory and counters come back
--quick: a few seconds, smaller numbers, both engines; only what is right or wrong, nothing that depends on the machine.
The last line is "N passed, N failed"."""
import argparse
import json
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from processes import Failure, Judge, Process, Server, is_sanitized, raise_descriptor_limit, speaks  # noqa: E402

POLICIES = ["disconnect", "drop-newest", "drop-oldest", "latest-per-key"]
MIB = 1024 * 1024
FOREVER = ["--silence", 900_000, "--write-limit", 900_000, "--close-limit", 900_000]  # who stalls is not ended for that


class Bars:
    def __init__(self, options):
        self.server = options.build / "benchmarks/hubbub_load_server"
        self.generator = options.build / "benchmarks/hubbub_load_generator"
        self.seconds = options.seconds
        self.quick = options.quick
        self.engine = ["--engine", options.engine, "--threads", options.threads, "--transport", options.transport]
        self.judge = Judge()
        self.most_clients = raise_descriptor_limit() - 100

    def generate(self, server, *arguments, meanwhile=None, seconds=60.0) -> dict:
        """Runs the generator to its end; its sums."""
        command = [self.generator, "--port", server.port, "--server-pid", server.pid, "--json", *arguments]
        with Process(command) as generator:
            if meanwhile:
                meanwhile()
            sums = json.loads(generator.line(seconds + 120))
            sums["code"] = generator.wait(10)
            return sums

    def clients(self, wanted: int) -> int:
        if wanted > self.most_clients:
            print(f"        only {self.most_clients} clients instead of {wanted}: the limit of descriptors is too low; raise `ulimit -n`")
        return min(wanted, self.most_clients)

    # ---- bar 4

    def account(self, policy: str, stalled: int, seconds: float, engine, load) -> dict:
        """One run with its own server; the sums must match in any case."""
        command = [self.server, "--snapshot", "--mode", "broadcast", "--overflow", policy, *engine, "--queue-bytes", load["queue"],
                   "--send-buffer", load["send_buffer"], "--ping-after", max(500, int(seconds * 250)), *FOREVER]
        with Server(command) as server:
            sums = self.generate(server, "--mode", "account", "--connections", load["clients"], "--stall", stalled, "--rate",
                                 load["rate"], "--publishers", 4, "--payload", 1024, "--seconds", seconds, "--sample",
                                 seconds / 6, "--latency", "--verify", "--timeout", 60,
                                 *(["--lossy"] if policy == "latest-per-key" else []), seconds=seconds)
            hub = server.snapshot_when(lambda snapshot: snapshot["sessions"] == 0)
            self.check_sums(f"{policy}, {stalled} of {load['clients']} stalled for {seconds:g} s, {' '.join(map(str, engine[1::2]))}",
                            policy, stalled, load["clients"], sums, hub)
            if (code := server.end()) != 0:
                raise Failure(f"the server ended with {code}")
        return sums

    def check_sums(self, name, policy, stalled, clients, sums, hub):
        dropped = hub["slow_consumer"] + hub["superseded"] + hub["expired"] + hub["session_closed"]
        problems = []

        def demand(holds, what):
            if not holds:
                problems.append(what)
        demand(sums["code"] == 0 and sums["wrong"] == 0, f"the generator says: {sums['problem']}")
        demand(sums["published"] > 0 and sums["lost_connections"] == 0, "connections were lost")
        demand(hub["written"] == sums["received"], "written is not what the clients received")
        demand(hub["deliveries"] == hub["written"] + dropped + hub["pending"], "the server's own sums do not add up")
        demand(hub["pending"] == 0 and hub["opened"] == hub["closed"] == clients, "sessions are left")
        demand(hub["callbacks_threw"] == 0 and hub["refused"] == 0, "something threw or was refused")
        if policy == "disconnect":
            demand(sums["stalled_closed"] == stalled, f"{sums['stalled_closed']} clients were disconnected")
        else:
            demand(sums["stalled_closed"] == 0, "clients were disconnected")
            demand(hub["deliveries"] == sums["expected"], "deliveries are not clients times messages")
            demand(dropped == sums["expected"] - sums["received"], "dropped is not what the clients lack")
            demand(hub["expired"] == hub["session_closed"] == 0, "drops with a reason that nobody gave")
        if policy != "latest-per-key":
            demand(hub["superseded"] == 0, "superseded without keys")
        demand(bool(dropped) == bool(stalled) or policy == "latest-per-key", f"{dropped} messages were dropped")
        figures = f"deliveries {hub['deliveries']:,} = written {hub['written']:,} + dropped {dropped:,}; " \
                  f"clients received {sums['received']:,}, of it the stalled {sums['stalled_received']:,}"
        self.judge.check(f"{name}: {figures}", not problems, "; ".join(problems) + f"; {hub}; {sums}")

    def bar_4(self):
        if self.quick:
            load = {"clients": self.clients(200), "rate": 400, "queue": 65536, "send_buffer": 16384}
            kinds = [(["--engine", "epoll", "--threads", 2], POLICIES), (["--engine", "asio", "--threads", 1], POLICIES)]
            if speaks(self.server, "websocketpp"):
                kinds += [(["--transport", "websocketpp", "--threads", 1], ["drop-oldest"]),
                          (["--transport", "websocketpp-adopted", "--threads", 1], POLICIES),
                          (["--transport", "websocketpp-adopted", "--threads", 2], ["drop-oldest"])]
            for engine, policies in kinds:
                for policy in policies:
                    self.guarded(f"{policy} over {engine[1]}", lambda: self.account(policy, 20, 1.5, engine, load))
            return
        # A stall that never overflows a queue would prove nothing, so a shorter run has shorter queues.
        # At 100 messages a second two cores are busy nearly all the time, and what is measured is how long they queue.
        rate = 50
        queue = min(262144, int(rate * 1024 * self.seconds / 6 * 0.3))
        load = {"clients": self.clients(1000), "rate": rate, "queue": queue, "send_buffer": 65536}
        for policy in POLICIES:
            self.guarded(policy, lambda: self.bar_4_of(policy, load))

    def bar_4_of(self, policy, load):
        stalled = load["clients"] // 10
        sums = self.account(policy, stalled, self.seconds, self.engine, load)
        early, late = sums["early_rss_bytes"] / MIB, sums["server_rss_bytes"] / MIB
        self.judge.check(f"{policy}: resident {early:.2f} MiB at {self.seconds / 6:g} s, {late:.2f} MiB at {self.seconds:g} s",
                         late <= early + 2, "more than 2 MiB of growth")
        without, with_stalls = [], []
        for _ in range(5):  # interleaved, so that what disturbs the machine for a while disturbs both
            without.append(self.account(policy, 0, self.seconds / 6, self.engine, load)["latency_us"]["p99"])
            with_stalls.append(self.account(policy, stalled, self.seconds / 6, self.engine, load)["latency_us"]["p99"])
        ratio = statistics.median(with_stalls) / statistics.median(without)
        pairs = " ".join(f"{a:.0f}/{b:.0f}" for a, b in zip(with_stalls, without))
        self.judge.check(f"{policy}: p99 of the others {statistics.median(with_stalls):.0f} us with stalls, "
                         f"{statistics.median(without):.0f} us without, ratio {ratio:.2f} (pairs {pairs})", ratio <= 1.5)

    # ---- bar 5

    def hold(self, clients: int, seconds: float, ping_after: int):
        command = [self.server, "--snapshot", "--mode", "broadcast", *self.engine, "--ping-after", ping_after, "--silence", 3 * ping_after]
        with Server(command) as server:
            before = server.descriptors_at_rest()
            during = {}

            def look():
                end = time.monotonic() + 30 + seconds / 2
                while during.get("sessions") != clients and time.monotonic() < end:
                    time.sleep(0.1)
                    during.update(server.snapshot())
                time.sleep(seconds * 0.9)
                during.update(server.snapshot())
            sums = self.generate(server, "--mode", "hold", "--connections", clients, "--seconds", seconds, "--answer-pings", meanwhile=look,
                                 seconds=seconds)
            after = server.snapshot_when(lambda snapshot: snapshot["sessions"] == 0, 20)
            self.judge.check(f"{clients:,} sessions for {seconds:g} s: {sums['lost_connections']} lost, {sums['pings']:,} pings answered, at "
                             f"least {sums['least_pings']} each, {sums['server_rss_bytes'] / MIB:.1f} MiB resident, "
                             f"{100 * sums['server_share']:.0f} % of a core",
                             sums["code"] == 0 and sums["lost_connections"] == 0 and sums["least_pings"] >= 1
                             and during["sessions"] == clients and during["closed"] == 0, f"{during} {sums}")
            descriptors = self.descriptors_when(server, before)
            self.judge.check("and all of them gone: descriptors and counters are back", after["sessions"] == 0 == after["handshakes"]
                             and after["opened"] == after["closed"] == clients and descriptors == before,
                             f"{descriptors} descriptors instead of {before}; {after}")

    @staticmethod
    def descriptors_when(server, expected, seconds=10.0):
        end = time.monotonic() + seconds
        while server.descriptors() != expected and time.monotonic() < end:
            time.sleep(0.05)
        return server.descriptors()

    def churn(self, seconds: float):
        with Server([self.server, "--snapshot", "--mode", "broadcast", *self.engine]) as server:
            def quiet():
                return server.snapshot_when(lambda snapshot: snapshot["sessions"] == 0 == snapshot["handshakes"], 20)
            empty = server.descriptors_at_rest()
            self.generate(server, "--mode", "handshake", "--seconds", min(seconds, 5), "--warmup", 0)  # memory that is kept for use
            quiet()
            time.sleep(2)  # what is given back after a while
            before, resident = quiet(), server.resident_bytes()
            sums = self.generate(server, "--mode", "handshake", "--seconds", seconds, "--warmup", 0, seconds=seconds)
            quiet()
            time.sleep(2)
            after, resident_after = quiet(), server.resident_bytes()
            descriptors = self.descriptors_when(server, empty)
            self.judge.check(f"connect and close for {seconds:g} s: {sums['deliveries']:,} handshakes, "
                             f"{sums['server_us_per_delivery']:.1f} us of the server each; resident {resident / MIB:.2f} MiB before, "
                             f"{resident_after / MIB:.2f} MiB after",
                             sums["code"] == 0 and sums["deliveries"] > 0
                             and (resident_after <= resident + MIB or is_sanitized(self.server)),  # which keeps what is freed
                             f"{sums}")
            self.judge.check("and all of them gone: descriptors, pools and counters are back",
                             descriptors == empty and after["opened"] == after["closed"] > before["opened"]
                             and after["sessions"] == 0 == after["handshakes"] and after["pooled_bytes"] <= before["pooled_bytes"]
                             and after["topics"] <= before["topics"], f"{descriptors} descriptors, {empty} at first; {before} {after}")

    def bar_5(self):
        if self.quick:
            self.guarded("sessions", lambda: self.hold(self.clients(2000), 2.5, 1000))
            self.guarded("churn", lambda: self.churn(2))
        else:
            self.guarded("sessions", lambda: self.hold(self.clients(19_000), self.seconds, 10_000))
            self.guarded("churn", lambda: self.churn(self.seconds))

    def guarded(self, name, function):
        try:
            function()
        except (Failure, OSError, ValueError) as problem:
            self.judge.check(name, False, f"{type(problem).__name__}: {problem}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path, metavar="BUILD_DIR")
    parser.add_argument("--seconds", type=float, default=60, help="of a long run, at least 15 (60)")
    parser.add_argument("--bar", choices=["4", "5"])
    parser.add_argument("--engine", default="epoll")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--transport", default="tcp", help="of the load server")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if options.seconds < 15 and not options.quick:
        parser.error("--seconds is at least 15: in less, no queue of who stalls overflows")
    bars = Bars(options)
    for program in (bars.server, bars.generator):
        if not program.exists():
            sys.exit(f"there is no {program}: build it first")
    if options.bar != "5":
        bars.bar_4()
    if options.bar != "4":
        bars.bar_5()
    return bars.judge.sum_up()


if __name__ == "__main__":
    sys.exit(main())
