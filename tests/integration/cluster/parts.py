"""Brokers, processes and a network that the scripts of this folder break."""
import asyncio
import os
import pathlib
import shutil
import signal
import socket
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from processes import Failure, free_port  # noqa: E402

SYSTEM = f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin"


async def until(holds, seconds, what, pause=0.02):
    end = time.monotonic() + seconds
    while not (found := await holds()):
        if time.monotonic() > end:
            raise Failure(f"not within {seconds:g} s: {what}")
        await asyncio.sleep(pause)
    return found


class Program:
    """A process that is ended by its id."""

    def __init__(self):
        self.process = None

    async def spawn(self, *command, **more):
        self.process = await asyncio.create_subprocess_exec(*map(str, command), stdin=asyncio.subprocess.DEVNULL, **more)

    def signal(self, number):
        if self.process and self.process.returncode is None:
            self.process.send_signal(number)

    async def kill(self):
        self.signal(signal.SIGKILL)
        if self.process:
            await self.process.wait()

    async def ask_to_end(self, seconds=10):
        self.signal(signal.SIGTERM)
        try:
            return await asyncio.wait_for(self.process.wait(), seconds)
        except asyncio.TimeoutError:
            await self.kill()
            return "a kill"


# ---- brokers

async def answers(port):
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


class Redis(Program):
    def __init__(self, folder, *more, port=None):
        super().__init__()
        self.folder, self.more, self.port = folder, more, port or free_port()
        self.appends = False

    async def start(self, appends=False):
        self.folder.mkdir(exist_ok=True)
        self.appends = appends
        with open(self.folder / "log", "ab") as log:
            await self.spawn(shutil.which("redis-server", path=SYSTEM), *self.more, "--port", self.port, "--bind", "127.0.0.1", "--dir",
                             self.folder, "--save", "", "--appendonly", "yes" if appends else "no", "--repl-diskless-sync-delay", "0",
                             stdout=log, stderr=log)
        await until(self.is_up, 10, "Redis answers")

    async def is_up(self):
        try:
            return (await self.ask("PING")).startswith(b"+PONG")
        except OSError:
            return False

    async def ask(self, *words) -> bytes:
        """The beginning of the answer is enough here."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in (w.encode() for w in words)))
            return await asyncio.wait_for(reader.read(65536), 5)
        finally:
            writer.close()

    async def begin_to_append(self):
        await self.ask("CONFIG", "SET", "appendonly", "yes")

        async def is_rewritten():
            told = await self.ask("INFO", "persistence")
            return b"aof_rewrite_in_progress:0" in told and b"aof_rewrite_scheduled:0" in told and b"aof_enabled:1" in told
        await until(is_rewritten, 10, "Redis writes down what it has")
        self.appends = True

    def forget(self):
        shutil.rmtree(self.folder)


class Nats(Program):
    def __init__(self, folder):
        super().__init__()
        self.folder, self.port = folder, free_port()

    async def start(self):
        self.folder.mkdir(exist_ok=True)
        with open(self.folder.parent / "nats.log", "ab") as log:
            await self.spawn(shutil.which("nats-server", path=SYSTEM), "-js", "-sd", self.folder, "-a", "127.0.0.1", "-p", self.port,
                             stdout=log, stderr=log)
        await until(lambda: answers(self.port), 10, "NATS answers")

    def forget(self):
        shutil.rmtree(self.folder)


class Proxy:
    """Between the nodes and the broker, to reset what they have."""

    def __init__(self, to_port):
        self.to_port, self.pairs, self.refuses = to_port, set(), False

    async def start(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    async def serve(self, reader, writer):
        if self.refuses:
            return self.cut(writer)
        try:
            there, to = await asyncio.open_connection("127.0.0.1", self.to_port)
        except OSError:
            return self.cut(writer)
        pair = (writer, to)
        self.pairs.add(pair)
        await asyncio.gather(self.relay(reader, to), self.relay(there, writer), return_exceptions=True)
        self.pairs.discard(pair)
        for each in pair:
            self.cut(each)

    @staticmethod
    async def relay(reader, writer):
        try:
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        writer.close()

    @staticmethod
    def cut(writer):
        if one := writer.get_extra_info("socket"):
            if one.fileno() >= 0:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    def reset(self):
        for pair in list(self.pairs):
            for each in pair:
                self.cut(each)

    def stop(self):
        self.server.close()
        self.reset()
