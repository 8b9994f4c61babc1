#!/usr/bin/env python3
"""tests/attacks/attacks.py BUILD_DIR
What hostile clients try against the load server, over each engine. The last line is "N passed, N failed"."""
import pathlib
import selectors
import socket
import struct
import sys
import threading
import time
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from processes import Judge, Server, is_sanitized, raise_descriptor_limit, speaks  # noqa: E402
from raw_client import BINARY, PING, PONG, TEXT, RawClient, frame, request  # noqa: E402

MIB = 1024 * 1024


def demand(holds, why):
    if not holds:
        raise AssertionError(why)


def until(holds, why, seconds=10.0):
    end = time.monotonic() + seconds
    while not holds():
        demand(time.monotonic() < end, why)
        time.sleep(0.02)


def ended_by_server(client, seconds=10.0) -> bytes:
    """Reads to the end; what came."""
    client.socket.settimeout(seconds)
    received = client.bytes
    try:
        while piece := client.socket.recv(65536):
            received += piece
    except ConnectionResetError:
        pass
    return received


class Dripping:
    """A byte now and then, from a thread of its own, until the connection ends."""

    def __init__(self, client, piece: bytes, pause=0.05):
        self.over = threading.Event()

        def drip():
            try:
                while not self.over.wait(pause):
                    client.socket.send(piece)
            except OSError:
                pass
        self.thread = threading.Thread(target=drip, daemon=True)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


