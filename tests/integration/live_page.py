"""live_page.py OPERATIONS_SERVER CHROMIUM [--cost | --screenshots DIR]
The live page for operators in headless Chromium, while clients talk, sleep and stand still. With --cost it is only measured what
the page costs the loops while it is open, which is no test, because other programs have the processor too; with --screenshots only
pictures are taken."""
import argparse
import asyncio
import contextlib
import json
import pathlib
import signal
import sys
import time

import websockets

from bad_network import Proxy
from chromium import browser_of
from operated import Operated
from processes import Judge, raise_descriptor_limit
from raw_client import RawClient
from tab import CONTRAST, Tab

KEY = "a secret"
IMAGE = "<img src=x onerror=alert(1)>"
BOLD = "<b>bold</b>"

judge = Judge()


def must(holds, why="it does not hold"):
    if not holds:
        raise AssertionError(why)


async def case(name, waited):
    try:
        await waited
    except Exception as problem:  # whatever it is, the other cases still count
        return judge.check(name, False, f"{type(problem).__name__}: {problem}")
    return judge.check(name, True)


class LiveTab(Tab):
    is_ready = "document.getElementById('state')?.textContent === 'connected' && !document.querySelector('main.waits')"

    @classmethod
    async def show(cls, browser, port, key=None, **more):
        """The page, as who has that cookie sees it."""
        context = (await browser.call("Target.createBrowserContext"))["browserContextId"]
        if key:
            await browser.call("Storage.setCookies", browserContextId=context,
                               cookies=[{"name": "operator", "value": key, "url": f"http://127.0.0.1:{port}/"}])
        return await cls.open(browser, f"http://127.0.0.1:{port}/", context=context, **more)

    def tile(self, title):
        return (f"[...document.querySelectorAll('.tile')].find(tile => tile.querySelector('h3').textContent === {json.dumps(title)})"
                ".querySelector('.figure').textContent")

    def column(self, table, column):
        return f"JSON.stringify([...document.querySelectorAll('#{table} tbody tr')].map(row => row.cells[{column}].textContent))"

    def users(self, *users):
        """The sessions that are shown are those of these users, whatever their order."""
        return self.wait(f"JSON.stringify(JSON.parse({self.column('sessions', 1)}).sort()) === {json.dumps(json.dumps(sorted(users), separators=(',', ':')))}")

    def points(self):
        return self.js("document.querySelector('.plot .line').getAttribute('d').split('L').length")

    def first_cause(self, name):
        return self.wait(f"document.querySelector('#causes li').dataset.cause === {json.dumps(name)}", 20)

    async def filter(self, **given):
        for name in ("user", "address", "label"):
            await self.js(f"document.getElementById('filter-{name}').value = ''")
            if name in given:
                await self.fill(f"filter-{name}", given[name])
        await self.enter_key()

    async def tab_to(self, holds):
        """As who has only a keyboard: until the focus is where that holds."""
        for _ in range(60):
            await self.key("Tab")
            if await self.js(f"(at => {holds})(document.activeElement)"):
                return
        raise AssertionError(f"the focus never comes to where {holds}")


# ---- what is seen

async def lives(tab, operated):
    async with operated.talk(BOLD):
        await tab.wait(f"parseFloat({tab.tile('Received')}) > 10")
        before, began = await tab.points(), time.monotonic()
        while await tab.points() < before + 3:
            must(time.monotonic() - began < 10, "reports do not come")
            await asyncio.sleep(0.05)
        must(1.5 < time.monotonic() - began, "reports come more often than each second")
    await tab.wait(f"{tab.tile('Received')} === '0/s'")


async def names_stay_text(tab, operated):
    async with operated.talk(BOLD), operated.client(IMAGE, BOLD):
        await tab.wait(f"{tab.column('topics', 0)}.includes({json.dumps(BOLD)})")
        await tab.wait(f"{tab.column('sessions', 1)}.includes({json.dumps(IMAGE)})")
        must(await tab.js("document.querySelectorAll('main b, main img').length") == 0, "it became HTML")


