"""A hub with what makes it slow, and its server for operators: hubbub_operations_server and clients of it."""
import asyncio
import contextlib
import json
import pathlib
import urllib.request

import websockets

from processes import Server
from raw_client import TEXT, RawClient


class Operated:
    """The server with its two ports, and clients of it."""

    def __init__(self, program, *options, descriptors=None):
        self.server = Server([program, *options], descriptors)
        self.port = self.server.port
        self.of_operators = int(self.server.line().rpartition(":")[2])

    def client(self, user="", label=""):
        return websockets.connect(f"ws://127.0.0.1:{self.port}/", extra_headers={"X-User": user, **({"X-Label": label} if label else {})})

    def cpu_of_loops(self) -> list:
        """Seconds, of each loop. The first thread has one, the second is the operators', the others have the rest."""
        threads = sorted(pathlib.Path(f"/proc/{self.server.pid}/task").iterdir(), key=lambda each: int(each.name))
        return [int((each / "schedstat").read_text().split()[0]) / 1e9 for at, each in enumerate(threads) if at != 1]

    async def causes(self) -> list:
        """Why it is slow, the heaviest first, as /debug/why says it."""
        def get():
            with urllib.request.urlopen(f"http://127.0.0.1:{self.of_operators}/debug/why", timeout=10) as answer:
                return json.load(answer)

        return await asyncio.to_thread(get)

    @contextlib.asynccontextmanager
    async def watch(self):
        """The same, as who watches the live page is told."""
        async with websockets.connect(f"ws://127.0.0.1:{self.of_operators}/", max_size=None) as socket:
            async def causes():
                while True:
                    message = json.loads(await asyncio.wait_for(socket.recv(), 10))
                    if "causes" in message:
                        return message["causes"]

            yield causes

    @contextlib.asynccontextmanager
    async def talk(self, topic, rate=50, members=3):
        """Some who listen, and one who talks to them."""
        async with contextlib.AsyncExitStack() as stack:
            async def listen(client):
                async for _ in client:
                    pass

            async def speak(client):
                while True:
                    await client.send(f"{topic} {'x' * 100}")
                    await asyncio.sleep(1 / rate)

            tasks = []
            for number in range(members):
                client = await stack.enter_async_context(self.client(f"listener {number}"))
                await client.send(f"join {topic}")
                tasks.append(asyncio.ensure_future(listen(client)))
            speaker = await stack.enter_async_context(self.client("speaker"))
            tasks += [asyncio.ensure_future(listen(speaker)), asyncio.ensure_future(speak(speaker))]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def sleep(self):
        """One whose messages keep a loop."""
        async with self.client("sleeper") as client:
            async def say():
                while True:
                    await client.send("sleep")
                    await asyncio.sleep(0.2)

            task = asyncio.ensure_future(say())
            try:
                yield
            finally:
                task.cancel()

    @contextlib.asynccontextmanager
    async def stall(self, count=3, apart=False):
        """Some who do not read, and one who sends them more than their sockets take: all the same, which is kept once, or each its own."""
        stalled = [RawClient(self.port, receive_buffer=4096, headers=[f"X-User: stalled {number}", "X-Label: slow"]) for number in range(count)]
        topics = [f"flood-{number}" for number in range(count)] if apart else ["flood"]
        for number, client in enumerate(stalled):
            client.send(TEXT, f"join {topics[number % len(topics)]}".encode())
        async with self.client("flooder") as client:
            async def flood():
                for _ in range(200):
                    for topic in topics:
                        await client.send(f"{topic} {'x' * 20_000}")
                while True:
                    for topic in topics:
                        await client.send(f"{topic} x")
                    await asyncio.sleep(0.1)

            task = asyncio.ensure_future(flood())
            try:
                yield
            finally:
                task.cancel()
                for each in stalled:
                    each.close()
