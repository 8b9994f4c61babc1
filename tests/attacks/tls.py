#!/usr/bin/env python3
"""tests/attacks/tls.py BUILD_DIR
What hostile clients try against the load server's TLS, over each engine. After each, the server serves a healthy client within a
second and has its descriptors back. The last line is "N passed, N failed"."""
import functools
import os
import pathlib
import random
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from processes import Judge, Server, is_sanitized, raise_descriptor_limit, speaks  # noqa: E402
from raw_client import BINARY, TEXT, frame, request  # noqa: E402

MIB = 1024 * 1024
LIMIT = 0.8  # seconds for a handshake


def demand(holds, why):
    if not holds:
        raise AssertionError(why)


@functools.cache
def trusting():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def dial(port, buffer=0):
    client = socket.socket()
    client.settimeout(10)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    client.connect(("127.0.0.1", port))
    return client


def ends(client, seconds=10.0):
    """Reads until the server ends it; what came, and when."""
    began, received = time.monotonic(), b""
    client.settimeout(seconds)
    try:
        while piece := client.recv(65536):
            received += piece
    except ConnectionResetError:
        pass
    client.close()
    return received, time.monotonic() - began


def hello():
    """A ClientHello, as OpenSSL makes it."""
    out = ssl.MemoryBIO()
    machine = trusting().wrap_bio(ssl.MemoryBIO(), out)
    try:
        machine.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def upgraded(port, buffer=0):
    client = trusting().wrap_socket(dial(port, buffer))
    client.sendall(request(port))
    head = b""
    while b"\r\n\r\n" not in head:
        piece = client.recv(4096)
        demand(piece, "the server ended a healthy client")
        head += piece
    demand(head.startswith(b"HTTP/1.1 101 "), head)
    return client


def reset(client):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


class Attacks:
    def __init__(self, program, certificate, engine):
        self.command = [program, "--snapshot", "--tls", certificate, "--engine", engine, "--handshake-limit", int(LIMIT * 1000)]
        self.sanitized = is_sanitized(program)

    def survived(self, server, descriptors, memory):
        began = time.monotonic()
        client = upgraded(server.port)
        client.sendall(frame(TEXT, b"still there"))
        demand(client.recv(100)[2:] == b"still there", "something else came back")
        demand(time.monotonic() - began < 1, "a healthy client waited for more than a second")
        client.close()
        end = time.monotonic() + 10
        while server.descriptors() != descriptors:
            demand(time.monotonic() < end, f"{server.descriptors()} descriptors instead of {descriptors}")
            time.sleep(0.02)
        growth = server.resident_bytes() - memory
        demand(growth < 24 * MIB or self.sanitized, f"{growth / MIB:.1f} MiB more")

    def run(self, attack, mode="echo", *options):
        with Server([*self.command, "--mode", mode, *options]) as server:
            upgraded(server.port).close()
            time.sleep(0.1)
            descriptors, memory = server.descriptors_at_rest(), server.resident_bytes()
            attack(server)
            self.survived(server, descriptors, memory)
            demand(server.end(12) == 0, "the server did not end well")

    # ---- what they do

    def plain(self, server):
        for text in (request(server.port), b"GET / HTTP/1.0\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\0", b"\x80\x2e\x01\x03\x01"):
            client = dial(server.port)
            client.sendall(text)
            received, waited = ends(client)
            demand(waited < LIMIT / 2, f"{text[:20]} was left waiting")
            demand(b"HTTP" not in received, received)

    def garbage(self, server):
        chance, good = random.Random(1), hello()
        for number in range(300):
            bytes_ = bytearray(good if number % 2 else b"\x16\x03\x01\x02\x00" + chance.randbytes(chance.randrange(1, 2000)))
            for _ in range(chance.randrange(1, 12)):
                bytes_[chance.randrange(len(bytes_))] = chance.randrange(256)
            client = dial(server.port)
            try:
                client.sendall(bytes(bytes_) * chance.randrange(1, 3))
                client.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            ends(client)

    def long_records(self, server):
        for length in (0x4801, 0xFFFF):  # RFC 8446 5.2
            client = dial(server.port)
            client.sendall(struct.pack("!BHH", 22, 0x0303, length) + b"x" * 1000)
            _, waited = ends(client)
            demand(waited < LIMIT / 2, "a record that is too long was waited for")

    def slow(self, server):
        bytes_, client, began = hello(), dial(server.port), time.monotonic()
        try:
            for byte in bytes_:
                client.sendall(bytes((byte,)))
                time.sleep(0.05)
                demand(time.monotonic() - began < LIMIT + 2, "it may take as long as it likes")
        except OSError:
            pass
        client.close()

    def half(self, server):
        waiting = []
        for number in range(500):
            client = dial(server.port)
            client.sendall(hello() if number % 2 else hello()[:100])
            waiting.append(client)
        for client in waiting:
            ends(client, LIMIT + 5)

    def resets(self, server):
        for number in range(200):
            client = dial(server.port)
            client.sendall(hello()[: 40 + 2 * number])
            reset(client)
        for number in range(100):
            client = upgraded(server.port)
            raw = socket.socket(fileno=os.dup(client.fileno()))
            raw.sendall(b"\x17\x03\x03\x04\x00" + b"x" * number)  # the beginning of a record
            client.close()
            reset(raw)

    def changed(self, server):
        client = upgraded(server.port)
        raw = socket.socket(fileno=os.dup(client.fileno()))
        raw.sendall(b"\x17\x03\x03\x00\x30" + b"\1" * 48)
        _, waited = ends(raw, 5)
        demand(waited < 1, "a record that nobody has sealed was accepted")
        client.close()

    def stalled(self, server):
        stalled = [upgraded(server.port, 4096) for _ in range(30)]
        talker = upgraded(server.port)
        message = frame(BINARY, b"m" * 20_000)
        for _ in range(300):  # 6 MB for each
            talker.sendall(message)
            heard = 0
            while heard < 20_004:
                heard += len(talker.recv(65536))
        for client in stalled:
            client.close()
        talker.close()


def main() -> int:
    raise_descriptor_limit()
    judge = Judge()
    program = pathlib.Path(sys.argv[1]).resolve() / "benchmarks/hubbub_load_server"
    if not speaks(program, "tls"):
        print("skipped: the load server was built without OpenSSL", flush=True)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        both = f"{folder}/both.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=hubbub.test", "-keyout", both, "-out", f"{both}.c"], check=True, capture_output=True)
        with open(both, "a") as key:
            key.write(pathlib.Path(f"{both}.c").read_text())
        for engine in ("epoll", "asio", "automatic"):
            attacks = Attacks(program, both, engine)
            for name, attack, *options in (
                    ("plain HTTP and others on the TLS port", attacks.plain), ("garbage, and handshakes that were changed", attacks.garbage),
                    ("records that are too long", attacks.long_records), ("a handshake byte by byte", attacks.slow),
                    ("hundreds of half handshakes", attacks.half), ("resets in a handshake and in a record", attacks.resets),
                    ("a record that nobody has sealed", attacks.changed),
                    ("readers that stall", attacks.stalled, "broadcast", "--queue-bytes", 200_000, "--overflow", "drop-oldest")):
                judge.run(f"{engine}: {name}", attacks.run, attack, *options)
    return judge.sum_up()


if __name__ == "__main__":
    sys.exit(main())
