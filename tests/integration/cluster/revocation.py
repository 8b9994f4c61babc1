"""revocation.py NODE_PROGRAM [--only redis|nats]

What a user may no longer have ends on all nodes: somebody is revoked on one, while his sessions are on another, also while that one is cut
off from the broker. It prints after how long. The last line is "N passed, N failed".
"""
import argparse
import asyncio
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import websockets

from parts import SYSTEM, Nats, Program, Proxy, Redis, until
from processes import Failure, Judge

BROKERS = {"redis": (Redis, "redis-server"), "nats": (Nats, "nats-server")}
REVOKED = 4403
checks = Judge()


class Node(Program):
    async def start(self, *command):
        await self.spawn(*command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL)
        self.port = int((await asyncio.wait_for(self.process.stdout.readline(), 15)).split()[-1])

    async def get(self, target):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            return (await asyncio.wait_for(reader.read(), 5)).decode().partition("\r\n\r\n")[2]
        finally:
            writer.close()

    async def is_linked(self):
        return "continuous 1" in await self.get("/state")

    async def is_apart(self):
        return not await self.is_linked()

    def client(self, user):
        return websockets.connect(f"ws://127.0.0.1:{self.port}/{user}")


async def seconds_until_closed(client, since):
    """Since then, to the end with the code of a revocation."""
    try:
        await asyncio.wait_for(client.recv(), 20)
    except websockets.ConnectionClosed as closed:
        if closed.code == REVOKED:
            return time.monotonic() - since
        raise Failure(f"closed with {closed.code}") from None
    raise Failure("something else was heard")


async def revoke_with_the_broker(here, there):
    took = []
    for _ in range(10):
        async with there.client("ann") as ann, here.client("ann") as same, there.client("ben") as ben:
            begun = time.monotonic()
            await here.get("/revoke?ann")
            took.append(await seconds_until_closed(ann, begun))
            await seconds_until_closed(same, begun)
            await asyncio.wait_for(await ben.ping(), 10)
    print(f"        closed on the other node after {statistics.median(took) * 1000:.1f} ms, {max(took) * 1000:.1f} at most")


async def revoke_who_is_cut_off(here, there, proxy):
    took = []
    for _ in range(3):
        async with there.client("ann") as ann, there.client("ben") as ben:
            proxy.refuses = True
            proxy.reset()
            await until(there.is_apart, 10, "the node knows that it is cut off")
            await here.get("/revoke?ann")
            await asyncio.wait_for(await ann.ping(), 10)  # nobody could tell it
            proxy.refuses = False
            took.append(await seconds_until_closed(ann, time.monotonic()))
            await asyncio.wait_for(await ben.ping(), 10)
        await until(there.is_linked, 20, "the node is back")
    print(f"        closed after {statistics.median(took):.2f} s of being let back, {max(took):.2f} at most")


async def scene(kind, program, folder):
    broker = BROKERS[kind][0](folder / "broker")
    proxy = Proxy(broker.port)
    here, there = Node(), Node()
    try:
        await broker.start()
        await proxy.start()
        await here.start(program, f"--{kind}", f"{kind}://127.0.0.1:{broker.port}")
        await there.start(program, f"--{kind}", f"{kind}://127.0.0.1:{proxy.port}")
        for node in (here, there):
            await until(node.is_linked, 20, "a node has its broker")
        for name, work in (("a user who is revoked on one node is closed on the other", revoke_with_the_broker(here, there)),
                           ("and on one that was cut off, when it is back", revoke_who_is_cut_off(here, there, proxy))):
            try:
                await work
                checks.check(f"{kind}: {name}", True)
            except (Failure, OSError, asyncio.TimeoutError, websockets.WebSocketException) as problem:
                checks.check(f"{kind}: {name}", False, f"{type(problem).__name__} {problem}")
        for node in (here, there):
            code = await node.ask_to_end()
            checks.check(f"{kind}: a node ends by itself", code == 0, code)
    finally:
        proxy.stop()
        for each in (here, there, broker):
            await each.kill()


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("program", type=pathlib.Path)
    arguments.add_argument("--only", choices=BROKERS)
    options = arguments.parse_args()
    can = subprocess.run([options.program], capture_output=True, text=True, timeout=10).stderr.split()
    for kind, (_, needs) in BROKERS.items():
        if options.only not in (None, kind):
            continue
        if not shutil.which(needs, path=SYSTEM) or f"--{kind}" not in can:
            print(f"skipped: {kind}: there is no {needs}, or its library is not in {options.program}", flush=True)
            continue
        with tempfile.TemporaryDirectory(prefix="hubbub-revocation-") as folder:
            asyncio.run(scene(kind, options.program.resolve(), pathlib.Path(folder)))
    return checks.sum_up()


if __name__ == "__main__":
    sys.exit(main())
