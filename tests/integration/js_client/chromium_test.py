"""chromium_test.py CHROMIUM PROGRAM
clients/js in headless Chromium against examples/15_protocol: what a page hears is whole, whatever its network does."""
import asyncio
import base64
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import websockets  # noqa: E402

from bad_network import Proxy  # noqa: E402
from chromium import browser_of  # noqa: E402
from processes import Judge, Server  # noqa: E402

judge = Judge()
CLIENT = HERE.parent.parent.parent / "clients/js/hubbub.js"

# A page of the server's origin has no script of its own, so this is all that runs there.
BEGIN = """(async () => {
  const {Hubbub} = await import("data:text/javascript;base64,%s");
  const hub = window.hub = new Hubbub(`ws://${location.host}/`, {base: 50, patience: 1500});
  window.states = [];
  hub.on("state", state => states.push({...state, at: Math.round(performance.now())}));
  const kept = JSON.parse(sessionStorage.getItem("kept") ?? '{"heard": [], "position": null}');
  window.heard = kept.heard;
  window.told = [];
  const room = window.room = hub.subscribe("room/1", {since: kept.position});
  room.on("subscribed", each => told.push(each));
  room.on("publication", ({data}) => {
    heard.push(data);
    sessionStorage.setItem("kept", JSON.stringify({heard, position: room.position}));
  });
  return true;
})()"""


def must(holds, why="it does not hold"):
    if not holds:
        raise AssertionError(why)


class Writer:
    """Publishes numbers all the time."""

    def __init__(self, port):
        self.port, self.count, self.goes_on = port, 0, True

    async def write(self):
        async with websockets.connect(f"ws://127.0.0.1:{self.port}/", subprotocols=["hubbub.v1.json"]) as socket:
            await socket.recv()
            while self.goes_on:
                await socket.send(json.dumps({"type": "publish", "id": 1, "topic": "room/1", "data": self.count}))
                answer = json.loads(await socket.recv())
                must(answer["type"] == "ack", str(answer))
                self.count += 1
                await asyncio.sleep(0.01)  # the pace

    async def wrote(self, more):
        wanted = self.count + more
        while self.count < wanted:
            await asyncio.sleep(0.01)


class Page:
    def __init__(self, browser, tab):
        self.browser, self.tab = browser, tab

    def js(self, expression):
        return self.browser.evaluate(self.tab, expression)

    def wait(self, expression):
        return self.browser.wait_for(self.tab, expression, 30)

    async def begin(self):
        must(await self.js(BEGIN % base64.b64encode(CLIENT.read_bytes()).decode()))
        await self.wait("told.length === 1")

    async def network(self, is_there):
        await self.browser.call("Network.enable", self.tab)
        await self.browser.call("Network.emulateNetworkConditions", self.tab, offline=not is_there, latency=0,
                                downloadThroughput=-1, uploadThroughput=-1)

    async def hears(self, writer, more=30):
        await self.wait(f"heard.filter(each => typeof each === 'number').length >= {writer.count + more}")

    async def subscriptions(self, wanted):
        await self.wait(f"told.length >= {wanted}")
        told = await self.js("told")
        must(all(each["recovered"] and not each["first"] for each in told[1:]), str(told))


async def offline(page, proxy, writer):
    await page.hears(writer)
    before = await page.js("told.length")
    await page.network(False)
    proxy.refuses = True
    proxy.cut()
    await page.wait("!navigator.onLine && hub.state !== 'connected'")
    await page.js("void (window.mine = hub.publish('room/1', 'from the page, offline'))")
    await writer.wrote(300)
    must(await page.js("hub.buffered.messages") == 1, "the publication does not wait")
    proxy.refuses = False
    await page.network(True)
    await page.subscriptions(before + 1)
    must((await page.js("mine"))["repeated"] is False)
    await page.hears(writer)


async def half_open(page, proxy, writer):
    before = await page.js("told.length")
    proxy.silence()
    await writer.wrote(30)
    await page.network(False)
    await page.network(True)  # the page is told, and looks
    await page.subscriptions(before + 1)
    await page.hears(writer)


async def cuts(page, proxy, writer):
    for _ in range(5):
        before = await page.js("told.length")
        proxy.cut()
        await page.subscriptions(before + 1)
        await page.hears(writer, 5)


async def loaded_again(page, proxy, writer):
    await page.browser.call("Page.enable", page.tab)
    await page.js("void (window.gone = false)")
    await page.browser.call("Page.reload", page.tab)
    await page.wait("window.gone === undefined && document.readyState === 'complete'")
    await writer.wrote(50)
    await page.begin()
    told = await page.js("told[0]")
    must(told["recovered"] and not told["first"], str(told))
    await page.hears(writer)


async def stops(page, proxy, writer):
    begun = proxy.number
    await page.js("hub.request('close', {code: 1008, reason: 'enough'}).catch(() => {})")
    await page.wait("hub.state === 'closed'")
    await page.network(False)
    await page.network(True)
    await writer.wrote(20)
    must(await page.js("states.at(-1).code") == 1008 and proxy.number == begun, "it came back")


async def main(chromium, program):
    with Server([program, "0"]) as server:
        async with Proxy(server.port) as proxy, browser_of(chromium) as browser:
            writer = Writer(server.port)
            writing = asyncio.ensure_future(writer.write())
            page = Page(browser, await browser.open_tab(f"http://127.0.0.1:{proxy.port}/"))
            await page.wait("document.readyState === 'complete' && location.protocol === 'http:'")
            await page.begin()
            first = None
            for name, case in (("offline for some seconds under traffic", offline), ("a half-open connection", half_open),
                               ("connections that are cut", cuts), ("a page that is loaded again", loaded_again), ("1008 ends it", stops)):
                try:
                    await case(page, proxy, writer)
                    heard = [each for each in await page.js("heard") if isinstance(each, int)]
                    first = heard[0] if first is None else first
                    must(heard == list(range(first, first + len(heard))), f"not whole: {[each for each, last in zip(heard[1:], heard) if each != last + 1]} follow others")
                    judge.check(name, True)
                except Exception as problem:  # whatever it is, the other cases still count
                    judge.check(name, False, f"{type(problem).__name__}: {problem}")
            judge.check("what the page published came once", (await page.js("heard")).count("from the page, offline") == 1)
            writer.goes_on = False
            await asyncio.wait_for(writing, 10)
        judge.check("the server ends", server.end(12) == 0)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
    sys.exit(judge.sum_up())
