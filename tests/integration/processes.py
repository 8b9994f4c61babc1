"""Programs that a test starts, and ends by their id. Every wait has a deadline."""
import json
import os
import pathlib
import queue
import random
import re
import resource
import signal
import socket
import ssl
import subprocess
import threading
import time


# A certificate with its key, in one file: the servers of this run speak TLS with it, and its clients trust it.
TLS = os.environ.get("HUBBUB_TEST_TLS")
HTTP, WS = ("https", "wss") if TLS else ("http", "ws")


def trust():
    """What Python's clients want as their `ssl` or `context`."""
    return ssl.create_default_context(cafile=TLS) if TLS else None


class Failure(Exception):
    """What was expected did not happen."""


def raise_descriptor_limit() -> int:
    """To what the system allows; returns it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has at the moment, and that the system does not give to clients: see child_process.hpp."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        first_of_clients = int(file.read().split()[0])
    while True:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", random.randrange(10000, first_of_clients)))
            except OSError:
                continue
            return probe.getsockname()[1]


def is_sanitized(program: pathlib.Path) -> bool:
    """Then it needs memory of its own, and descriptors."""
    return b"__asan_init" in program.read_bytes() or b"__tsan_init" in program.read_bytes()


class Process:
    """A program whose lines of output are read as they come. `keeps_open`: it inherits what may be inherited."""

    def __init__(self, command, descriptors=None, keeps_open=False):
        def limit_descriptors():
            resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

        self.command = [str(part) for part in command]
        self.name = pathlib.Path(self.command[0]).name
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, close_fds=not keeps_open,
                                        preexec_fn=limit_descriptors if descriptors else None)
        self.pid = self.process.pid
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def line(self, seconds=10.0) -> str:
        """The next line of output."""
        try:
            line = self.lines.get(timeout=seconds)
        except queue.Empty:
            raise Failure(f"{self.name} said nothing for {seconds:g} s") from None
        if line is None:
            raise Failure(f"{self.name} ended with {self.process.wait(5)}")
        return line

    def wait(self, seconds: float) -> int:
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} did not end within {seconds:g} s") from None

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


class Server(Process):
    """A server on a port that the system chose; its first line names it."""

    def __init__(self, command, descriptors=None, keeps_open=False):
        super().__init__(command, descriptors, keeps_open)
        self.is_ending = False
        try:
            first = self.line()
            found = re.search(r"port (\d+)|127\.0\.0\.1:(\d+)", first)
            if not found:
                raise Failure(f"{self.name} names no port in: {first}")
        except Failure:
            self.kill()
            raise
        self.port = int(found[1] or found[2])

    def ask_to_end(self):
        """SIGTERM, once: a second one may meet a process that no longer handles it."""
        if not self.is_ending:
            self.is_ending = True
            self.process.send_signal(signal.SIGTERM)

    def end(self, seconds=10.0) -> int:
        """The exit code."""
        self.ask_to_end()
        return self.wait(seconds)

    def snapshot(self) -> dict:
        """The sums of a load server that was started with --snapshot."""
        self.process.send_signal(signal.SIGUSR1)
        return json.loads(self.line())

    def snapshot_when(self, holds, seconds=10.0) -> dict:
        """The first snapshot for which that holds, or the last one before the deadline."""
        end = time.monotonic() + seconds
        while True:
            sums = self.snapshot()
            if holds(sums) or time.monotonic() > end:
                return sums
            time.sleep(0.05)

    def resident_bytes(self) -> int:
        pages = int(pathlib.Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def descriptors_at_rest(self) -> int:
        """With all its loops at work: who answers for a snapshot has begun to accept."""
        self.snapshot()
        return self.descriptors()

    def cpu_seconds(self) -> float:
        """Of all threads that live."""
        nanoseconds = 0
        for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir():
            nanoseconds += int((task / "schedstat").read_text().split()[0])
        return nanoseconds / 1e9


class Judge:
    """Counts what passed and what failed, and says so."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, name: str, holds: bool, why="") -> bool:
        if holds:
            self.passed += 1
            print(f"ok      {name}", flush=True)
        else:
            self.failed += 1
            print(f"FAILED  {name}{f': {why}' if why else ''}", flush=True)
        return holds

    def run(self, name: str, function, *arguments) -> bool:
        """One case: it failed if it raised."""
        try:
            function(*arguments)
        except Exception as problem:  # whatever it is, the other cases still count
            return self.check(name, False, f"{type(problem).__name__}: {problem}")
        return self.check(name, True)

    def sum_up(self) -> int:
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed or not self.passed else 0


def speaks(load_server, transport, *options) -> bool:
    """Whether the load server was built with that transport, or with TLS, and runs with those options here."""
    if transport == "tls":
        return "not in this build" not in subprocess.run([load_server, "--tls", "/nowhere"], capture_output=True, text=True, timeout=10).stderr
    with Process([load_server, "--transport", transport, *options]) as process:
        try:
            return process.line(10).startswith("listening")
        except Failure:
            return False