async def names_causes(tab, operated):
    async with operated.sleep():
        await tab.first_cause("callbacks")
        must("on_message takes" in await tab.js("document.querySelector('#causes li').textContent"), "it does not say which hook")
        must((await tab.js("document.getElementById('causes-said').textContent")).startswith("Slow, because: User code keeps a loop"))
    # Something else may be left, where other programs have the processor.
    await tab.wait("!document.querySelector('#causes [data-cause=callbacks]')", 20)
    must("User code" not in await tab.js("document.getElementById('causes-said').textContent"), "it still says so")


async def shows_slow_consumers(tab, operated):
    async with operated.stall():
        await tab.first_cause("slow_consumers")
        await tab.wait(f"JSON.parse({tab.column('sessions', 1)}).slice(0, 3).every(user => user.startsWith('stalled '))")
        must(await tab.js("document.querySelector('#sessions tbody tr').cells[2].textContent.endsWith('iB')"), "nothing is queued, it says")


async def filters(tab, operated):
    async with operated.client("ann", "vip"), operated.client("ben", "vip"), operated.client("ben"):
        await tab.filter(user="ben")
        await tab.users("ben", "ben")
        await tab.filter(user="ben", label="vip")
        await tab.users("ben")
        async with operated.client("ben", "vip"):  # the filter goes on asking
            await tab.users("ben", "ben")
        await tab.users("ben")
        await tab.filter(address="127.0.0.2")
        await tab.users()
        must(await tab.js("document.getElementById('sessions').innerText") == "There is no such session.")
        await tab.click("#filter [type=reset]")
        await tab.users("ann", "ben", "ben")


async def closes_by_keyboard(tab, operated):
    async with operated.client("eve") as eve, operated.client("ann"):
        await tab.filter(user="eve")
        await tab.users("eve")
        await tab.tab_to("at.getAttribute('aria-label')?.endsWith(' of eve')")
        for confirms in (False, True):
            await tab.enter_key()
            await tab.wait("document.getElementById('ask').open && document.activeElement.id === 'ask-cancel'")
            must("of eve from 127.0.0.1" in await tab.js("document.getElementById('ask-text').textContent"), "it does not say whom")
            if confirms:
                await tab.key("Tab")
                await tab.enter_key()
            else:
                await tab.key("Escape")
                await tab.wait("!document.getElementById('ask').open")
                before = await tab.points()
                while await tab.points() < before + 2:  # the focus stays while reports come
                    await asyncio.sleep(0.1)
                must(await tab.js("document.activeElement.getAttribute('aria-label')?.endsWith(' of eve')"), "the focus is lost")
        try:
            await asyncio.wait_for(eve.recv(), 10)
        except websockets.ConnectionClosed as closed:
            must(closed.code == 1008 and closed.reason == "closed by an operator", str(closed))
        await tab.users()
        must("is closed" in await tab.js("document.getElementById('notice').textContent"), "it does not say that it is done")
        must(await tab.js("document.activeElement.id") == "sessions", "the focus is lost with the row")
        await tab.click("#filter [type=reset]")
        await tab.users("ann")


async def only_looks(browser, operated):
    for key in (None, "a guess"):
        tab = await LiveTab.show(browser, operated.of_operators, key)
        async with operated.client("ann"):
            await tab.users("ann")
            must(await tab.js("document.getElementById('drain').hidden"), "it offers to drain")
            must(await tab.js("!document.querySelector('#sessions button')"), "it offers to close")
        must(not await tab.all_problems(), str(await tab.all_problems()))
        await tab.close()


