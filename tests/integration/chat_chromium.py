"""chat_chromium.py CHROMIUM CHAT_PROGRAM [--minutes N] [--screenshots DIR]
The chat in headless Chromium: two tabs that do everything, then twenty that talk at once. With --minutes the twenty talk for so
long and their memory is watched; with --screenshots only pictures are taken. With --only few or many, that half alone."""
import argparse
import asyncio
import json
import pathlib
import sys
import time

from bad_network import Proxy
from chat_tab import LINES, Tab
from chromium import browser_of
from processes import HTTP, Judge, Server, TLS
from tab import CONTRAST

judge = Judge()


async def case(name, waited):
    try:
        await waited
    except Exception as problem:  # whatever it is, the other cases still count
        judge.check(name, False, f"{type(problem).__name__}: {problem}")
        return False
    return judge.check(name, True)


def must(holds, why="it does not hold"):
    if not holds:
        raise AssertionError(why)


class Chat:
    """The server, which can start again on its port."""

    def __init__(self, program, transport, *more):
        self.command = [program, "--transport", transport, *(["--tls", TLS, TLS] if TLS else []), *more]
        self.server = Server([*self.command, "--port", 0])
        self.port = self.server.port
        self.address = f"{HTTP}://127.0.0.1:{self.port}/"

    def end(self):
        must(self.server.end(12) == 0, "the server did not end well")

    def start_again(self):
        self.server = Server([*self.command, "--port", self.port])


# ---- two tabs

async def come_in(one, two):
    await one.enter_key()
    await one.shows("enter-problem", "What should the others call you?")
    await one.fill("enter-name", "  Ann ")
    await one.enter_key()
    await one.shows("room-name", "#lobby")
    must(await one.js("document.activeElement.id") == "text", "the focus is not where one writes")
    must(await one.js("location.hash") == "#lobby", "the address does not name the room")
    await two.enter("Ann")
    for tab in (one, two):
        await tab.sees_members("Ann", "Ann")
        told = await tab.js("[...document.querySelectorAll('#members .you')].map(each => each.textContent)")
        must("you" in told and len(set(told)) == 2, f"one cannot tell them apart: {told}")
    await two.rename("Ben")
    for tab in (one, two):
        await tab.sees_members("Ann", "Ben")
    await one.sees_line("Ann is now Ben")


async def comes_and_goes(browser, chat, one, two):
    """A third, who sees what was said, and is seen."""
    await one.say("before you came")
    await one.sees("Ann", "before you came")
    three = await Tab.open(browser, chat.address)
    await three.enter("Eve")
    await three.sees("Ann", "before you came")
    must(await three.js("document.title") == "#lobby \u2013 hubbub chat", "what is old is no news")
    must(await three.js("document.querySelectorAll('#log .own, #log .unread-mark').length") == 0, "it takes others' messages for its own, or for new")
    for tab in (one, two, three):
        await tab.sees_members("Ann", "Ben", "Eve")
    await one.sees_line("Eve joined")
    await three.close()
    for tab in (one, two):
        await tab.sees_members("Ann", "Ben")
        await tab.sees_line("Eve left")


async def talk(one, two):
    await one.say("good morning \u20ac")
    await two.sees("Ann", "good morning \u20ac")
    await two.say("good night")
    for tab in (one, two):
        await tab.sees("Ann", "good morning \u20ac")
        await tab.sees("Ben", "good night")
    must(await one.js("document.querySelectorAll('#log .own').length") == 1, "own messages are not marked")
    must(await one.js("document.querySelectorAll('#log .pending li').length") == 0, "it is not confirmed")
    shown = await one.js("(() => { const time = document.querySelector('#log .message:last-child time'); "
                         "return [time.textContent, new Intl.DateTimeFormat(undefined, {hour: 'numeric', minute: '2-digit'})"
                         ".format(new Date(time.dateTime)), Math.abs(Date.now() - new Date(time.dateTime))]; })()")
    must(shown[0] == shown[1] and shown[2] < 60_000, f"the time is wrong: {shown}")


async def html_stays_text(one, two):
    html = "<img src=x onerror=alert(1)><b>bold</b><script>alert(2)</script>&lt;"
    await one.say(html)
    await two.sees("Ann", html)
    must(await two.js("document.querySelectorAll('#log img, #log b, #log script').length") == 0, "it became HTML")
    await two.rename("<b>Bob</b>")
    await one.sees_members("Ann", "<b>Bob</b>")
    must(await one.js("document.querySelectorAll('#members b, #log b').length") == 0, "a name became HTML")
    await two.rename("Bob")
    await one.sees_members("Ann", "Bob")


