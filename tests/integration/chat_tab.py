"""A tab of the chat, for chat_chromium.py: what a user does and sees in it, and what goes wrong in it."""
import base64
import json

# Before the page's own script: the sockets that it opens, everything said on them, and what its policy forbids.
WATCH = r"""(() => {
  window.watched = {sockets: [], heard: 0, order: 0, next: {}, wrong: [], violations: []};
  addEventListener("securitypolicyviolation", event => watched.violations.push(event.violatedDirective + " " + event.blockedURI));
  const hear = event => {
    const message = JSON.parse(event.data);
    const found = message.type === "publication" && /^tab (\d+) message (\d+)$/.exec(message.data?.text);
    if (!found) return;
    ++watched.heard;
    for (const character of message.data.text) watched.order = (Math.imul(watched.order, 31) + character.charCodeAt(0)) | 0;
    const [, tab, number] = found.map(Number);
    if (number !== (watched.next[tab] || 0)) watched.wrong.push(message.data.text);
    watched.next[tab] = number + 1;
  };
  window.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given);
      watched.sockets.push(this);
      this.addEventListener("message", hear);
    }
  };
})()"""

# Of all text that is seen: the contrast with what it stands on (WCAG 2.1, 1.4.3).
CONTRAST = r"""(() => {
  const parts = colour => (colour.match(/[\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = element => {
    for (let each = element; each; each = each.parentElement) {
      const colour = parts(getComputedStyle(each).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const wrong = [];
  let seen = 0;
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
    const box = element.getBoundingClientRect();
    if (!own || !element.checkVisibility({visibilityProperty: true}) || box.width < 2 || element.disabled) continue;
    const [one, other] = [light(parts(getComputedStyle(element).color)), light(ground(element))].sort((a, b) => b - a);
    const contrast = (one + 0.05) / (other + 0.05);
    ++seen;
    if (contrast < 4.5) wrong.push(`${element.tagName} ${element.className} "${element.textContent.slice(0, 20)}": ${contrast.toFixed(2)}`);
  }
  return {seen, wrong};
})()"""

LINES = "[...document.querySelectorAll('#log .message')].map(line => [line.querySelector('.name').textContent, line.querySelector('.said').textContent])"
MEMBERS = "[...document.querySelectorAll('#members .member-name')].map(each => each.textContent)"


