"""tokens_test.py PROGRAM CHROMIUM [--offline SECONDS]
clients/js in headless Chromium against tests/integration/jwt_protocol_server.cpp: tokens that expire under traffic, also while the page is
offline for that long (4 s). Its page fetches them, so offline it gets none."""
import argparse
import asyncio
import contextlib
import math
import secrets
import sys
import tempfile
import time

from page import Page, Writer, judge_cases, must  # first: it says where the others are

import jwt

from bad_network import Proxy
from chromium import browser_of
from processes import Judge, Server

judge = Judge()

OPTIONS = """{base: 100, getToken: async ({reason}) => {
  asked.push(reason);
  const answer = await fetch("http://127.0.0.1:%d/");
  if (!answer.ok) throw new Error(`no token: ${answer.status}`);
  return window.token = await answer.text();
}}"""

# Every second publication waits as long as it takes, the others for some time only.
PUBLISH = """void (() => {
  window.mine = [];
  window.publishing = setInterval(() => {
    const each = {state: hub.state, patient: mine.length %% 2 === 0, ends: []};
    hub.publish("room/1", `mine ${mine.push(each) - 1}`, {timeout: each.patient ? 0 : %d}).then(
      ({repeated}) => each.ends.push(repeated ? "repeated" : "acknowledged"), problem => each.ends.push(problem.code));
  }, 50);
})()"""


class Signer:
    """Signs pages in, as somebody else's server does: each GET gets a token that holds for `life` seconds."""

    def __init__(self):
        self.life, self.is_away, self.secret = 2, False, secrets.token_hex(32)

    def token(self, life):
        return jwt.encode({"sub": "ada", "exp": math.ceil(time.time()) + life}, self.secret, "HS256")

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.answer, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()

    async def answer(self, reader, writer):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            status, text = ("503 Service Unavailable", "") if self.is_away else ("200 OK", self.token(self.life))
            writer.write(f"HTTP/1.1 {status}\r\nAccess-Control-Allow-Origin: *\r\nCache-Control: no-store\r\n"
                         f"Content-Length: {len(text)}\r\nConnection: close\r\n\r\n{text}".encode())
            await writer.drain()
        writer.close()


class Bench:
    """All that a case has to do with."""

    def __init__(self, page, proxy, writer, signer):
        self.page, self.proxy, self.writer, self.signer = page, proxy, writer, signer

    async def asks(self, reason, times):
        """Waits until the page has asked for so many more tokens for that reason."""
        count = f"asked.filter(each => each === '{reason}').length"
        await self.page.wait(f"{count} >= {await self.page.js(count) + times}")

    async def refreshed(self):
        self.signer.life = 2
        connections, told = self.proxy.number, await self.page.js("told.length")
        await self.asks("expiring", 3)
        await self.page.hears(self.writer)
        must(self.proxy.number == connections and await self.page.js("told.length") == told, "it has come back")

    async def signer_is_out_of_order(self):
        told = await self.page.js("told.length")
        self.signer.is_away = True
        await self.asks("expiring", 1)
        await self.asks("expired", 3)  # behind 4401
        self.signer.is_away, self.signer.life = False, -60
        connections = self.proxy.number
        await self.asks("refused", 3)  # behind 401
        must(self.proxy.number >= connections + 3, "it did not try")
        self.signer.life = 2
        await self.page.subscriptions(told + 1)
        await self.page.hears(self.writer)

    async def offline(self, seconds):
        page, proxy, writer = self.page, self.proxy, self.writer
        self.signer.life = min(max(2, seconds // 2), 20)
        await self.asks("expiring", 2)  # of which the second is told of a token that has that life
        told = await page.js("told.length")
        await page.js(PUBLISH % (seconds * 250))
        await page.wait("mine.some(each => each.ends[0] === 'acknowledged')")
        proxy.deaf = True  # some are published, and the page is not told
        await page.wait("mine.filter(each => each.ends.length === 0).length >= 3")
        await writer.wrote(20)
        heard = len(await page.numbers())
        proxy.silence()
        proxy.deaf, proxy.refuses = False, True
        await page.network(False)
        expires = jwt.decode(await page.js("token"), options={"verify_signature": False})["exp"]
        await asyncio.sleep(seconds)  # which is the point
        must(time.time() > expires, "the token still holds")
        must(await page.js("!navigator.onLine && hub.state !== 'connected'"), "it is there")
        must("token" in await page.js("problems"), "it got a token")
        # These never left the page.
        given_up = await page.js("mine.flatMap(({state, ends}, i) => state !== 'connected' && ends.length ? [`mine ${i}`] : [])")
        must(given_up, "none was given up")
        await page.js("void (window.back = performance.now())")
        proxy.refuses = False
        await page.network(True)
        missed = writer.count
        await page.subscriptions(told + 1)
        await page.wait(f"heard.filter(each => typeof each === 'number').length >= {missed}")
        whole = await page.js("performance.now() - back")
        await page.hears(writer)
        await page.js("clearInterval(publishing)")
        await page.wait("mine.every(each => each.ends.length)")
        took = await page.js("told.at(-1).at - back")
        ends = self.judge_published(await page.js("mine"), await page.js("heard"), given_up)
        print(f"        away for {seconds} s: {missed - heard} numbers recovered; subscribed behind {took:.0f} ms, whole behind {whole:.0f} ms;"
              f" published by the page: {', '.join(f'{count} {end}' for end, count in ends.items())}", flush=True)

    @staticmethod
    def judge_published(mine, heard, given_up):
        """Each ended in one way, and that is true; returns how many ended in which."""
        ends = {"acknowledged": 0, "repeated": 0, "timeout": 0}
        for i, each in enumerate(mine):
            times = heard.count(f"mine {i}")
            must(len(each["ends"]) == 1 and each["ends"][0] in ends, f"mine {i} ended as {each['ends']}")
            end = each["ends"][0]
            ends[end] += 1
            must(times <= 1 if end == "timeout" else times == 1, f"mine {i} was heard {times} times and ended as {end}")
            must(end != "timeout" or not each["patient"], f"mine {i} has no limit of time")
        must(not set(given_up) & set(heard), "what was given up was published")
        must(all(ends.values()), f"not all ways of ending were seen: {ends}")
        return ends


async def main(program, chromium, seconds):
    async with Signer() as signer:
        with tempfile.NamedTemporaryFile("w") as secret:
            secret.write(signer.secret)
            secret.flush()
            server = Server([program, secret.name])
        with server:
            async with Proxy(server.port) as proxy, browser_of(chromium) as browser:
                writer = Writer(server.port, signer.token(3600))
                writing = asyncio.ensure_future(writer.write())
                bench = Bench(await Page.open(browser, proxy.port, OPTIONS % signer.port), proxy, writer, signer)
                await judge_cases(judge, bench.page, {
                    "tokens that expire while connected are refreshed without a gap": bench.refreshed,
                    "a token function that fails, and tokens that are refused": bench.signer_is_out_of_order,
                    "offline under traffic, and the token expires meanwhile": lambda: bench.offline(seconds),
                    "tokens are refreshed again behind it": bench.refreshed,
                })
                writer.goes_on = False
                await asyncio.wait_for(writing, 10)
            judge.check("the server ends", server.end(12) == 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("chromium")
    parser.add_argument("--offline", type=int, default=4)
    arguments = parser.parse_args()
    asyncio.run(main(arguments.program, arguments.chromium, arguments.offline))
    sys.exit(judge.sum_up())