async def links(one, two):
    await one.say("see https://example.org/a_(b)?x=1&y=<2>, (http://example.net/). javascript:alert(1) data:text/html,x "
                  "https://bank.example@evil.example/ https:// HTTPS://EXAMPLE.COM")
    found = await two.wait("(links => links.length && JSON.stringify(links.map(a => [a.href, a.textContent, a.rel, a.target])))"
                           "([...document.querySelectorAll('#log .message:last-child a')])")
    safe = ["noopener noreferrer nofollow", "_blank"]
    must(json.loads(found) == [["https://example.org/a_(b)?x=1&y=", "https://example.org/a_(b)?x=1&y=", *safe],
                               ["http://example.net/", "http://example.net/", *safe],
                               ["https://example.com/", "HTTPS://EXAMPLE.COM", *safe]], found)


async def rename(one, two):
    await two.rename("Robert")
    await one.sees_line("Bob is now Robert")
    await two.sees_line("You are now Robert")
    await two.shows("self-name", "Robert")
    await two.say("it is still me")
    await one.sees("Robert", "it is still me")
    await two.click("#rename")
    await two.answer("x" * 33)
    await two.shows("ask-problem", "A name has 1 to 32 characters.")
    await two.key("Escape")
    await two.wait("!document.getElementById('ask').open")


async def typing(one, two):
    await two.fill("text", "I am wri")
    await one.shows("typing", "Robert is typing\u2026")
    await two.type("ting")
    await two.enter_key()
    await one.sees("Robert", "I am writing")
    await one.shows("typing", "")


async def unread(one, two):
    for tab in (one, two):
        await tab.join("garden")
    for tab in (one, two):
        await tab.sees_members("Ann", "Robert")
    await two.go_to("lobby")
    await two.say("over here")
    await two.say("anybody?")
    await one.wait("document.querySelector('#rooms [data-room=lobby] .badge')?.textContent === '2'")
    await one.wait("document.title === '(2) #garden \u2013 hubbub chat'")
    await one.go_to("lobby")
    await one.sees("Robert", "over here")
    must(await one.js("document.title") == "#lobby \u2013 hubbub chat", "the title still says unread")
    must(await one.js("!document.querySelector('.badge')"), "it is still marked")
    must(await one.js("document.querySelectorAll('#log .unread-mark').length") == 1, "nothing shows where the new ones begin")
    # What arrives while nobody looks counts too.
    await one.js("(() => { Object.defineProperty(document, 'hidden', {value: true, configurable: true}); })()")
    await two.say("hello?")
    await one.wait("document.title.startsWith('(1)')")
    await one.js("(() => { delete document.hidden; document.dispatchEvent(new Event('visibilitychange')); })()")
    must(await one.js("document.title") == "#lobby \u2013 hubbub chat", "the title still says unread")


async def long_words(one, two):
    await one.say("w" * 900)
    await two.sees("Ann", "w" * 900)
    for width in (1100, 700, 320):
        await two.resize(width, 640)
        must(await two.js("document.documentElement.scrollWidth <= innerWidth && "
                          "(log => log.scrollWidth <= log.clientWidth)(document.getElementById('log'))"), f"too wide at {width}")
        await two.wait("(log => log.scrollHeight - log.scrollTop - log.clientHeight < 2)(document.getElementById('log'))")
    await two.resize(1100, 760)
    await one.fill("text", "x" * 1001)
    await one.shows("count", "1 too many")
    await one.enter_key()
    await one.shows("problem", "A message has at most 1000 characters.")
    must(len(await one.js("document.getElementById('text').value")) == 1001, "the text is gone")
    await one.fill("text", "x")
    await one.js("(() => { document.getElementById('text').value = ''; })()")


