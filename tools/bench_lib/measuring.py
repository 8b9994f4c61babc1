"""One measurement of each kind."""
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from . import cases
from .servers import ROOT, pin, stop


def generate(options, port, arguments):
    """Runs the load generator. Returns its result, or raises what it says."""
    command = [str(options.build / "benchmarks/hubbub_load_generator"), "--port", str(port), "--json", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True,
                          preexec_fn=lambda: pin({options.cores[1]}))
    if done.returncode != 0:
        raise RuntimeError(f"{done.stdout.strip()[-400:]} {done.stderr.strip()[-400:]}")
    return json.loads(done.stdout)


def window(options):
    return ["--seconds", options.seconds, "--warmup", options.warmup, "--payload", options.payload]


def measure(server, case, options):
    """CPU time of the server for each delivery of that case."""
    mode = cases.CASES[case].mode
    process, port = server.start("broadcast" if mode == "handshake" else mode)
    try:
        more = (["--spin"] if options.spin else []) + (["--verify"] if options.verify else [])
        result = generate(options, port, ["--mode", mode, "--server-pid", process.pid, *window(options),
                                          *cases.CASES[case].generator.split(), *more])
        if "--snapshot" in server.command:
            stop(process)
            sums = json.loads(re.search(r"^\{.*\}$", process.stdout.read().decode(), re.MULTILINE)[0])
            result["server_us_per_send"] = result["server_us_per_delivery"] * sums["written"] / max(1, sums["writes"])
        return result
    except RuntimeError as error:
        raise RuntimeError(f"{server.name} at {case}: {error}") from None
    finally:
        finish(process)


def finish(process):
    stop(process, politely=False)
    process.stdout.close()
    process.stderr.close()


def verify(server, options):
    """Order and content of every message, and an end at SIGTERM. Returns what is wrong, or nothing."""
    for mode, count, in_flight in (("broadcast", 200, 16), ("echo", 200, 16)):
        try:
            process, port = server.start(mode)
        except RuntimeError as error:
            return str(error)
        try:
            generate(options, port, ["--mode", mode, "--connections", count, "--in-flight", in_flight, "--seconds", 0.2,
                                     "--warmup", 0.05, "--payload", options.payload, "--verify"])
            if not stop(process):
                return f"{mode}: does not end at SIGTERM"
        except RuntimeError as error:
            return f"{mode}: {error}"
        finally:
            finish(process)
    return ""


def latency(server, options, rate, stalled):
    """Of each receiver among 1,000: one message in flight (rate 0), or from when each message was due."""
    process, port = server.start("broadcast")
    try:
        arguments = ["--connections", 1000 + stalled, "--server-pid", process.pid, "--payload", options.payload, "--latency",
                     "--spin", "--seconds", options.latency_seconds, "--warmup", options.warmup]
        if rate:
            arguments += ["--rate", rate, "--in-flight", 1024]
        if stalled:
            arguments += ["--stall", stalled, "--fill", "--in-flight", 1024, "--warmup", 1]
        return generate(options, port, arguments)
    except RuntimeError as error:
        raise RuntimeError(f"{server.name}, latency: {error}") from None
    finally:
        finish(process)


def deflate(server, options, in_flight, payload, compressed):
    """A broadcast to 1,000, of messages that compress or of plain ones of that payload; with what the server says at its end."""
    process, port = server.start("broadcast")
    try:
        more = ["--deflate"] if compressed else []
        result = generate(options, port, ["--mode", "broadcast", "--server-pid", process.pid, "--seconds", options.seconds, "--warmup",
                                          options.warmup, "--payload", payload, "--connections", 1000, "--in-flight", in_flight, *more])
        stop(process)
        sums = json.loads(re.search(r"^\{.*\}$", process.stdout.read().decode(), re.MULTILINE)[0])
        # The message that says that all are members is one more.
        result["compressions_per_publication"] = sums["compressed"] / max(1, sums["received"])
        if compressed:
            result["wire_bytes"] = result["compressed_bytes"] / max(1, result["compressed_messages"])
        return result
    except RuntimeError as error:
        raise RuntimeError(f"{server.name}, {in_flight} in flight, {payload} bytes: {error}") from None
    finally:
        finish(process)


