"""chromium_client.py CHROMIUM ECHO_PORT BROADCAST_PORT CHAT_PORT [deflate]: a page in headless Chromium runs cases.js."""
import asyncio
import json
import pathlib
import sys

from chromium import browser_of
from processes import HTTP, Judge

judge = Judge()


async def cases(browser, echo, broadcast, chat_port, deflate):
    told = asyncio.Queue()
    browser.listeners.append(lambda message: message["method"] == "Runtime.bindingCalled" and told.put_nowait(message["params"]["payload"]))
    tab = await browser.open_tab("about:blank")
    # The page of the chat may talk to its own server only, and these cases talk to others.
    await browser.call("Page.enable", tab)
    await browser.call("Page.setBypassCSP", tab, enabled=True)
    await browser.call("Page.navigate", tab, url=f"{HTTP}://127.0.0.1:{chat_port}/")
    await browser.wait_for(tab, f"location.port === '{chat_port}' && document.readyState === 'complete'")
    await browser.call("Runtime.addBinding", tab, name="tell")
    source = (pathlib.Path(__file__).parent / "cases.js").read_text()
    run = asyncio.ensure_future(browser.evaluate(tab, source + f"""
        run_cases({{WebSocket, echo: {echo}, broadcast: {broadcast}, deflate: {json.dumps(deflate)}, end_server: () => tell("end"),
                   report: (name, problem) => tell(JSON.stringify([name, problem || ""]))}})"""))
    while not run.done() or not told.empty():
        try:
            message = await asyncio.wait_for(told.get(), 0.2)
        except asyncio.TimeoutError:
            continue
        if message == "end":
            print("end the server", flush=True)
        else:
            name, problem = json.loads(message)
            judge.check(name, not problem, problem)
    await run


async def main(chromium, echo, broadcast, chat_port, deflate):
    try:
        async with browser_of(chromium) as browser:
            await cases(browser, echo, broadcast, chat_port, deflate)
    except Exception as problem:
        judge.check("all cases run", False, f"{type(problem).__name__}: {problem}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:5]), sys.argv[5:] == ["deflate"]))
    sys.exit(judge.sum_up())