async def keyboard(one, two):
    """Everything can be reached with Tab, in the order in which it is seen, and shows that it has the focus."""
    await one.js("document.querySelector('#rooms button').focus()")
    order, unseen = [], []
    for _ in range(12):
        if order:
            await one.key("Tab")
        else:
            await one.key("Shift")  # the focus is shown to who uses the keyboard
        at, outline = await one.js("[document.activeElement.id || document.activeElement.dataset.room || document.activeElement.href || document.activeElement.tagName, "
                                   "getComputedStyle(document.activeElement).outlineStyle]")
        if at in order or at == "BODY":
            break
        order.append(at)
        if outline == "none":
            unseen.append(at)
    must(not unseen, f"no focus is shown at {unseen}")
    rest = [each for each in order if not each.startswith("http")]
    must(rest[:6] == ["lobby", "garden", "join-room", "rename", "leave", "log"] and rest[-2:] == ["text", "send"], f"{order}")
    await one.js("document.getElementById('join-room').focus()")
    await one.enter_key()
    await one.wait("document.getElementById('ask').open && document.activeElement.id === 'ask-value'")
    await one.key("Escape")
    await one.wait("!document.getElementById('ask').open && document.activeElement.id === 'join-room'")
    await one.fill("text", "two")
    await one.key("Enter", text="\r", modifiers=8)  # with Shift
    await one.type("lines")
    await one.enter_key()
    await two.sees("Ann", "two\nlines")
    await one.resize(390, 740)
    await one.click("#show-rooms")
    await one.wait("document.getElementById('rooms-panel').contains(document.activeElement)")
    must(await one.js("document.getElementById('show-rooms').getAttribute('aria-expanded')") == "true")
    await one.key("Escape")
    await one.wait("getComputedStyle(document.getElementById('rooms-panel')).visibility === 'hidden' && document.activeElement.id === 'show-rooms'")
    await one.resize(1100, 760)


async def names_for_readers(one, two):
    """What a screen reader says: each control has a name, and the page has its landmarks."""
    roles, wanted = set(), {"main", "navigation", "complementary", "log", "heading", "button", "textbox"}
    for _ in range(50):  # the tree follows what is shown a moment later
        nodes = (await one.call("Accessibility.getFullAXTree"))["nodes"]
        seen = [(node.get("role", {}).get("value"), (node.get("name") or {}).get("value", "")) for node in nodes if not node.get("ignored")]
        roles = {role for role, _ in seen}
        if wanted <= roles:
            break
        await asyncio.sleep(0.1)
    nameless = [role for role, name in seen if role in ("button", "textbox", "link", "log", "navigation", "complementary") and not name]
    must(not nameless, f"without a name: {nameless}")
    must(wanted <= roles, f"missing: {wanted - roles}")
    live = await one.js("[...document.querySelectorAll('[aria-live], [role=status], [role=alert]')].map(e => e.id).filter(Boolean).sort().join()")
    must(live == "ask-problem,enter-problem,log,problem,status", live)
    for reference in ("aria-controls", "aria-describedby", "aria-labelledby", "for"):
        missing = await one.js(f"[...document.querySelectorAll('[{reference}]')].map(e => e.getAttribute('{reference}')).filter(id => !document.getElementById(id))")
        must(not missing, f"{reference} names {missing}")


async def contrast(one, two):
    for dark in (False, True):
        await one.colours(dark)
        for _ in range(2):  # with and without a dialog
            found = await one.js(CONTRAST)
            must(found["seen"] > 20 and not found["wrong"], f"{'dark' if dark else 'light'}: {found}")
            await one.click("#join-room")
            await one.wait("document.getElementById('ask').open")
        await one.js("document.getElementById('ask').close()")
    await one.colours(False)


async def too_fast(one, two):
    """What is refused stays, and can be said again."""
    for number in range(12):
        await one.js(f"(() => {{ document.getElementById('text').value = 'quick {number}'; document.getElementById('composer').requestSubmit(); }})()")
    await one.wait("document.querySelector('#log .failed .state')?.textContent.startsWith('Not sent: That was a lot at once.')")
    must((await one.js(CONTRAST))["wrong"] == [], "contrast")
    await asyncio.sleep(2)
    for _ in range(12):
        if not await one.js("document.querySelectorAll('#log .failed').length"):
            break
        await one.click("#log .failed button")
        await asyncio.sleep(0.3)
    for number in range(12):
        await two.sees("Ann", f"quick {number}")
    must(await one.js("document.querySelectorAll('#log .pending li').length") == 0, "something is left over")


