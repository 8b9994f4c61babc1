#!/usr/bin/env python3
"""tests/attacks/wire.py BUILD_DIR
Bytes that no decent client sends, to a server of sockets: requests that are ambiguous, frames that are forbidden, ends that never come.
After each the server lives, serves somebody else within a second, and has its descriptors back. The last line is "N passed, N failed"."""
import pathlib
import re
import socket
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from attacks import MIB, demand, ended_by_server, until  # noqa: E402
from processes import Judge, Server, is_sanitized, raise_descriptor_limit, speaks  # noqa: E402
from raw_client import BINARY, CLOSE, PING, TEXT, RawClient, frame, request  # noqa: E402

UPGRADE = request(80).decode()


def changed(old: str, new: str) -> bytes:
    demand(old in UPGRADE, f"the request has no {old!r}")
    return UPGRADE.replace(old, new, 1).encode()


def with_line(line: str) -> bytes:
    return UPGRADE[:-2].encode() + line.encode("latin-1") + b"\r\n\r\n"


SECOND = b"GET /second HTTP/1.1\r\nHost: h\r\n\r\n"
# What is sent, and the statuses of all that is answered.
REQUESTS = {
    "a body with a length": (with_line("Content-Length: 5") + b"hello", [413]),
    "a body in chunks": (with_line("Transfer-Encoding: chunked") + b"5\r\nhello\r\n0\r\n\r\n", [400]),
    "a length and chunks": (with_line("Content-Length: 5\r\nTransfer-Encoding: chunked") + b"0\r\n\r\n", [413]),
    "two lengths": (with_line("Content-Length: 0\r\nContent-Length: 5") + b"hello", [400]),
    "a length that is no number": (with_line("Content-Length: +0"), [400]),
    "chunks with a space before the colon": (with_line("Transfer-Encoding : chunked"), [400]),
    "a second request behind a page": (b"GET / HTTP/1.1\r\nHost: h\r\n\r\n" + SECOND, [404]),
    "a second request behind a refusal": (changed("Version: 13", "Version: 8") + SECOND, [426]),
    "two hosts": (with_line("Host: evil.example"), [400]),
    "a host with a space": (changed("Host: 127.0.0.1:80", "Host: a b"), [400]),
    "a host with a user": (changed("Host: 127.0.0.1:80", "Host: user@h"), [400]),
    "no host": (changed("Host: 127.0.0.1:80\r\n", ""), [400]),
    "two keys": (with_line("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="), [400]),
    "two versions": (with_line("Sec-WebSocket-Version: 13"), [400]),
    "a key of 15 bytes": (changed("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25j"), [400]),
    "a protocol that only begins like websocket": (changed("Upgrade: websocket", "Upgrade: websocketx"), [400]),
    "a folded line": (with_line("X-Folded: a\r\n b"), [400]),
    "a bare CR in a value": (with_line("X-Value: a\rSet-Cookie: b"), [400]),
    "a bare LF at the end of a line": (with_line("X-Value: a\nX-Other: b"), [400]),
    "a NUL in a value": (with_line("X-Value: a\0b"), [400]),
    "a header without a name": (with_line(": value"), [400]),
    "a hundred and one lines": (with_line("\r\n".join(f"X-{i}: {i}" for i in range(101))), [431]),
    "a target of 20,000 bytes": (changed("GET /", "GET /" + "a" * 20000), [414]),
    "a method that is none": (changed("GET", "POST"), [405]),
    "HTTP/1.0": (changed("HTTP/1.1", "HTTP/1.0"), [505]),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400, 405, 505]),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), [400]),
    "garbage": (bytes(range(256)) * 8, [400]),
}

