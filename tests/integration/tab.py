"""A tab of headless Chromium as a user has it: what is typed and seen in it, and what goes wrong in it."""
import base64
import json

# Before the page's own script: what its policy forbids.
WATCH = r"""addEventListener("securitypolicyviolation", event => {
  (window.violations ||= []).push(event.violatedDirective + " " + event.blockedURI);
});"""

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


class Tab:
    scripts = [WATCH]  # run before those of the page
    is_ready = "true"  # beside that it is loaded

    def __init__(self, browser, session):
        self.browser, self.session, self.problems = browser, session, []
        browser.listeners.append(self.note)

    @classmethod
    async def open(cls, browser, address, width=1100, height=760, mobile=False, dark=False, own_profile=True, context=None):
        if own_profile and not context:
            context = (await browser.call("Target.createBrowserContext"))["browserContextId"]
        tab = cls(browser, await browser.open_tab("about:blank", context))
        await tab.call("Page.enable")
        await tab.call("Log.enable")
        for script in cls.scripts:
            await tab.call("Page.addScriptToEvaluateOnNewDocument", source=script)
        await tab.resize(width, height, mobile)
        await tab.colours(dark)
        await tab.navigate(address)
        return tab

    async def navigate(self, address):
        await self.call("Page.navigate", url=address)
        await self.wait(f"document.readyState === 'complete' && {self.is_ready}", 40)

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

    def click(self, selector):
        return self.js(f"document.querySelector({json.dumps(selector)}).click()")

    async def close(self):
        await self.call("Page.close")

    # ---- what went wrong

    async def all_problems(self):
        return self.problems + await self.js("window.violations || []")