async def goes_on_after_reload(one, two):
    shown = await one.wait("(lines => lines.length && JSON.stringify(lines))([...document.querySelectorAll('#log .message')].map(line => "
                           "[line.classList.contains('own'), line.querySelector('.name').textContent, line.querySelector('.said').textContent]))")
    await one.call("Page.reload")
    await one.wait("document.readyState === 'complete' && document.getElementById('connection')?.textContent === 'connected' && "
                   "document.querySelectorAll('#rooms .room').length === 2")
    await one.sees_members("Ann", "Robert")
    await one.wait("JSON.stringify([...document.querySelectorAll('#log .message')].map(line => [line.classList.contains('own'), "
                   f"line.querySelector('.name').textContent, line.querySelector('.said').textContent])) === {json.dumps(shown)}")
    must(await one.js("!document.querySelector('.badge, #log .unread-mark')"), "what was read before is new again")


async def cuts(proxy, one, two):
    """The connections of both are cut again and again while both speak."""
    expected = []
    for number in range(10):
        for name, tab in (("Ann", one), ("Robert", two)):
            await tab.say(f"{name} {number}")
            expected.append(f"{name} {number}")
        if number % 3 == 1:
            proxy.cut()
        await asyncio.sleep(0.4)
    for name, tab in (("Ann", one), ("Robert", two)):
        await tab.sees("Ann", "Ann 9")
        await tab.sees("Robert", "Robert 9")
        await tab.wait("document.querySelectorAll('#log .pending li').length === 0")
    orders = [[text for _, text in await tab.js(LINES) if text in expected] for tab in (one, two)]
    must(sorted(orders[0]) == sorted(expected), f"not each of them once: {orders[0]}")
    must(orders[0] == orders[1], "they see different orders")
    for tab in (one, two):
        must("recovered" not in await tab.js("document.getElementById('log').textContent"), "something was lost, it says")
        await tab.sees_members("Ann", "Robert")


async def restart(chat, one, two):
    chat.end()
    for tab in (one, two):
        await tab.wait("!document.getElementById('status').hidden")
        found = await tab.js(CONTRAST)
        must(not found["wrong"], str(found["wrong"]))
    await one.say("while nobody is there")
    await one.wait("document.querySelector('#log .pending .state')?.textContent === 'sending\u2026'")
    must((await one.js(CONTRAST))["wrong"] == [], "contrast")
    chat.start_again()
    for tab in (one, two):
        await tab.wait("document.getElementById('connection').textContent === 'connected'", 40)
        await tab.sees_start("Messages between ")
        await tab.wait("document.querySelector('#log .notable').textContent.includes(' could not be recovered.')")
        await tab.sees_members("Ann", "Robert")
        must(await tab.js("document.getElementById('status').hidden"), "it still says that there is no connection")
        must(await tab.js("document.querySelectorAll('#rooms .room').length") == 2, "it is not in all its rooms again")
        await tab.sees("Ann", "while nobody is there")
    await two.say("there you are")
    await one.sees("Robert", "there you are")


async def offline(proxy, one, two):
    proxy.refuses = True
    await one.network(False)
    proxy.cut()
    await one.wait("!document.getElementById('status').hidden && document.getElementById('connection').textContent === 'offline'")
    await one.say("from the tunnel")
    proxy.refuses = False
    await one.network(True)
    await one.wait("document.getElementById('connection').textContent === 'connected'", 40)
    for tab in (one, two):
        await tab.sees_members("Ann", "Robert")
        await tab.sees("Ann", "from the tunnel")


async def codes(one, two):
    """What a close code means: 1013 is passing, 1008 is the end until somebody asks for more."""
    await one.js("""(() => {
        watched.told = [];
        const text = document.getElementById('status-text');
        new MutationObserver(() => watched.told.push(text.textContent)).observe(text, {childList: true, subtree: true, characterData: true});
    })()""")
    await one.lose(1013)
    await one.wait("watched.told.some(text => text.startsWith('The server is busy'))")
    await one.wait("document.getElementById('connection').textContent === 'connected'", 40)
    await one.sees_members("Ann", "Robert")
    await one.js("(() => { for (let i = 0; i < 200; ++i) watched.sockets.at(-1).send('{}'); })()")
    await one.wait("document.getElementById('status-text').textContent === 'The connection was closed: too many messages that make no sense.'")
    must(await one.js("document.getElementById('status').classList.contains('ended')"))
    must((await one.js(CONTRAST))["wrong"] == [], "contrast")
    await two.say("while you were out")
    await one.click("#connect-now")
    await one.wait("document.getElementById('connection').textContent === 'connected'")
    await one.sees("Robert", "while you were out")
    await one.sees_members("Ann", "Robert")