MASK = b"\0\0\0\0"
# What is sent after the upgrade, and the code of the Close that comes.
FRAMES = {
    "no mask": (frame(TEXT, b"hello", masked=False), 1002),
    "RSV1": (bytes([0xC1, 0x80]) + MASK, 1002),
    "RSV2": (bytes([0xA1, 0x80]) + MASK, 1002),
    "RSV3": (bytes([0x91, 0x80]) + MASK, 1002),
    **{f"opcode {opcode}": (bytes([0x80 | opcode, 0x80]) + MASK, 1002) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    "a ping of 126 bytes": (frame(PING, b"x" * 126), 1002),
    "a ping in pieces": (frame(PING, b"x", final=False), 1002),
    "a length of 64 bits with the highest set": (struct.pack("!BBQ", 0x82, 0xFF, 1 << 63) + MASK, 1002),
    "a length of 2^62": (struct.pack("!BBQ", 0x82, 0xFF, 1 << 62) + MASK, 1009),
    "a length of 16 bits for 125 bytes": (struct.pack("!BBH", 0x82, 0xFE, 125) + MASK, 1002),
    "a length of 64 bits for 65,535 bytes": (struct.pack("!BBQ", 0x82, 0xFF, 65535) + MASK, 1002),
    "a message above the limit": (struct.pack("!BBQ", 0x82, 0xFF, 65537) + MASK, 1009),
    "a message that grows above the limit": (frame(BINARY, b"x" * 40000, final=False) + struct.pack("!BBH", 0x80, 0xFE, 40000) + MASK, 1009),
    "a continuation of nothing": (frame(0, b"x"), 1002),
    "a message inside of a message": (frame(TEXT, b"x", final=False) + frame(BINARY, b"x"), 1002),
    "text that is no UTF-8": (frame(TEXT, b"\xc0\xaf"), 1007),
    "text with a surrogate, in a frame that never ends": (struct.pack("!BBH", 0x81, 0xFE, 1000) + MASK + b"\xed\xa0\x80", 1007),
    "text that ends inside of a character": (frame(TEXT, b"\xe2\x82"), 1007),
    "129 fragments": (frame(TEXT, b"", final=False) + frame(0, b"", final=False) * 128, 1008),
    "a Close of one byte": (frame(CLOSE, b"\x03"), 1002),
    **{f"a Close with {code}": (frame(CLOSE, struct.pack("!H", code)), 1002) for code in (0, 999, 1004, 1005, 1006, 1015, 2999, 5000)},
    "a Close whose reason is no UTF-8": (frame(CLOSE, struct.pack("!H", 1000) + b"\xff"), 1007),
}


class Wire:
    def __init__(self, judge, server, on):
        self.judge, self.server, self.on = judge, server, on
        with RawClient(server.port) as first:
            demand(first.echoes(), "no echo")
        self.descriptors = self.quiet()

    def quiet(self) -> int:
        sums = self.server.snapshot_when(lambda snapshot: snapshot["sessions"] == 0 == snapshot["handshakes"], 15)
        demand(sums["sessions"] == 0 == sums["handshakes"], f"somebody stays: {sums}")
        return self.server.descriptors()

    def run(self, name, attack, *arguments):
        def case():
            attack(*arguments)
            began = time.monotonic()
            with RawClient(self.server.port, seconds=5) as healthy:
                demand(healthy.echoes(), "a healthy client is not served")
            demand(time.monotonic() - began < 1, f"a healthy client waited for {time.monotonic() - began:.1f} s")
            self.quiet()
            until(lambda: self.server.descriptors() <= self.descriptors, f"{self.server.descriptors()} descriptors instead of {self.descriptors}")
        self.judge.run(f"{self.on}: {name}", case)

    def request(self, sent, expected):
        with RawClient(self.server.port, upgrade=False) as client:
            client.socket.sendall(sent)
            answer = ended_by_server(client)
        statuses = [int(status) for status in re.findall(rb"^HTTP/1\.1 (\d{3})", answer, re.M)]
        demand(len(statuses) == 1 and statuses[0] in expected, f"answered with {statuses}: {answer[:200]}")
        demand(b"planted" not in answer and b"Set-Cookie" not in answer, f"what was sent comes back: {answer[:200]}")

    def frames(self, sent, code):
        with RawClient(self.server.port) as client:
            client.socket.sendall(sent)
            demand(client.read_close()[0] == code, f"another Close than {code}")
            try:
                client.socket.sendall(frame(TEXT, b"and nothing more is heard"))
            except OSError:
                pass
            rest = ended_by_server(client)
            demand(b"nothing more" not in rest, "what came behind it was echoed")

    def close_without_end(self):
        """RFC 6455 7.1.1: the server ends the connection, whatever the client does."""
        clients = [RawClient(self.server.port) for _ in range(50)]
        for client in clients:
            client.send(CLOSE, struct.pack("!H", 1000))
        for client in clients:
            demand(client.read_close()[0] == 1000, "the Close is not answered")
        self.quiet()  # while the clients keep their sockets open
        for client in clients:
            client.close()

    def half_open(self):
        """Peers that are gone without a word: they answer no ping."""
        clients = [RawClient(self.server.port) for _ in range(50)]
        self.quiet()
        for client in clients:
            ended_by_server(client)
            client.close()

    def resets(self):
        for _ in range(500):
            client = socket.create_connection(("127.0.0.1", self.server.port), 10)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()

    def stalled(self):
        clients = [RawClient(self.server.port, receive_buffer=4096) for _ in range(200)]
        for client in clients:
            client.socket.settimeout(0.2)
            try:
                client.socket.sendall(frame(BINARY, b"x" * 60000) * 40)
            except OSError:
                pass  # it is not read from any more, or has been disconnected
        with RawClient(self.server.port, seconds=5) as other:
            demand(other.echoes(), "another client is not served")
        for client in clients:
            client.close()

    def memory(self):
        """What was needed once is kept by the allocator, and how much that is differs; a leak would take more each time."""
        growths = []
        for _ in range(4):
            self.quiet()
            before = self.server.resident_bytes()
            self.stalled()
            self.quiet()
            growths.append((self.server.resident_bytes() - before) / MIB)
            if growths[-1] < 4:
                return
        demand(is_sanitized(pathlib.Path(self.server.command[0])), f"more each time, in MiB: {growths}")


def main() -> int:
    raise_descriptor_limit()
    judge = Judge()
    program = pathlib.Path(sys.argv[1]).resolve() / "benchmarks/hubbub_load_server"
    engines = ["epoll", "asio"]
    if speaks(program, "tcp", "--engine", "uring"):
        engines.append("uring")
    limits = ["--ping-after", 500, "--silence", 1500, "--close-limit", 1000, "--handshake-limit", 2000, "--queue-bytes", 1 << 17]
    for engine in engines:
        with Server([program, "--snapshot", "--mode", "echo", "--engine", engine, *limits]) as server:
            wire = Wire(judge, server, engine)
            for name, (sent, expected) in REQUESTS.items():
                wire.run(name, wire.request, sent, expected)
            for name, (sent, code) in FRAMES.items():
                wire.run(name, wire.frames, sent, code)
            wire.run("a Close, and the client stays", wire.close_without_end)
            wire.run("peers that are gone without a word", wire.half_open)
            wire.run("a storm of resets", wire.resets)
            wire.run("two hundred readers that stall", wire.stalled)
            judge.run(f"{engine}: the same readers again take no more memory", wire.memory)
            judge.check(f"{engine}: the server ends well", server.end(12) == 0)
    return judge.sum_up()


if __name__ == "__main__":
    sys.exit(main())