async def tells_of_silence(tab, operated):
    """A server that hangs keeps its connections: the page says that nothing comes, and does not pretend."""
    operated.server.process.send_signal(signal.SIGSTOP)
    try:
        await tab.wait("document.getElementById('state').textContent.startsWith('no report for ') && !!document.querySelector('main.stale')")
    finally:
        operated.server.process.send_signal(signal.SIGCONT)
    await tab.wait("document.getElementById('state').textContent === 'connected' && !document.querySelector('main.stale')")


async def comes_back(tab, proxy, operated):
    await tab.filter(user="ann")
    async with operated.client("ann"), operated.client("ben"):
        await tab.users("ann")
        proxy.refuses = True
        proxy.cut()
        await tab.wait("document.getElementById('state').textContent.startsWith('reconnecting') && "
                       "document.querySelector('main.stale') && !document.getElementById('connect-now').hidden")
        proxy.refuses = False
        await tab.wait("document.getElementById('state').textContent === 'connected' && !document.querySelector('main.stale')", 30)
        must(await tab.js("document.getElementById('connect-now').hidden"))
        async with operated.client("ann"):
            await tab.users("ann", "ann")
    await tab.click("#filter [type=reset]")


async def fits(tab, operated):
    """Everywhere, in the light and in the dark: nothing is wider than the page, and all text is readable."""
    async with operated.talk("a-topic-with-a-name-that-is-as-long-as-names-are-that-nobody-has-thought-about", members=8), operated.stall(2):
        await tab.first_cause("slow_consumers")
        for width, mobile in ((360, True), (768, False), (1280, False)):
            await tab.resize(width, 800, mobile)
            for dark in (False, True):
                await tab.colours(dark)
                await asyncio.sleep(0.3)  # for what fades
                wide = await tab.js("[document.documentElement.scrollWidth, innerWidth]")
                must(wide[0] <= wide[1], f"at {width}: {wide}")
                found = await tab.js(CONTRAST)
                must(found["seen"] > 60 and not found["wrong"], f"{'dark' if dark else 'light'} at {width}: {found}")
        await tab.colours(False)
        await tab.resize(1100, 760)


async def names_for_readers(tab, operated):
    async with operated.client("ann"):
        await tab.users("ann")
        nodes = (await tab.call("Accessibility.getFullAXTree"))["nodes"]
    seen = [(node.get("role", {}).get("value"), (node.get("name") or {}).get("value", "")) for node in nodes if not node.get("ignored")]
    wanted = {"main", "banner", "heading", "button", "textbox", "region", "table", "columnheader", "rowheader"}
    must(wanted <= {role for role, _ in seen}, f"missing: {wanted - {role for role, _ in seen}}")
    nameless = [role for role, name in seen if role in ("button", "textbox", "link", "region", "image") and not name]
    must(not nameless, f"without a name: {nameless}")
    live = await tab.js("[...document.querySelectorAll('[aria-live], [role=status], [role=alert]')].map(e => e.id).sort().join()")
    must(live == "causes-said,notice", live)
    order = []
    await tab.js("document.getElementById('drain').focus()")
    while len(order) < 60:
        await tab.key("Tab" if order else "Shift")  # the focus is shown to who uses the keyboard
        at, outline = await tab.js("[document.activeElement.id || document.activeElement.tagName, getComputedStyle(document.activeElement).outlineStyle]")
        if at in ("BODY", *order[:1]):
            break
        must(outline != "none", f"no focus is shown at {at}")
        order.append(at)
    must([each for each in order if each.startswith("filter") or each == "drain"] == ["drain", "filter-user", "filter-address", "filter-label"], str(order))


async def drains(tab, operated):
    async with operated.client("ann") as ann:
        await tab.users("ann")
        await tab.js("document.getElementById('drain').focus()")
        await tab.enter_key()
        await tab.wait("document.getElementById('ask').open")
        await tab.key("Tab")
        await tab.enter_key()
        try:
            await asyncio.wait_for(ann.recv(), 10)
        except websockets.ConnectionClosed as closed:
            must(closed.code == 1012, str(closed))
    await tab.wait("!document.getElementById('draining').hidden && document.getElementById('drain').disabled")