async def bounded(one, two):
    await one.js("""(() => {
        for (let i = 0; i < 700; ++i)
            watched.sockets.at(-1).onmessage(new MessageEvent('message', {data: JSON.stringify({type: 'publication', topic: 'room/lobby',
                data: {id: 'line ' + i, session: '0-0-0', name: 'Robert', text: 'line ' + i, time: new Date().toISOString()}})}));
    })()""")
    must(await one.js("document.querySelectorAll('#log li').length") == 500, "the log grows")
    await one.wait("(log => log.scrollHeight - log.scrollTop - log.clientHeight < 2)(document.getElementById('log'))")


async def leave(one, two):
    await one.click("#leave")
    await one.shows("room-name", "#garden")
    await two.sees_members("Robert")
    await two.sees_line("Ann left")
    await one.click("#leave")
    await one.wait("!document.getElementById('welcome').hidden && document.getElementById('chat').hidden")
    await two.go_to("garden")
    await two.sees_members("Robert")


async def few(browser, chat):
    async with Proxy(chat.port) as proxy:
        await cases_of_few(browser, chat, proxy)


async def cases_of_few(browser, chat, proxy):
    through_it = f"{HTTP}://127.0.0.1:{proxy.port}/"
    one, two = await Tab.open(browser, through_it), await Tab.open(browser, through_it)
    for name, function, *more in (
            ("two people come in, with the same name", come_in), ("they talk", talk),
            ("a third comes, sees what was said, and goes", comes_and_goes, browser, chat),
            ("HTML stays text, in messages and names", html_stays_text), ("links are links if they are safe", links),
            ("one changes his name", rename), ("typing shows and ends", typing), ("unread messages show in rooms and title", unread),
            ("long words wrap, long messages are kept", long_words), ("the keyboard is enough", keyboard),
            ("controls and landmarks have names", names_for_readers), ("contrast is 4.5 and more, light and dark", contrast),
            ("what is refused can be said again", too_fast), ("a tab that is loaded again shows what was said, and goes on", goes_on_after_reload),
            ("connections that are cut lose and double nothing", cuts, proxy), ("offline and online", offline, proxy),
            ("the server starts again, and has forgotten", restart, chat), ("close codes are respected", codes),
            ("the log is bounded", bounded), ("they leave", leave)):
        if not await case(name, function(*more, one, two)):
            break  # what follows goes on from there
    problems = await one.all_problems() + await two.all_problems()
    judge.check("no error in the console, nothing that the policy forbids", not problems, "; ".join(problems))


# ---- who has signed in

async def signed_in(browser, chat):
    tabs = {}
    for name in ("Ann", "Bob"):
        stranger = await browser.open_tab("about:blank", (await browser.call("Target.createBrowserContext"))["browserContextId"])
        tab = tabs[name] = Tab(browser, stranger)
        await tab.call("Page.enable")
        await tab.call("Page.navigate", url=chat.address)
        await tab.wait("location.pathname === '/sign-in' && document.readyState === 'complete'")
        await tab.js(f"(() => {{ document.querySelector('input').value = {json.dumps(name)}; document.querySelector('form').requestSubmit(); }})()")
        await tab.wait("location.pathname === '/' && document.readyState === 'complete' && !!document.getElementById('welcome')")
        await tab.enter("Somebody Else")
    ann, bob = tabs["Ann"], tabs["Bob"]
    for tab in (ann, bob):
        await tab.sees_members("Ann", "Bob")
    await ann.say("it is me")
    await bob.sees("Ann", "it is me")
    await ann.click("#rename")
    await ann.answer("Bob")
    await ann.shows("ask-problem", "You have signed in under this name.")


# ---- twenty tabs

SPEAK = """new Promise(done => {{
  const text = document.getElementById('text'), composer = document.getElementById('composer');
  let number = 0;
  const say = () => {{
    text.value = 'tab {tab} message ' + number++;
    composer.requestSubmit();
    if (number === {messages}) {{ clearInterval(timer); done(true); }}
  }};
  const timer = setInterval(say, 1000);
}})"""


