"""slow_causes.py OPERATIONS_SERVER: each cause of slowness that is planted is the first that /debug/why names, within ten seconds."""
import asyncio
import contextlib
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from operated import Operated
from processes import Judge, free_port, raise_descriptor_limit
from raw_client import RawClient

PATIENCE = 10.0  # seconds
judge = Judge()


def must(holds, why="it does not hold"):
    if not holds:
        raise AssertionError(why)


async def first_is(causes_of, name, evidence=""):
    """Within the patience; says after how long, and what came behind it."""
    began = time.monotonic()
    while True:
        causes = await causes_of()
        if causes and causes[0]["name"] == name and evidence in causes[0]["evidence"]:
            break
        must(time.monotonic() < began + PATIENCE, f"the causes are {causes}")
        await asyncio.sleep(0.1)
    behind = "".join(f"; then {cause['name']}" for cause in causes[1:])
    print(f"        after {time.monotonic() - began:.1f} s: {causes[0]['evidence']}{behind}", flush=True)


async def nothing(operated):
    """Where other programs have the processor, that is said, and is true."""
    await asyncio.sleep(3)
    causes = [cause for cause in await operated.causes() if cause["name"] != "starved"]
    must(not causes, str(causes))


async def sleeping_handler(operated):
    async with operated.sleep():
        await first_is(operated.causes, "callbacks", "on_message takes")


async def stalled_clients(operated):
    async with operated.stall(50):
        await first_is(operated.causes, "slow_consumers", "do not read")


async def hot_topic(operated):
    async with operated.talk("ticks", 200, 50), operated.talk("calm", 5, 5):
        await first_is(operated.causes, "hot_topic", "topic ticks makes")


async def small_budget(operated):
    async with operated.stall(20, apart=True):
        await first_is(operated.causes, "memory", "most by queues")


async def few_descriptors(operated):
    """Sixty-four, which clients take all: nobody can ask any more, but who has asked before goes on to be told."""
    async with operated.watch() as watch:
        with contextlib.ExitStack() as stack:
            for _ in range(64):
                try:
                    stack.enter_context(RawClient(operated.port, seconds=0.5))
                except (OSError, EOFError):
                    break  # who comes now has to wait
            await first_is(watch, "descriptors", "descriptors are open")


@contextlib.contextmanager
def redis():
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        process = subprocess.Popen([shutil.which("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            yield process, f"redis://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait(10)


async def stopped_broker(operated, process):
    async with operated.talk("ticks", 20, 5):
        end = time.monotonic() + PATIENCE
        while any(cause["name"] == "broker" for cause in await operated.causes()):  # until it has found its broker
            must(time.monotonic() < end, "it does not find its broker")
            await asyncio.sleep(0.2)
        process.send_signal(signal.SIGSTOP)
        await first_is(operated.causes, "broker")
        process.send_signal(signal.SIGCONT)


async def planted(name, program, plant, *options, descriptors=None):
    """Each cause has a server of its own: what another has left behind is none of its."""
    try:
        operated = Operated(program, *options, descriptors=descriptors)
        await plant(operated)
        must(operated.server.end() == 0, "the server ended badly")
    except Exception as problem:  # whatever it is, the other cases still count
        return judge.check(name, False, f"{type(problem).__name__}: {problem}")
    return judge.check(name, True)


async def main(program) -> int:
    raise_descriptor_limit()
    await planted("a hub with nothing to do is not slow", program, nothing)
    await planted("a handler that sleeps 50 ms", program, sleeping_handler)
    await planted("fifty clients that do not read", program, stalled_clients)
    await planted("one topic that is hot", program, hot_topic)
    await planted("a small budget of memory", program, small_budget, "--memory", 4 << 20)
    await planted("few descriptors", program, few_descriptors, descriptors=64)
    if shutil.which("redis-server") and b"RedisBackplane" in pathlib.Path(program).read_bytes():
        with redis() as (process, url):
            await planted("a Redis that is stopped", program, lambda operated: stopped_broker(operated, process), "--redis", url)
    return judge.sum_up()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1])))