async def cost(browser, program, count):
    """All that loops do for so many who are silent, of which a snapshot each second is a part."""
    operated = Operated(program)
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(RawClient(operated.port))
        tab = await LiveTab.show(browser, operated.of_operators)
        await tab.wait(f"{tab.tile('Sessions')} === '{count:,}'")
        for _ in range(5):
            before, began = operated.cpu_of_loops(), time.monotonic()
            await asyncio.sleep(10)
            passed = time.monotonic() - began
            parts = [(after - each) / passed for each, after in zip(before, operated.cpu_of_loops())]
            print(f"{count} sessions, of each loop's time: {', '.join(f'{part:.2%}' for part in parts)}", flush=True)
        await tab.close()
    must(operated.server.end() == 0, "the server ended badly")


async def cases(browser, program):
    operated = Operated(program, "--act", KEY)
    async with Proxy(operated.of_operators) as proxy:
        tab = await LiveTab.show(browser, proxy.port, KEY)
        for name, function, *more in (
                ("a report comes each second, and is shown", lives), ("names of users and topics stay text", names_stay_text),
                ("a handler that sleeps is the first cause, as long as it does", names_causes),
                ("who does not read is shown first", shows_slow_consumers),
                ("filters by user, label and address", filters),
                ("a session is closed by keyboard, when that is confirmed", closes_by_keyboard)):
            await case(name, function(tab, operated, *more))
        await case("who may only look has neither button", only_looks(browser, operated))
        await case("names for screen readers, and a focus that is seen", names_for_readers(tab, operated))
        await case("it fits a phone and a desk, light and dark, and can be read", fits(tab, operated))
        await case("a server that hangs is told of", tells_of_silence(tab, operated))
        await case("it comes back, with its filter", comes_back(tab, proxy, operated))
        await case("the hub is drained, when that is confirmed", drains(tab, operated))
        problems = await tab.all_problems()
        judge.check("no error in the console, nothing that the policy forbids", not problems, "; ".join(problems))
    judge.check("the server ends orderly", operated.server.end() == 0)


async def screenshots(browser, program, folder):
    """Five minutes with more and less to do, at whose end some stand still."""
    folder.mkdir(parents=True, exist_ok=True)
    operated = Operated(program, "--act", KEY)
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(operated.talk("chat/lobby", 30, 12))
        for seconds in (20, 40, 25, 60, 45):
            async with operated.talk("prices/gold", 40 + 2 * seconds, 30):
                await asyncio.sleep(seconds)
            await asyncio.sleep(15)
        for part in (operated.talk("prices/gold", 200, 30), operated.sleep(), operated.stall(3)):
            await stack.enter_async_context(part)
        tab = await LiveTab.show(browser, operated.of_operators, KEY)
        await tab.wait("document.querySelectorAll('#causes li').length > 1")
        for name, width, height, mobile, dark in (("desktop", 1180, 900, False, False), ("dark", 1180, 900, False, True),
                                                  ("phone", 390, 844, True, False), ("whole", 1180, 2300, False, False),
                                                  ("whole-phone", 360, 3000, True, False)):
            await tab.resize(width, height, mobile)
            await tab.colours(dark)
            await asyncio.sleep(1.5)
            await tab.shot(folder / f"live-{name}.png")
    operated.server.end()


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("chromium")
    parser.add_argument("--cost", action="store_true")
    parser.add_argument("--screenshots", type=pathlib.Path)
    arguments = parser.parse_args()
    most = raise_descriptor_limit()
    async with browser_of(arguments.chromium) as browser:
        if arguments.screenshots:
            await screenshots(browser, arguments.program, arguments.screenshots)
            return 0
        if arguments.cost:
            await cost(browser, arguments.program, min(10_000, most - 500))
            return 0
        await cases(browser, arguments.program)
    return judge.sum_up()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
