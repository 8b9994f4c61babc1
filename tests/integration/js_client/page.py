"""clients/js in a tab of Chromium, and who publishes what it is to hear."""
import asyncio
import base64
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import websockets  # noqa: E402

CLIENT = HERE.parent.parent.parent / "clients/js/hubbub.js"

# A page of the server's origin has no script of its own, so this is all that runs there.
BEGIN = """(async () => {
  const {Hubbub} = await import("data:text/javascript;base64,%s");
  window.asked = [];
  const hub = window.hub = new Hubbub(`ws://${location.host}/`, %s);
  window.states = [];
  window.problems = [];
  hub.on("state", state => states.push({...state, at: Math.round(performance.now())}));
  hub.on("error", problem => problems.push(problem.code));
  const kept = JSON.parse(sessionStorage.getItem("kept") ?? '{"heard": [], "position": null}');
  window.heard = kept.heard;
  window.told = [];
  const room = window.room = hub.subscribe("room/1", {since: kept.position});
  room.on("subscribed", each => told.push({...each, at: Math.round(performance.now())}));
  room.on("publication", ({data}) => heard.push(data));
  addEventListener("pagehide", () => sessionStorage.setItem("kept", JSON.stringify({heard, position: room.position})));
  return true;
})()"""


def must(holds, why="it does not hold"):
    if not holds:
        raise AssertionError(why)


class Writer:
    """Publishes numbers all the time."""

    def __init__(self, port, token=None):
        self.port, self.count, self.goes_on = port, 0, True
        self.protocols = ["hubbub.v1.json", *([f"bearer.{token}"] if token else [])]

    async def write(self):
        async with websockets.connect(f"ws://127.0.0.1:{self.port}/", subprotocols=self.protocols) as socket:
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
    """`options`: of the client, as its program writes them."""

    def __init__(self, browser, tab, options):
        self.browser, self.tab, self.options = browser, tab, options

    @classmethod
    async def open(cls, browser, port, options):
        page = cls(browser, await browser.open_tab(f"http://127.0.0.1:{port}/"), options)
        await page.wait("document.readyState === 'complete' && location.protocol === 'http:'")
        await page.begin()
        return page

    def js(self, expression):
        return self.browser.evaluate(self.tab, expression)

    def wait(self, expression):
        return self.browser.wait_for(self.tab, expression, 30)

    async def begin(self):
        must(await self.js(BEGIN % (base64.b64encode(CLIENT.read_bytes()).decode(), self.options)))
        await self.wait("told.length === 1")

    async def network(self, is_there):
        await self.browser.call("Network.enable", self.tab)
        await self.browser.call("Network.emulateNetworkConditions", self.tab, offline=not is_there, latency=0,
                                downloadThroughput=-1, uploadThroughput=-1)

    async def numbers(self):
        return [each for each in await self.js("heard") if isinstance(each, int)]

    async def hears(self, writer, more=30):
        await self.wait(f"heard.filter(each => typeof each === 'number').length >= {writer.count + more}")

    async def subscriptions(self, wanted):
        await self.wait(f"told.length >= {wanted}")
        told = await self.js("told")
        must(all(each["recovered"] and not each["first"] for each in told[1:]), str(told))

    async def is_whole(self):
        """What was heard of the writer are all its numbers from the first one on, once and in order; returns how many."""
        heard = await self.numbers()
        must(heard == list(range(heard[0], heard[0] + len(heard))),
             f"not whole: {[each for each, last in zip(heard[1:], heard) if each != last + 1]} follow others")
        return len(heard)


async def judge_cases(judge, page, cases):
    """Behind each of them the page must have heard all."""
    for name, case in cases.items():
        try:
            await case()
            await page.is_whole()
            judge.check(name, True)
        except Exception as problem:  # whatever it is, the other cases still count
            judge.check(name, False, f"{type(problem).__name__}: {problem}")