async def many(browser, chat, seconds, is_long):
    count = 20
    if is_long:
        browser.patience = 600  # it may share its machine with others
    tabs = [await Tab.open(browser, chat.address, own_profile=False) for _ in range(count)]
    for number, tab in enumerate(tabs):
        await tab.enter(f"Tab {number}", "crowd")
    await asyncio.gather(*(tab.wait(f"document.querySelectorAll('#members .member').length === {count}") for tab in tabs))
    judge.check(f"{count} tabs are in one room", True)
    messages = int(seconds)
    heaps = [[await tab.heap() for tab in tabs]]
    talking = [asyncio.ensure_future(tab.call("Runtime.evaluate", expression=SPEAK.format(tab=number, messages=messages)))
               for number, tab in enumerate(tabs)]
    await asyncio.gather(*talking)
    end = time.monotonic() + seconds
    while is_long and time.monotonic() < end - 30:
        await asyncio.sleep(60)
        heaps.append([await tab.heap() for tab in tabs])
        print(f"heap of a tab after {len(heaps) - 1} min: {min(heaps[-1]) / 1e6:.2f} to {max(heaps[-1]) / 1e6:.2f} MB", flush=True)
    all_of_them = count * messages
    await asyncio.gather(*(tab.wait(f"watched.heard >= {all_of_them}", 2 * seconds + 60) for tab in tabs))
    heard = [await tab.js("[watched.heard, watched.order, watched.wrong.length]") for tab in tabs]
    judge.check(f"every tab has all {all_of_them} messages once, in one order", all(each == [all_of_them, heard[0][1], 0] for each in heard), str(heard))
    shown = [await tab.js(f"JSON.stringify({LINES}.slice(-100))") for tab in tabs]
    judge.check("every tab shows the same", len(set(shown)) == 1 and len(json.loads(shown[0])) == 100)
    heaps.append([await tab.heap() for tab in tabs])
    if is_long:
        # 500 lines are there after less than a minute; from then on it may not grow.
        growth = max(last - first for first, last in zip(heaps[1], heaps[-1]))
        judge.check("memory is flat", growth < 500_000, f"grew by {growth} bytes; {heaps}")
    else:
        growth = max(last - first for first, last in zip(heaps[0], heaps[-1]))
        judge.check("memory grows by its lines and no more", growth < 10_000 * all_of_them, f"grew by {growth} bytes")
    print(f"heap of a tab at the end: {min(heaps[-1]) / 1e6:.2f} to {max(heaps[-1]) / 1e6:.2f} MB, grown by at most {growth / 1e3:.0f} kB", flush=True)
    problems = [problem for tab in tabs for problem in await tab.all_problems()]
    judge.check(f"no error in the console of {count} tabs", not problems, "; ".join(problems))


# ---- pictures