def turn(server, options, messages, subscribers=100):
    """System calls of the server that write, for each subscriber and turn in which that many messages are published."""
    with tempfile.TemporaryDirectory() as folder:
        table = pathlib.Path(folder) / "calls"
        calls = "send,sendto,sendmsg,sendmmsg,write,writev,io_uring_enter"
        process, port = server.start("broadcast", ["strace", "-f", "-c", "-o", str(table), "-e", f"trace={calls}"])
        # The server itself: strace does not hand a signal on, and a server whose strace is killed goes on.
        child = int(pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])
        try:
            result = generate(options, port, ["--connections", subscribers, "--in-flight", messages, "--bursts", "--seconds", 1,
                                              "--warmup", 0, "--payload", options.payload])
            os.kill(child, signal.SIGTERM)
            process.wait(timeout=15)
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            raise RuntimeError(f"{server.name}, {messages} in one turn: {error}") from None
        finally:
            if process.poll() is None:
                os.kill(child, signal.SIGKILL)
            finish(process)
        rows = re.findall(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", table.read_text(), re.MULTILINE)
        count = {name: int(calls) for calls, name in rows if name != "total"}
    turns = result["published"] / messages
    # The answers to the handshakes, and the message that says that all are members, are not part of it.
    return {"messages": messages, "subscribers": subscribers, "published": result["published"], "calls": count,
            "calls_per_subscriber_and_turn": max(0, sum(count.values()) - 2 * subscribers) / turns / subscribers}


def idle_memory(server, sessions=1000):
    """Bytes of resident memory that a session takes which has said and heard one message."""
    def resident(pid):
        return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) * 1024

    def read(client, size):
        got = b""
        while len(got) < size:
            more = client.recv(size - len(got))
            if not more:
                raise RuntimeError(f"{server.name} ended a connection")
            got += more
        return got

    process, port = server.start("echo")
    clients = []
    try:
        for i in range(sessions + 100):  # the first ones make what is made once
            if i == 100:
                before = resident(process.pid)
            client = socket.create_connection(("127.0.0.1", port), timeout=10)
            clients.append(client)
            client.sendall(b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
            while not read(client, 1) == b"\r" or read(client, 3) != b"\n\r\n":
                pass
            client.sendall(b"\x81\x82\0\0\0\0hi")
            read(client, 4)
        return (resident(process.pid) - before) / sessions
    finally:
        for client in clients:
            client.close()
        finish(process)


def alone(program, rows, options):
    """Runs a program that measures without a peer. Returns its figures of the wanted rows."""
    cores = {options.cores[0]} if program != "hubbub_session_memory" else os.sched_getaffinity(0)
    try:
        done = subprocess.run([str(options.build / "benchmarks" / program), "--json"], capture_output=True, text=True, timeout=180,
                              preexec_fn=lambda: pin(cores))
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"{program} is not over after 180 s") from None
    if done.returncode != 0:
        raise RuntimeError(f"{program}: {done.stdout.strip()[-400:]} {done.stderr.strip()[-400:]}")
    return [figure for figure in json.loads(done.stdout) if figure["row"] in rows]


def busy(cores, seconds=1.0):
    """The most that one of these cores did for others in that time, from 0 to 1."""
    def look():
        lines = [line.split() for line in pathlib.Path("/proc/stat").read_text().splitlines() if re.match(r"cpu\d", line)]
        return {int(line[0][3:]): (sum(map(int, line[1:9])), int(line[4]) + int(line[5])) for line in lines}
    before = look()
    time.sleep(seconds)
    after = look()
    return max(1 - (after[core][1] - before[core][1]) / max(1, after[core][0] - before[core][0]) for core in cores)


def wait_until_quiet(options, most=0.10, patience=60):
    """Refuses with a sentence if others keep the two cores busy. Returns what was seen at last."""
    end = time.monotonic() + patience
    while (seen := busy(options.cores)) > most:
        if options.noisy:
            print(f"others use {100 * seen:.0f} % of a core: the figures say little (--noisy)")
            return seen
        if time.monotonic() > end:
            raise SystemExit(f"others use {100 * seen:.0f} % of one of the cores {options.cores} for a minute already, and "
                             f"{100 * most:.0f} % is too much to measure beside: end them, or say --noisy")
        time.sleep(2)
    return seen


def machine(options):
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown")
    compiler = "".join(subprocess.run(["g++", "--version"], capture_output=True, text=True).stdout.splitlines()[:1])
    commit = subprocess.run(["git", "-C", str(ROOT), "describe", "--always", "--dirty"], capture_output=True,
                            text=True).stdout.strip() if shutil.which("git") and (ROOT / ".git").exists() else "no repository"
    cache = options.build / "CMakeCache.txt"
    kept = dict(re.findall(r"^(CMAKE_BUILD_TYPE|CMAKE_CXX_COMPILER|CMAKE_CXX_FLAGS|CMAKE_CXX_FLAGS_RELEASE):\w+=(.*)$",
                           cache.read_text(), re.MULTILINE)) if cache.exists() else {}
    if "CMAKE_CXX_COMPILER" in kept:
        said = subprocess.run([kept["CMAKE_CXX_COMPILER"], "--version"], capture_output=True, text=True).stdout.splitlines()
        compiler = said[0] if said else compiler
    flags = " ".join(filter(None, [kept.get("CMAKE_CXX_FLAGS"), kept.get("CMAKE_CXX_FLAGS_RELEASE")
                                   if kept.get("CMAKE_BUILD_TYPE") == "Release" else kept.get("CMAKE_BUILD_TYPE")]))
    return {"cpu": model, "cores": os.cpu_count(), "kernel": platform.release(), "compiler": compiler, "flags": flags,
            "commit": commit, "load_before": os.getloadavg()[0]}
