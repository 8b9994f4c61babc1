"""A tab of the chat, for chat_chromium.py: what a user does and sees in it, and what goes wrong in it."""
import json

import tab

# Before the page's own script: the sockets that it opens, and everything said on them.
WATCH = r"""(() => {
  window.watched = {sockets: [], heard: 0, order: 0, next: {}, wrong: []};
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

LINES = "[...document.querySelectorAll('#log .message')].map(line => [line.querySelector('.name').textContent, line.querySelector('.said').textContent])"
MEMBERS = "[...document.querySelectorAll('#members .member-name')].map(each => each.textContent)"


class Tab(tab.Tab):
    scripts = [*tab.Tab.scripts, WATCH]
    is_ready = ("!!document.getElementById('welcome') && "
                "(!document.getElementById('welcome').hidden || !document.getElementById('chat').hidden)")

    # ---- what a user does

    async def enter(self, name, room="lobby"):
        await self.js(f"""(() => {{ document.getElementById('enter-name').value = {json.dumps(name)};
            document.getElementById('enter-room').value = {json.dumps(room)}; document.getElementById('enter').requestSubmit(); }})()""")
        await self.wait(f"document.getElementById('room-name').textContent === {json.dumps('#' + room)} && "
                        "document.getElementById('connection').textContent === 'connected'")

    async def say(self, text):
        await self.fill("text", text)
        await self.enter_key()

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
