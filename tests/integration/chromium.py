"""Headless Chromium, driven by the DevTools protocol."""
import asyncio
import base64
import contextlib
import ctypes
import hashlib
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile

import websockets

from processes import TLS


class Browser:
    """One connection to the DevTools; each tab is a session in it."""

    def __init__(self, socket):
        self.socket, self.number, self.answers, self.listeners = socket, 0, {}, []
        self.patience = 60  # seconds for an answer
        self.reader = asyncio.ensure_future(self.read())

    async def read(self):
        async for text in self.socket:
            message = json.loads(text)
            if message.get("id") in self.answers:
                answer = self.answers.pop(message["id"])
                if not answer.done():
                    answer.set_result(message)
            elif "method" in message:
                for listener in self.listeners:
                    listener(message)

    async def call(self, method, session=None, **parameters):
        self.number += 1
        answer = self.answers[self.number] = asyncio.get_running_loop().create_future()
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        await self.socket.send(json.dumps(message))
        try:
            result = await asyncio.wait_for(answer, self.patience)
        except asyncio.TimeoutError:
            raise TimeoutError(f"{method} had no answer") from None
        if "error" in result:
            raise RuntimeError(f"{method}: {result['error']['message']}")
        return result["result"]

    async def open_tab(self, address, context=None):
        """A context is a profile of its own: nothing is shared with tabs of another one."""
        target = await self.call("Target.createTarget", url=address, **({"browserContextId": context} if context else {}))
        attached = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        await self.call("Runtime.enable", attached["sessionId"])
        return attached["sessionId"]

    async def evaluate(self, tab, expression):
        result = await self.call("Runtime.evaluate", tab, expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(json.dumps(result["exceptionDetails"])[:500])
        return result["result"].get("value")

    async def wait_for(self, tab, expression, seconds=15):
        """Asks the page until that is true; returns what it is."""
        end, pause = asyncio.get_running_loop().time() + seconds, 0.02
        while not (value := await self.evaluate(tab, expression)):
            if asyncio.get_running_loop().time() > end:
                page = await self.evaluate(tab, "document.body.innerText")
                raise TimeoutError(f"never true: {expression}; the page shows: {page!r}")
            await asyncio.sleep(pause)
            pause = min(0.5, pause * 1.2)  # many tabs that are asked all the time have no time for anything else
        return value


def end_with_parent():
    """However the test ends, its browser ends too (Linux: PR_SET_PDEATHSIG)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def trusted():
    """It believes this one key, and of others only what it believes anyway."""
    if not TLS:
        return []
    key = subprocess.run(["openssl", "x509", "-in", TLS, "-noout", "-pubkey"], capture_output=True, check=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=key, capture_output=True, check=True).stdout
    return [f"--ignore-certificate-errors-spki-list={base64.b64encode(hashlib.sha256(der).digest()).decode()}"]


@contextlib.asynccontextmanager
async def browser_of(chromium, *more):
    """Starts it, and ends it with all its processes. It can reach 127.0.0.1 and nothing else."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        # A group of its own, because it starts processes that outlive it for a moment. --no-sandbox: else it refuses root.
        process = subprocess.Popen(
            [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--no-first-run", "--no-default-browser-check", "--no-proxy-server",
             "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--remote-debugging-port=0", f"--user-data-dir={profile}",
             *trusted(), *more, "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            preexec_fn=end_with_parent)
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
                yield browser
                browser.reader.cancel()
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