async def screenshots(browser, chat, folder):
    folder.mkdir(parents=True, exist_ok=True)
    names = ["Nadia", "Amara", "Bruno", "Mateo", "Ingrid"]
    people = dict(zip(names, await asyncio.gather(*(Tab.open(browser, chat.address) for _ in names))))
    for name, tab in people.items():
        await tab.enter(name)
    nadia = people["Nadia"]
    for name in ("Nadia", "Amara", "Bruno"):
        await people[name].join("releases")
    await people["Ingrid"].join("coffee")
    await nadia.join("coffee")
    for name in ("Nadia", "Amara", "Bruno", "Ingrid"):
        await people[name].go_to("lobby")
    for name, text in (
            ("Amara", "Morning! The new build is on the test server \U0001f389"),
            ("Amara", "Four shards, and the fan-out graph is flat since ten o'clock."),
            ("Nadia", "Nice. How many clients?"),
            ("Amara", "12,000, all reading the ticker."),
            ("Bruno", "Notes are here: https://example.org/notes/2026-11 \u2014 please have a look before lunch."),
            ("Mateo", "Reading them now. One question: what happens to somebody in a tunnel?"),
            ("Nadia", "They get what they missed, as soon as they are out. Nobody waits for them."),
            ("Nadia", "And when the server restarts, the page comes back by itself, a little later for each one."),
            ("Mateo", "So no stampede. I like it.")):
        await people[name].say(text)
        await nadia.sees(name, text)
        await asyncio.sleep(0.3)
    await people["Ingrid"].rename("Ingrid K.")
    await nadia.sees_line("Ingrid is now Ingrid K.")
    await people["Bruno"].say("Lunch at half past twelve?")
    await nadia.sees("Bruno", "Lunch at half past twelve?")
    for name in ("Amara", "Bruno"):
        await people[name].go_to("releases")
        await people[name].say("0.1 is tagged." if name == "Amara" else "And the packages are built.")
    await people["Ingrid"].fill("text", "Yes, and")

    async def picture(name, tab, width, height, dark=False, mobile=False, scale=1):
        await tab.resize(width, height, mobile, scale)
        await tab.colours(dark)
        await asyncio.sleep(0.4)
        await tab.shot(folder / f"{name}.png")
    await nadia.shows("typing", "Ingrid K. is typing\u2026")
    await picture("chat-desktop", nadia, 1120, 720)
    await picture("chat-dark", nadia, 1120, 720, dark=True)
    await picture("chat-tablet", nadia, 760, 900)
    await picture("chat-phone", nadia, 390, 780, mobile=True, scale=1.5)
    await picture("chat-phone-dark", nadia, 390, 780, dark=True, mobile=True, scale=1.5)
    await nadia.click("#show-rooms")
    await picture("state-phone-rooms", nadia, 390, 780, mobile=True, scale=2)
    await nadia.key("Escape")
    await nadia.click("#show-members")
    await picture("state-phone-members", nadia, 390, 780, dark=True, mobile=True, scale=2)
    await nadia.key("Escape")
    await nadia.resize(1120, 720)
    await nadia.go_to("releases")
    await picture("state-unread", nadia, 1120, 720)
    await nadia.join("quiet-corner")
    await picture("state-empty", nadia, 1120, 720)
    await nadia.click("#rename")
    await nadia.answer("x" * 40)
    await nadia.wait("document.getElementById('ask-problem').textContent")
    await picture("state-dialog", nadia, 1120, 720)
    await nadia.key("Escape")
    for number in range(10):
        await nadia.js(f"(() => {{ document.getElementById('text').value = 'quick {number}'; document.getElementById('composer').requestSubmit(); }})()")
    await nadia.wait("!!document.querySelector('#log .failed')")
    await picture("state-too-fast", nadia, 1120, 720)
    await nadia.go_to("lobby")
    await nadia.js("(() => { document.getElementById('log').scrollTop = 0; })()")
    await people["Bruno"].go_to("lobby")
    await people["Bruno"].say("Table is booked.")
    await picture("state-scrolled", nadia, 1120, 520)
    chat.end()
    await nadia.wait("!document.getElementById('status').hidden")
    await picture("state-lost", nadia, 1120, 720)
    await picture("state-lost-phone", nadia, 390, 780, dark=True, mobile=True, scale=2)
    chat.start_again()
    await nadia.wait("document.getElementById('connection').textContent === 'connected'", 40)
    await nadia.js("(() => { for (let i = 0; i < 200; ++i) watched.sockets.at(-1).send('{}'); })()")
    await nadia.wait("document.getElementById('status').classList.contains('ended')")
    await picture("state-ended", nadia, 1120, 720)
    stranger = await Tab.open(browser, chat.address)
    await picture("state-welcome", stranger, 1120, 720)
    await picture("state-welcome-phone", stranger, 390, 780, dark=True, mobile=True, scale=2)
    judge.check(f"pictures are in {folder}", True)


async def main(arguments):
    chat = Chat(arguments.program, arguments.transport)
    try:
        # Tabs that nobody looks at are slowed down otherwise, and each would have a process of its own.
        async with browser_of(arguments.chromium, "--disable-background-timer-throttling", "--disable-renderer-backgrounding",
                              "--disable-backgrounding-occluded-windows", "--renderer-process-limit=3", "--js-flags=--expose-gc") as browser:
            if arguments.screenshots:
                return await screenshots(browser, chat, arguments.screenshots)
            if arguments.only != "many" and not arguments.minutes:
                await few(browser, chat)
                if arguments.transport == "tcp":
                    other = Chat(arguments.program, "tcp", "--jwt")
                    try:
                        await case("who has signed in has the name of his token", signed_in(browser, other))
                    finally:
                        other.server.kill()
            if arguments.only != "few":
                await many(browser, chat, arguments.minutes * 60 if arguments.minutes else 8, bool(arguments.minutes))
        chat.end()
    except Exception as problem:
        judge.check("all cases run", False, f"{type(problem).__name__}: {problem}")
    finally:
        chat.server.kill()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("chromium")
    parser.add_argument("program")
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--screenshots", type=pathlib.Path)
    parser.add_argument("--only", choices=("few", "many"))
    parser.add_argument("--transport", default="tcp", help="of the chat")
    given = parser.parse_args()
    asyncio.run(main(given))
    sys.exit(judge.sum_up())