class Attacks:
    def __init__(self, load_server, *options):
        self.command = [load_server, "--snapshot", *options, "--mode"]
        self.sanitized = is_sanitized(load_server)

    def demand_less(self, growth, bound, what):
        """Of memory; a sanitizer keeps what is freed."""
        demand(growth < bound or self.sanitized, f"{growth / MIB:.1f} MiB more {what}")

    def out_of_descriptors(self):
        with Server([*self.command, "echo"], descriptors=64) as server:
            old = [RawClient(server.port) for _ in range(20)]
            waiting = [RawClient(server.port, upgrade=False) for _ in range(150)]  # the system lets them in, the server cannot
            until(lambda: server.descriptors() >= 63, "the descriptors did not run out")
            before, began = server.cpu_seconds(), time.monotonic()
            for _ in range(10):
                demand(all(client.echoes() for client in old), "an old session is broken")
                time.sleep(0.15)
            share = (server.cpu_seconds() - before) / (time.monotonic() - began)
            demand(share < 0.2, f"the server used {100 * share:.0f} % of a core for 200 echoes in {time.monotonic() - began:.1f} s")
            for client in waiting:
                client.close()
            with RawClient(server.port) as late:
                demand(late.echoes(), "nobody is accepted any more")
            demand(all(client.echoes() for client in old), "an old session is broken")
            for client in old:
                client.close()
            demand(server.end() == 0, "the server did not end well")

    def flood_of_pings(self):
        with Server([*self.command, "echo"]) as server:
            other, flood = RawClient(server.port), RawClient(server.port, receive_buffer=4096)
            demand(other.echoes(), "no echo")
            resident = server.resident_bytes()
            burst = b"".join(frame(PING, struct.pack("!I", number) + b"p" * 121) for number in range(1000))
            flood.socket.settimeout(10)
            sent = 0
            for _ in range(200):
                try:
                    flood.socket.sendall(burst)
                except socket.timeout:  # the server may stop reading from who does not read
                    demand(False, f"the server read no more after {sent} pings")
                sent += 1000
            last = struct.pack("!I", 0xFFFFFFFF) + b"the last"
            flood.send(PING, last)
            demand(other.echoes(), "another client is not served")
            growth = server.resident_bytes() - resident
            self.demand_less(growth, 4 * MIB, f"for {sent} pings without a reader")
            pongs = 0
            while True:  # RFC 6455 5.5.3: only the newest of several needs an answer
                payload = flood.read_until(PONG)
                pongs += 1
                if payload == last:
                    break
                demand(len(payload) == 125, "a pong that nobody pinged")
            demand(pongs <= sent + 1, "more pongs than pings")
            demand(flood.echoes(), "the session is broken")

    def message_without_end(self):
        with Server([*self.command, "echo", "--message-limit", 1000]) as server:
            resident = server.resident_bytes()
            endless, cut = RawClient(server.port), RawClient(server.port)
            endless.send(TEXT, b"once upon a time", final=False)
            cut.socket.sendall(frame(BINARY, b"x" * 60000)[:100])  # a frame of which the rest never comes
            began = time.monotonic()
            with Dripping(endless, frame(0, b"and then ", final=False)), Dripping(cut, b"x"):
                for client in (endless, cut):
                    code, reason = client.read_close()
                    demand(code == 1008, f"Close {code} {reason}")
            demand(time.monotonic() - began > 0.8, "before the limit")
            with RawClient(server.port) as many:  # not ended by time but by number
                many.send(TEXT, b"", final=False)
                try:
                    for _ in range(200):
                        many.send(0, b"", final=False)
                except OSError:
                    pass
                code, reason = many.read_close()
                demand(code == 1008, f"Close {code} {reason} for too many fragments")
            with RawClient(server.port) as huge:
                huge.socket.sendall(struct.pack("!BBQI", 0x82, 0xFF, 1 << 40, 0))
                code, reason = huge.read_close()
                demand(code == 1009, f"Close {code} {reason} for a terabyte that was announced")
            growth = server.resident_bytes() - resident
            self.demand_less(growth, 4 * MIB, "for messages that were never whole")

    def bomb(self):
        """10 MiB of zeros in 10 KiB, for who inflates what nobody has negotiated (RFC 7692 6)."""
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        bytes_of = deflate.compress(bytes(10 * MIB)) + deflate.flush(zlib.Z_SYNC_FLUSH)
        packed = frame(BINARY, bytes_of.removesuffix(b"\0\0\xff\xff"))
        demand(len(packed) < 16 * 1024, "it is not packed")
        with Server([*self.command, "echo"]) as server:
            with RawClient(server.port) as warm:
                demand(warm.echoes(), "no echo")
            resident = server.resident_bytes()
            for _ in range(20):
                with RawClient(server.port) as client:
                    client.socket.sendall(bytes([packed[0] | 0x40]) + packed[1:])
                    code, reason = client.read_close()
                    demand(code == 1002, f"Close {code} {reason}")
            self.demand_less(server.resident_bytes() - resident, 2 * MIB, "for what was never inflated")

    def fragments_without_end(self):
        """For an engine that counts the bytes of a message, but not its fragments."""
        with Server([*self.command, "echo"]) as server:
            resident = server.resident_bytes()
            with RawClient(server.port) as client:
                client.send(TEXT, b"x", final=False)
                burst = frame(0, b"x", final=False) * 1000
                try:
                    for _ in range(80):  # the limit is 64 KiB
                        client.socket.sendall(burst)
                except OSError:
                    pass
                code, reason = client.read_close()
                demand(code == 1009, f"Close {code} {reason}")
            self.demand_less(server.resident_bytes() - resident, 2 * MIB, "for fragments")

    def request_without_end(self):
        with Server([*self.command, "echo", "--handshake-limit", 1000]) as server:
            slow, silent, long = (RawClient(server.port, upgrade=False) for _ in range(3))
            began = time.monotonic()
            slow.socket.sendall(request(server.port)[:60])
            long.socket.sendall(request(server.port)[:-4] + b"\r\nX-Fill: " + b"x" * 20000)
            answer = ended_by_server(long)
            demand(answer.startswith(b"HTTP/1.1 431 "), f"answered with {answer[:60]}")
            with Dripping(slow, b"x"):  # a byte does not start the time again
                ended_by_server(slow)
            ended_by_server(silent)
            demand(0.8 < time.monotonic() - began < 8, f"ended after {time.monotonic() - began:.1f} s")
            sums = server.snapshot_when(lambda snapshot: snapshot["handshakes"] == 0)
            demand(sums["handshakes"] == 0 and sums["sessions"] == 0, f"{sums}")

    def half_open_handshakes(self, count=5000):
        count = min(count, raise_descriptor_limit() - 200)
        with Server([*self.command, "echo", "--handshake-limit", 4000]) as server:
            descriptors = server.descriptors_at_rest()
            old = RawClient(server.port)
            resident = server.resident_bytes()
            half = []
            for number in range(count):
                client = socket.create_connection(("127.0.0.1", server.port), 10)
                if number % 2:
                    client.send(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
                half.append(client)
            with RawClient(server.port) as late:
                demand(late.echoes() and old.echoes(), "nobody else is served")
            sums = server.snapshot()
            demand(sums["handshakes"] > 0, f"none of them waits: {sums}")
            growth = server.resident_bytes() - resident
            self.demand_less(growth, count * 2048 + MIB, f"for {count} handshakes")
            sums = server.snapshot_when(lambda snapshot: snapshot["handshakes"] == 0, 20)
            demand(sums["handshakes"] == 0 and sums["sessions"] == 1, f"they stay: {sums}")
            demand(old.echoes(), "the old session is broken")
            with selectors.DefaultSelector() as selector:
                for client in half:
                    client.setblocking(False)
                    selector.register(client, selectors.EVENT_READ)
                ready = {id(key.fileobj) for key, _ in selector.select(5)}
                demand(len(ready) == count, f"only {len(ready)} of {count} were told")
            old.close()
            for client in half:
                client.close()
            until(lambda: server.descriptors() == descriptors, f"{server.descriptors()} descriptors instead of {descriptors}")

    def resets_in_mid_message(self):
        with Server([*self.command, "broadcast", "--threads", 2]) as server:
            descriptors = server.descriptors_at_rest()
            for _ in range(300):
                client = RawClient(server.port)
                client.socket.sendall(frame(BINARY, b"x" * 1000) * 5 + frame(BINARY, b"x" * 1000)[:77])
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.close()
            sums = server.snapshot_when(lambda snapshot: snapshot["sessions"] == 0)
            demand(sums["sessions"] == 0 and sums["opened"] == sums["closed"] == 300, f"{sums}")
            dropped = sums["slow_consumer"] + sums["superseded"] + sums["expired"] + sums["session_closed"]
            demand(sums["deliveries"] == sums["written"] + dropped and sums["pending"] == 0, f"the sums do not add up: {sums}")
            until(lambda: server.descriptors() == descriptors, "descriptors are left")


def carry_out(judge, on, attacks):
    for name, attack in attacks:
        began = time.monotonic()
        judge.run(f"{on}: {name}", attack)
        print(f"        {time.monotonic() - began:.1f} s", flush=True)


def main() -> int:
    raise_descriptor_limit()
    judge = Judge()
    program = pathlib.Path(sys.argv[1]).resolve() / "benchmarks/hubbub_load_server"
    for engine in ("epoll", "asio"):
        attacks = Attacks(program, "--engine", engine)
        every = [("descriptors run out: old sessions work, no spinning, and it goes on", attacks.out_of_descriptors),
                 ("a flood of pings from who does not read", attacks.flood_of_pings),
                 ("messages that never end", attacks.message_without_end),
                 ("requests that never end", attacks.request_without_end),
                 ("thousands of half-open handshakes", attacks.half_open_handshakes),
                 ("resets in the middle of a message", attacks.resets_in_mid_message),
                 ("a bomb", attacks.bomb)]
        if attacks.sanitized:
            print(f"skipped {engine}: {every.pop(0)[0]}: a sanitizer needs descriptors of its own to look at an object", flush=True)
        carry_out(judge, engine, every)
    hosted, adopted = (Attacks(program, "--transport", kind) for kind in ("websocketpp", "websocketpp-adopted"))
    if not speaks(program, "websocketpp"):
        print("skipped: websocketpp: the load server was built without it", flush=True)
        return judge.sum_up()
    carry_out(judge, "websocketpp", [("a flood of pings from who does not read", hosted.flood_of_pings),
                                     ("messages that never end", hosted.message_without_end),
                                     ("resets in the middle of a message", hosted.resets_in_mid_message),
                                     ("a bomb", hosted.bomb)])
    carry_out(judge, "websocketpp-adopted", [("fragments that never end", adopted.fragments_without_end),
                                             ("resets in the middle of a message", adopted.resets_in_mid_message),
                                             ("a bomb", adopted.bomb)])
    return judge.sum_up()


if __name__ == "__main__":
    sys.exit(main())
