#!/usr/bin/env python3
"""benchmarks/load/tuning.py BUILD_DIR [--only CASE]... [--repetitions N] [--list]

What settings of the system do to a hub, and how much a small machine carries: docs/operations/tuning.md and capacity.md have what came out.
Each case runs its variants one after the other, again and again, and prints the median of each, the least and the most, and the median ratio of
neighbours to the first variant. Settings of the system are put back whatever happens; to change them is root's."""
import argparse
import contextlib
import json
import os
import pathlib
import signal
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests/integration"))
from processes import Process, Server, raise_descriptor_limit  # noqa: E402

LIBRARIES = pathlib.Path("/usr/lib/x86_64-linux-gnu")
HUGE_PAGES = "/sys/kernel/mm/transparent_hugepage/enabled"
# Who stalls is neither pinged away nor ended for a full queue, which is as long as a hub's is by default.
PATIENT = ["--silence", 900_000, "--ping-after", 800_000, "--write-limit", 900_000, "--overflow", "drop-oldest", "--queue-bytes", 1 << 20]


def path_of(name):
    return pathlib.Path(name if name.startswith("/") else "/proc/sys/" + name.replace(".", "/"))


@contextlib.contextmanager
def settings(values):
    """These settings of the system, for as long as the block lasts."""
    before = {}
    try:
        for name, value in values.items():
            text = path_of(name).read_text().strip()
            before[name] = text[text.index("[") + 1:text.index("]")] if "[" in text else text
            path_of(name).write_text(str(value))
        yield
    finally:
        for name, value in before.items():
            path_of(name).write_text(value)


def field(file, line, name):
    """A number of a file of /proc/net that has a line of names above each line of values, or names between them."""
    lines = [each.split() for each in pathlib.Path(file).read_text().splitlines() if each.startswith(line + ":")]
    return int(lines[1][lines[0].index(name)]) if len(lines) == 2 else int(lines[0][lines[0].index(name) + 1])


def socket_memory():
    """Bytes in buffers of all TCP sockets of this system."""
    return field("/proc/net/sockstat", "TCP", "mem") * os.sysconf("SC_PAGE_SIZE")


def slab():
    text = pathlib.Path("/proc/meminfo").read_text()
    return int(text[text.index("\nSlab:") + 6:].split()[0]) * 1024


class Bench:
    """A server and its clients, by default on a core each."""

    def __init__(self, build):
        self.server_program = build / "benchmarks/hubbub_load_server"
        self.generator_program = build / "benchmarks/hubbub_load_generator"

    @contextlib.contextmanager
    def server(self, *options, cores="0", environment=(), descriptors=None):
        command = ["env", *environment, *(["taskset", "-c", cores] if cores else []), self.server_program, *options]
        with Server(command, descriptors) as server:
            yield server

    def generator(self, server, *options, cores="1"):
        return Process([*(["taskset", "-c", cores] if cores else []), self.generator_program, "--port", server.port, "--server-pid", server.pid,
                        "--json", *options])

    def run(self, server, *options, cores="1"):
        with self.generator(server, *options, cores=cores) as generator:
            return json.loads(generator.line(180))

    def broadcast(self, in_flight, cores="0", of_clients="1", threads=1, environment=(), options=()):
        """Microseconds of the server's CPU for a delivery to one of 1,000."""
        with self.server("--threads", threads, *options, cores=cores, environment=environment) as server:
            return {"us a delivery": self.run(server, "--in-flight", in_flight, "--seconds", 1, "--warmup", 0.5,
                                              cores=of_clients)["server_us_per_delivery"]}

    def room(self, rate, payload=200):
        """A room of 2,500 at so many publications a second; what is late is seen by who receives, from when it was due."""
        with self.server() as server:
            sums = self.run(server, "--connections", 2500, "--rate", rate, "--in-flight", 1024, "--payload", payload, "--latency", "--spin",
                            "--seconds", 3, "--warmup", 0.5)
            return {"share of a core": sums["server_share"], "us a delivery": sums["server_us_per_delivery"],
                    "p50, ms": sums["latency_us"]["p50"] / 1000, "p99, ms": sums["latency_us"]["p99"] / 1000}

    def storm(self, clients):
        """That many connect at once, twice: the window is the second time."""
        before = field("/proc/net/netstat", "TcpExt", "ListenOverflows")
        with self.server() as server:
            sums = self.run(server, "--mode", "handshake", "--connections", clients, "--handshakes", clients, "--warmup", 0)
        return {"s until all are open": sums["seconds"],
                "overflows of the backlog": field("/proc/net/netstat", "TcpExt", "ListenOverflows") - before}

    def stalled(self, *options):
        """200 clients that do not read, beside 200 who do: buffers of sockets for each that stalls, and what a delivery costs."""
        with self.server(*PATIENT, *options) as server:
            before = socket_memory()
            with self.generator(server, "--connections", 400, "--stall", 200, "--payload", 4096, "--in-flight", 16, "--seconds", 4,
                                "--warmup", 4) as generator:
                time.sleep(7)
                held = socket_memory() - before
                return {"kB of buffers, each": held / 200 / 1000,
                        "us a delivery": json.loads(generator.line(60))["server_us_per_delivery"]}

    def idle(self, clients, ping_after=800_000, environment=(), options=(), held=5):
        """Sessions at rest: memory of each, and what their pings cost."""
        with self.server("--ping-after", ping_after, "--silence", 900_000, *options, environment=environment) as server:
            resident, slabs, buffers = server.resident_bytes(), slab(), socket_memory()
            with self.generator(server, "--mode", "hold", "--connections", clients, "--seconds", held, "--answer-pings") as generator:
                time.sleep(held * 0.7)
                now = server.resident_bytes()
                figures = {"resident MB in all": now / 1e6, "resident bytes of a session": (now - resident) / clients,
                           "kernel bytes of a connection, both ends": (slab() - slabs + socket_memory() - buffers) / clients}
                sums = json.loads(generator.line(60))
            if sums["pings"]:
                figures["pings a second"] = sums["pings"] / sums["seconds"]
            return figures | {"share of a core": sums["server_share"]}

    def handshakes(self, environment):
        with self.server(environment=environment) as server:
            return {"us a handshake": self.run(server, "--mode", "handshake", "--seconds", 1, "--warmup", 0.5)["server_us_per_delivery"]}