class Tab:
    def __init__(self, browser, session):
        self.browser, self.session, self.problems = browser, session, []
        browser.listeners.append(self.note)

    @classmethod
    async def open(cls, browser, address, width=1100, height=760, mobile=False, dark=False, own_profile=True):
        context = (await browser.call("Target.createBrowserContext"))["browserContextId"] if own_profile else None
        tab = cls(browser, await browser.open_tab("about:blank", context))
        await tab.call("Page.enable")
        await tab.call("Log.enable")
        await tab.call("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        await tab.resize(width, height, mobile)
        await tab.colours(dark)
        await tab.call("Page.navigate", url=address)
        await tab.wait("document.readyState === 'complete' && !!document.getElementById('welcome') && "
                       "(!document.getElementById('welcome').hidden || !document.getElementById('chat').hidden)", 40)
        return tab

    def note(self, message):
        """What the console shows as an error; but that a server which is gone cannot be reached is no mistake of the page."""
        if message.get("sessionId") != self.session:
            return
        what = message["params"]
        if message["method"] == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(what["exceptionDetails"])[:300])
        elif message["method"] == "Runtime.consoleAPICalled" and what["type"] in ("error", "warning", "assert"):
            self.problems.append(json.dumps(what["args"])[:300])
        elif message["method"] == "Log.entryAdded" and what["entry"]["level"] in ("error", "warning"):
            text = what["entry"]["text"]
            if "WebSocket connection to" not in text:
                self.problems.append(f"{text} {what['entry'].get('url', '')}")

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def js(self, expression):
        return self.browser.evaluate(self.session, expression)

    def wait(self, expression, seconds=15):
        return self.browser.wait_for(self.session, expression, seconds)

    async def resize(self, width, height, mobile=False, scale=1):
        await self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=mobile)
        # The page hears of it with the next frame, which may be after the next call; a tab that draws none does not wait.
        await self.js("Promise.race([new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn))), "
                      "new Promise(late => setTimeout(late, 500))])")

    async def colours(self, dark):
        await self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    async def shot(self, path):
        answer = await self.call("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(answer["data"]))

    # ---- what a user does

    async def key(self, key, code=None, text=None, **more):
        for kind in ("keyDown", "keyUp"):
            await self.call("Input.dispatchKeyEvent", type=kind, key=key, code=code or key,
                            windowsVirtualKeyCode={"Enter": 13, "Escape": 27, "Tab": 9}.get(key, 0),
                            **({"text": text} if text and kind == "keyDown" else {}), **more)

    def enter_key(self):
        return self.key("Enter", text="\r")

    async def type(self, text):
        await self.call("Input.insertText", text=text)

    async def fill(self, field, text):
        await self.js(f"(() => {{ const it = document.getElementById('{field}'); it.focus(); it.select(); }})()")
        await self.type(text)

    async def enter(self, name, room="lobby"):
        await self.js(f"""(() => {{ document.getElementById('enter-name').value = {json.dumps(name)};
            document.getElementById('enter-room').value = {json.dumps(room)}; document.getElementById('enter').requestSubmit(); }})()""")
        await self.wait(f"document.getElementById('room-name').textContent === {json.dumps('#' + room)} && "
                        "document.getElementById('connection').textContent === 'connected'")

    async def say(self, text):
        await self.fill("text", text)
        await self.enter_key()

    def click(self, selector):
        return self.js(f"document.querySelector({json.dumps(selector)}).click()")

    async def answer(self, text):
        """In the dialog that is open."""
        await self.wait("document.getElementById('ask').open")
        await self.fill("ask-value", text)
        await self.enter_key()

    async def join(self, room):
        await self.click("#join-room")
        await self.answer(room)
        await self.wait(f"document.getElementById('room-name').textContent === {json.dumps('#' + room)}")

    async def rename(self, name):
        await self.click("#rename")
        await self.answer(name)
        await self.wait("!document.getElementById('ask').open")

    def go_to(self, room):
        return self.click(f'#rooms [data-room="{room}"]')

    def lose(self, code):
        """Its connection ends, as the page sees it."""
        return self.js(f"""(() => {{
            const socket = watched.sockets.at(-1), told = socket.onclose;
            socket.onclose = null;
            socket.close();
            told(new CloseEvent('close', {{code: {code}}}));
        }})()""")

    async def close(self):
        await self.call("Page.close")

    async def network(self, is_there):
        await self.call("Network.enable")
        await self.call("Network.emulateNetworkConditions", offline=not is_there, latency=0, downloadThroughput=-1, uploadThroughput=-1)

    # ---- what a user sees

    def sees(self, name, text, times=1):
        return self.wait(f"{LINES}.filter(([name, text]) => name === {json.dumps(name)} && text === {json.dumps(text)}).length === {times}")

    def sees_start(self, text):
        """A line that begins so."""
        return self.wait(f"[...document.querySelectorAll('#log .system span')].some(line => line.textContent.startsWith({json.dumps(text)}))")

    def sees_line(self, text):
        return self.wait(f"[...document.querySelectorAll('#log .system span')].some(line => line.textContent === {json.dumps(text)})")

    def sees_members(self, *names):
        return self.wait(f"JSON.stringify({MEMBERS}) === {json.dumps(json.dumps(sorted(names), separators=(',', ':'), ensure_ascii=False))}")

    def shows(self, element, text):
        return self.wait(f"document.getElementById('{element}').textContent === {json.dumps(text)}")

    async def heap(self):
        """Bytes that its script uses, after a collection; needs --js-flags=--expose-gc."""
        await self.js("gc()")
        return (await self.call("Runtime.getHeapUsage"))["usedSize"]

    async def all_problems(self):
        return self.problems + await self.js("watched.violations")
