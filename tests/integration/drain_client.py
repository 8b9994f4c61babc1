"""drain_client.py LOAD_SERVER: a thousand clients of a broadcast hear all that was sent, then a Close, when the server goes away."""
import selectors
import socket
import sys
import time

from processes import Failure, Judge, Server, raise_descriptor_limit
from raw_client import BINARY, CLOSE, RawClient, frame

SYNCHRONISE = frame(BINARY, b"everybody here?", masked=False)


class Member:
    """One of many clients: it expects `stream` behind some SYNCHRONISE, then a Close, and answers that."""

    def __init__(self, port, stream):
        self.stream = memoryview(stream)
        self.client = RawClient(port)
        self.socket = self.client.socket
        self.socket.setblocking(False)
        self.bytes = bytearray(self.client.bytes)
        self.begun = self.heard = 0  # SYNCHRONISE frames; bytes of the stream
        self.close = None
        self.problem = ""
        self.over = False

    def read(self):
        try:
            received = self.socket.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError as error:
            self.problem, self.over = self.problem or str(error), True
            return
        if not received:
            self.over = True
            return
        self.bytes += received
        while not self.heard and self.bytes.startswith(SYNCHRONISE):
            del self.bytes[:len(SYNCHRONISE)]
            self.begun += 1
        if not self.heard and len(self.bytes) < len(SYNCHRONISE) and SYNCHRONISE.startswith(self.bytes):
            return
        due = min(len(self.bytes), len(self.stream) - self.heard)
        if self.bytes[:due] != self.stream[self.heard:self.heard + due] and self.close is None:
            if self.heard or self.bytes[0] != 0x80 | CLOSE:
                self.problem = self.problem or f"other bytes than were sent, behind {self.heard}"
            else:
                due = 0
        self.heard += due
        del self.bytes[:due]
        if self.close is None and len(self.bytes) >= 4 and self.bytes[0] == 0x80 | CLOSE:
            self.close = int.from_bytes(self.bytes[2:4], "big")
            self.socket.setblocking(True)
            self.socket.sendall(frame(CLOSE, bytes(self.bytes[2:4])))
            self.socket.setblocking(False)


def run(load_server, threads, engine, members, stalled, messages=400):
    payloads = [number.to_bytes(4, "big") + bytes([number & 255]) * 196 for number in range(messages)]
    stream = b"".join(frame(BINARY, payload, masked=False) for payload in payloads)
    command = [load_server, "--mode", "broadcast", "--threads", threads, "--engine", engine]
    with Server(command) as server, selectors.DefaultSelector() as selector:
        all_members = [Member(server.port, stream) for _ in range(members)]
        for member in all_members:
            selector.register(member.socket, selectors.EVENT_READ, member)
        silent = [RawClient(server.port, receive_buffer=4096) for _ in range(stalled)]  # they never read

        def turn(seconds):
            for key, _ in selector.select(seconds):
                key.data.read()
                if key.data.over:
                    selector.unregister(key.data.socket)
                    key.data.socket.close()

        publisher = all_members[0].socket
        end = time.monotonic() + 20
        while not all(member.begun for member in all_members):  # who joins another shard is a member a moment later
            if time.monotonic() > end:
                raise Failure("not all became members")
            publisher.sendall(frame(BINARY, b"everybody here?"))
            asked = time.monotonic()
            while time.monotonic() < asked + 1 and not all(member.begun for member in all_members):
                turn(0.1)
        # All of it is with the kernel when the signal comes; the server has read little of it.
        publisher.setblocking(True)
        publisher.sendall(b"".join(frame(BINARY, payload) for payload in payloads))
        publisher.setblocking(False)
        began = time.monotonic()
        server.ask_to_end()
        while selector.get_map() and time.monotonic() < began + 15:
            turn(0.1)
        code = server.wait(15)
        took = time.monotonic() - began
        problems = [member.problem for member in all_members if member.problem]
        assert not problems, f"{len(problems)} members, the first: {problems[0]}"
        incomplete = sum(member.heard != len(stream) for member in all_members)
        assert not incomplete, f"{incomplete} of {members} members did not get all"
        closes = {member.close for member in all_members}
        assert closes == {1012}, f"closes were {closes}"
        assert code == 0, f"exit code {code}"
        assert took < 10, f"it took {took:.1f} s"
        try:
            RawClient(server.port, seconds=2)
            raise AssertionError("a new connection was accepted")
        except (ConnectionError, socket.timeout):
            pass
        for client in [*silent, *(member.client for member in all_members)]:
            client.close()
        print(f"        {members} clients, {stalled} that never read: over after {took:.1f} s")


def main(load_server):
    raise_descriptor_limit()
    judge = Judge()
    judge.run("1,000 clients of one shard hear all and get 1012", run, load_server, 1, "epoll", 1000, 0)
    judge.run("1,000 clients of two shards hear all and get 1012", run, load_server, 2, "epoll", 1000, 0)
    judge.run("1,000 clients over the asio engine hear all and get 1012", run, load_server, 2, "asio", 1000, 0)
    # The server reads that in many turns, and the signal comes with the first.
    judge.run("a megabyte that is on its way still reaches 300 clients", run, load_server, 1, "epoll", 300, 0, 5000)
    judge.run("20 who never read do not keep the others from it", run, load_server, 2, "epoll", 200, 20)
    return judge.sum_up()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
