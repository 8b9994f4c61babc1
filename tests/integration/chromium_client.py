"""chromium_client.py CHROMIUM ECHO_PORT BROADCAST_PORT CHAT_PORT
Two tabs of headless Chromium talk to each other in the chat; then a page runs cases.js. Driven by the DevTools protocol."""
import asyncio
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

import websockets

from processes import Judge

judge = Judge()


class Browser:
    """One connection to the DevTools; each tab is a session in it."""

    def __init__(self, socket):
        self.socket, self.number, self.answers, self.events = socket, 0, {}, asyncio.Queue()
        self.reader = asyncio.ensure_future(self.read())

    async def read(self):
        async for text in self.socket:
            message = json.loads(text)
            if message.get("id") in self.answers:
                self.answers.pop(message["id"]).set_result(message)
            elif message.get("method") == "Runtime.bindingCalled":
                self.events.put_nowait(message["params"]["payload"])

    async def call(self, method, session=None, **parameters):
        self.number += 1
        answer = self.answers[self.number] = asyncio.get_running_loop().create_future()
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        await self.socket.send(json.dumps(message))
        result = await asyncio.wait_for(answer, 60)
        if "error" in result:
            raise RuntimeError(f"{method}: {result['error']['message']}")
        return result["result"]

    async def open_tab(self, address):
        target = await self.call("Target.createTarget", url=address)
        attached = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        await self.call("Runtime.enable", attached["sessionId"])
        return attached["sessionId"]

    async def evaluate(self, tab, expression):
        result = await self.call("Runtime.evaluate", tab, expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(json.dumps(result["exceptionDetails"])[:500])
        return result["result"].get("value")

    async def wait_for(self, tab, expression, seconds=15):
        """Asks the page until that is true."""
        end = asyncio.get_running_loop().time() + seconds
        while not await self.evaluate(tab, expression):
            if asyncio.get_running_loop().time() > end:
                page = await self.evaluate(tab, "document.body.innerText")
                raise TimeoutError(f"never true: {expression}; the page shows: {page!r}")
            await asyncio.sleep(0.05)


SAY = """(() => {{ const text = document.getElementById('text'); text.value = {text};
  document.querySelector('form').requestSubmit(); return true; }})()"""
SHOWS = "[...document.querySelectorAll('#lines li')].filter(line => line.textContent === {text}).length === {times}"


async def chat(browser, port):
    tabs = [await browser.open_tab(f"http://127.0.0.1:{port}/") for _ in range(2)]
    for tab in tabs:
        await browser.wait_for(tab, "document.getElementById('state')?.textContent === 'connected'")
    # A tab may become a member a moment after it is connected: it sees that somebody, itself, has come in.
    for tab in tabs:
        await browser.wait_for(tab, "document.querySelectorAll('#lines li').length > 0")
    judge.check("two tabs are in the chat", True)
    said = [json.dumps(text) for text in ("good morning \u20ac", "<b>good</b> evening", "good night")]
    for number, text in enumerate(said):
        await browser.evaluate(tabs[number % 2], SAY.format(text=text))
        for tab in tabs:
            await browser.wait_for(tab, SHOWS.format(text=text, times=1))
    judge.check("each tab shows what it and the other one say, once and as text", True)


async def cases(browser, echo, broadcast, chat_port):
    tab = await browser.open_tab(f"http://127.0.0.1:{chat_port}/")
    await browser.wait_for(tab, "document.readyState === 'complete'")
    await browser.call("Runtime.addBinding", tab, name="tell")
    source = (pathlib.Path(__file__).parent / "cases.js").read_text()
    run = asyncio.ensure_future(browser.evaluate(tab, source + f"""
        run_cases({{WebSocket, echo: {echo}, broadcast: {broadcast}, end_server: () => tell("end"),
                   report: (name, problem) => tell(JSON.stringify([name, problem || ""]))}})"""))
    while not run.done() or not browser.events.empty():
        try:
            told = await asyncio.wait_for(browser.events.get(), 0.2)
        except asyncio.TimeoutError:
            continue
        if told == "end":
            print("end the server", flush=True)
        else:
            name, problem = json.loads(told)
            judge.check(name, not problem, problem)
    await run


async def main(chromium, echo, broadcast, chat_port):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        # A group of its own, because it starts processes that outlive it for a moment. --no-sandbox: else it refuses root.
        process = subprocess.Popen(
            [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--no-first-run", "--no-default-browser-check", "--no-proxy-server",
             "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--remote-debugging-port=0", f"--user-data-dir={profile}",
             "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            port_file = pathlib.Path(profile) / "DevToolsActivePort"
            for _ in range(300):
                if port_file.exists() and re.fullmatch(r"\d+\n/\S+", port_file.read_text()):
                    break
                if process.poll() is not None:
                    raise RuntimeError(f"Chromium ended with {process.returncode}")
                await asyncio.sleep(0.1)
            port, path = port_file.read_text().split()
            async with websockets.connect(f"ws://127.0.0.1:{port}{path}", max_size=None, open_timeout=20) as socket:
                browser = Browser(socket)
                await chat(browser, chat_port)
                await cases(browser, echo, broadcast, chat_port)
                browser.reader.cancel()
        except Exception as problem:
            judge.check("all cases run", False, f"{type(problem).__name__}: {problem}")
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:])))
    sys.exit(judge.sum_up())
