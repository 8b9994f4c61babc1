"""chromium_test.py CHROMIUM PROGRAM
clients/js in headless Chromium against examples/15_protocol: what a page hears is whole, whatever its network does."""
import asyncio
import sys

from page import Page, Writer, judge_cases, must  # first: it says where the others are

from bad_network import Proxy
from chromium import browser_of
from processes import Judge, Server

judge = Judge()


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
            page = await Page.open(browser, proxy.port, "{base: 50, patience: 1500}")
            await judge_cases(judge, page, {
                "offline for some seconds under traffic": lambda: offline(page, proxy, writer),
                "a half-open connection": lambda: half_open(page, proxy, writer),
                "connections that are cut": lambda: cuts(page, proxy, writer),
                "a page that is loaded again": lambda: loaded_again(page, proxy, writer),
                "1008 ends it": lambda: stops(page, proxy, writer),
            })
            judge.check("what the page published came once", (await page.js("heard")).count("from the page, offline") == 1)
            writer.goes_on = False
            await asyncio.wait_for(writing, 10)
        judge.check("the server ends", server.end(12) == 0)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
    sys.exit(judge.sum_up())