def with_settings(work, **names):
    def run():
        with settings({name.replace("__", "."): value for name, value in names.items()}):
            return work()
    return run


def preloaded(library):
    return (f"LD_PRELOAD={LIBRARIES / library}",)


def cases(bench):
    """Name -> variants, the first of which the others are compared with."""
    wmem = "4096 16384 {}"
    allocators = {"glibc": (), "glibc, MALLOC_ARENA_MAX=1": ("MALLOC_ARENA_MAX=1",), "jemalloc": preloaded("libjemalloc.so.2"),
                  "tcmalloc": preloaded("libtcmalloc_minimal.so.4")}

    def of_allocators(work):
        return {name: lambda environment=environment: work(environment) for name, environment in allocators.items()}

    def of_huge_pages(work):
        return {name: lambda name=name: with_settings(work, **{HUGE_PAGES: name})() for name in ("madvise", "always", "never")}

    return {
        "backlog": {f"somaxconn {most}": with_settings(lambda: bench.storm(4000), net__core__somaxconn=most) for most in (4096, 128, 1024)},
        "send buffers": {f"tcp_wmem up to {most}": with_settings(lambda: bench.stalled("--unsent", 0), net__ipv4__tcp_wmem=wmem.format(most))
                         for most in (4_194_304, 262_144, 65_536)} |
                        {"SO_SNDBUF 32768": lambda: bench.stalled("--unsent", 0, "--send-buffer", 32_768)} |
                        {f"TCP_NOTSENT_LOWAT {most}": lambda most=most: bench.stalled("--unsent", most) for most in (131_072, 16_384)},
        "unsent, one in flight": {f"TCP_NOTSENT_LOWAT {most}": lambda most=most: bench.broadcast(1, options=("--unsent", most))
                                  for most in (0, 131_072, 16_384)},
        "unsent, 16 in flight": {f"TCP_NOTSENT_LOWAT {most}": lambda most=most: bench.broadcast(16, options=("--unsent", most))
                                 for most in (0, 131_072, 16_384)},
        "idle buffers": {f"tcp_rmem and tcp_wmem from {least}": with_settings(
            lambda: bench.idle(8000), net__ipv4__tcp_rmem=f"4096 {least} 33554432", net__ipv4__tcp_wmem=f"4096 {least} 4194304")
                         for least in (131_072, 4096)},
        "heartbeats": {f"ping after {after} ms": lambda after=after: bench.idle(8000, after, held=10) for after in (800_000, 5000, 1000)},
        "allocator, one in flight": of_allocators(lambda environment: bench.broadcast(1, environment=environment)),
        "allocator, handshakes": of_allocators(bench.handshakes),
        "allocator, memory": of_allocators(lambda environment: bench.idle(8000, environment=environment)),
        "huge pages, one in flight": of_huge_pages(lambda: bench.broadcast(1)),
        "huge pages, memory": of_huge_pages(lambda: bench.idle(8000)),
        "rates": {f"{rate} publications a second": lambda rate=rate: bench.room(rate) for rate in (40, 80, 120, 160, 240)},
        "payload": {f"{payload} bytes": lambda payload=payload: bench.room(40, payload) for payload in (64, 1024, 4096)},
        "threads": {"1 thread, pinned": lambda: bench.broadcast(1), "1 thread, not pinned": lambda: bench.broadcast(1, cores=None, of_clients=None),
                    "2 threads, not pinned": lambda: bench.broadcast(1, cores=None, of_clients=None, threads=2),
                    "2 threads on one core": lambda: bench.broadcast(1, threads=2)},
    }


def measure(name, variants, repetitions):
    found = {variant: [] for variant in variants}
    for _ in range(repetitions):
        for variant, work in variants.items():
            found[variant].append(work())
    first = next(iter(variants))
    print(f"{name}, {repetitions} times")
    for variant, runs in found.items():
        for figure in runs[0]:
            values = [run.get(figure, 0) for run in runs]
            ratios = [mine / base for mine, base in zip(values, (run.get(figure, 0) for run in found[first])) if base]
            compared = f"  {statistics.median(ratios):.2f} x ({min(ratios):.2f} to {max(ratios):.2f})" if ratios and variant != first else ""
            print(f"  {variant:<34} {figure:<40} {statistics.median(values):>10.4g} ({min(values):.4g} to {max(values):.4g}){compared}")
    sys.stdout.flush()


def end_with_us():
    """SIGTERM ends this too as an exception, so that everything is put back."""
    def stop(*_):
        raise SystemExit(1)
    signal.signal(signal.SIGTERM, stop)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--only", action="append", default=[], metavar="CASE")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--list", action="store_true", help="the names of all cases")
    options = parser.parse_args()
    all_cases = cases(Bench(options.build.resolve()))
    if unknown := [name for name in options.only if name not in all_cases]:
        parser.error(f"there is no case {unknown[0]}; --list names them")
    if options.list:
        return print("\n".join(all_cases))
    end_with_us()
    raise_descriptor_limit()
    for name in options.only or all_cases:
        measure(name, all_cases[name], options.repetitions)


if __name__ == "__main__":
    main()
