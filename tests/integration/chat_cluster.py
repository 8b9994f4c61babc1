"""chat_cluster.py CHAT_PROGRAM redis|nats [CHROMIUM]
Two servers of the chat over one broker: they are one chat, for clients of the protocol, and with Chromium for pages too, also behind
HAProxy where that is installed."""
import asyncio
import pathlib
import shutil
import socket
import sys
import tempfile
import time
import urllib.error
import urllib.request

from chat_protocol import Client
from chat_tab import LINES, Tab
from chromium import browser_of
from processes import Failure, Judge, Process, Server, free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATH = "/usr/sbin:/sbin:/usr/local/sbin:/usr/local/bin:/usr/bin:/bin"
KEY = "a secret of this test"

judge = Judge()


def wait_until(what, holds, seconds=15.0):
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise Failure(f"{what}: not so within {seconds:g} s")
        time.sleep(0.05)


def get(port, path):
    """Status and body; 0 if nobody is there."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()
    except OSError:
        return 0, ""


class Broker:
    """With a folder of its own, on a port where it can start again."""

    def __init__(self, kind, folder):
        self.kind, self.port = kind, free_port()
        self.url = f"{kind}://127.0.0.1:{self.port}"
        program = shutil.which(f"{kind}-server", path=PATH)
        self.command = ([program, "--port", self.port, "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "no", "--loglevel",
                         "warning"] if kind == "redis" else [program, "-js", "-sd", folder, "-l", f"{folder}/nats.log", "-a", "127.0.0.1", "-p", self.port])
        self.start()

    def start(self):
        self.process = Process(self.command)
        wait_until(f"{self.kind} listens", self.listens)

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class Chat:
    """One server of the chat, which can die and start again on its port."""

    def __init__(self, program, broker):
        self.command = [program, "--threads", 2, f"--{broker.kind}", broker.url, "--cluster-key", KEY, "--proxy", "127.0.0.1"]
        self.port = 0
        self.start()

    def start(self):
        self.server = Server([*self.command, "--port", self.port])
        self.port = self.server.port
        wait_until("a server is ready", lambda: get(self.port, "/readyz")[0] == 200)

    def die(self):
        self.server.kill()

    def start_again(self):
        self.start()


# ---- clients of the protocol

async def texts(client, room, count):
    return [(await client.heard(room))["text"] for _ in range(count)]


async def one_chat(one, two):
    ann, bob = await Client.connect(one.port, "Ann"), await Client.connect(two.port, "Bob")
    await ann.join("both")
    await bob.join("both")
    assert ann.session != bob.session
    for number in range(5):
        await ann.say("both", f"a{number}")
        await bob.say("both", f"b{number}")
    heard = [await texts(each, "both", 10) for each in (ann, bob)]
    assert heard[0] == heard[1] and sorted(heard[0]) == sorted(f"{who}{number}" for who in "ab" for number in range(5)), heard
    everybody = {ann.session: ["name:Ann"], bob.session: ["name:Bob"]}
    for client in (ann, bob):
        end = time.monotonic() + 10
        while (members := await client.members("both")) != everybody:
            assert time.monotonic() < end, members
            await asyncio.sleep(0.1)
    await bob.socket.close()
    end = time.monotonic() + 10
    while list(await ann.members("both")) != [ann.session]:
        assert time.monotonic() < end, "who has left is still there"
        await asyncio.sleep(0.1)


async def once(one, two):
    """What was published on one server is known again on the other."""
    ann = await Client.connect(one.port, "Ann")
    await ann.join("once")
    await ann.send("publish", topic="room/once", data={"id": "1", "text": "first"}, idempotency="mine alone")
    assert (await ann.hear("ack")).get("repeated") is not True
    await ann.socket.close()
    again = await Client.connect(two.port, "Ann")
    await again.join("once", newest=10)
    await again.send("publish", topic="room/once", data={"id": "1", "text": "first"}, idempotency="mine alone")
    assert (await again.hear("ack"))["repeated"] is True
    late = await Client.connect(one.port, "Late")
    await late.join("once", newest=10)
    await late.say("once", "last")
    assert await texts(late, "once", 2) == ["first", "last"]


async def killed(one, two):
    """A server dies; who was there misses nothing, on the other one and on the same one."""
    ann, bob = await Client.connect(one.port, "Ann"), await Client.connect(two.port, "Bob")
    begun = await ann.join("killed")
    await bob.join("killed")
    await ann.say("killed", "0")
    await ann.hear("ack")
    one.die()
    for number in range(1, 4):
        await bob.say("killed", str(number))
    since = {"epoch": begun["epoch"], "offset": begun["offset"]}
    there = await Client.connect(two.port, "Ann")
    assert (await there.join("killed", since=since))["recovered"] is True
    assert await texts(there, "killed", 4) == ["0", "1", "2", "3"]
    one.start_again()
    here = await Client.connect(one.port, "Ann")
    assert (await here.join("killed", since=since))["recovered"] is True
    assert await texts(here, "killed", 4) == ["0", "1", "2", "3"]
    await bob.say("killed", "4")
    assert await texts(here, "killed", 1) == ["4"]


async def without_broker(broker, one, two):
    """Who is there goes on; new clients are to be sent elsewhere; a broker that has forgotten all begins anew, and members are told."""
    ann = await Client.connect(one.port, "Ann")
    await ann.join("apart")
    await ann.say("apart", "before")
    await ann.hear("ack")
    broker.process.kill()
    wait_until("a server is not ready", lambda: get(one.port, "/readyz")[0] == 503)
    assert get(one.port, "/healthz") == (200, "alive\n") and "1 of 1 brokers" in get(one.port, "/readyz")[1]
    broker.start()
    for server in (one, two):
        wait_until("a server is ready again", lambda: get(server.port, "/readyz")[0] == 200)
    while (told := await ann.hear("subscribed"))["topic"] != "room/apart":
        assert told["recovered"] is False, told  # who is typing is not remembered
    assert told["recovered"] is False, told
    bob = await Client.connect(two.port, "Bob")
    await bob.join("apart")
    await ann.say("apart", "after")
    assert await texts(bob, "apart", 1) == ["after"]


# ---- pages

async def spoken(tabs, expected):
    """Each of them has each line once, in one order."""
    orders = []
    for tab in tabs:
        for name, text in expected:
            await tab.sees(name, text)
        await tab.wait("document.querySelectorAll('#log .pending li').length === 0")
        assert "recovered" not in await tab.js("document.getElementById('log').textContent"), "something was lost, it says"
        orders.append([line for line in await tab.js(LINES) if tuple(line) in expected])
    assert orders[0] == orders[1] and len(orders[0]) == len(expected), orders


async def pages(browser, one, two):
    """A page at each server; one of both dies while they talk, and starts again."""
    ann = await Tab.open(browser, f"http://127.0.0.1:{one.port}/")
    bob = await Tab.open(browser, f"http://127.0.0.1:{two.port}/")
    await ann.enter("Ann")
    await bob.enter("Bob")
    for tab in (ann, bob):
        await tab.sees_members("Ann", "Bob")
    expected = []
    for number in range(9):
        for name, tab in (("Ann", ann), ("Bob", bob)):
            await tab.say(f"{name} {number}")
            expected.append((name, f"{name} {number}"))
        if number == 3:
            one.die()
        if number == 5:
            one.start_again()
        await asyncio.sleep(0.4)
    await ann.wait("document.getElementById('connection').textContent === 'connected'", 40)
    await spoken((ann, bob), expected)
    await bob.wait("document.querySelectorAll('#members .member').length === 2", 40)  # the node that died has a lease
    await bob.sees_members("Ann", "Bob")


async def behind_haproxy(browser, one, two, port):
    """No server starts again: pages go to the one that is left."""
    address = f"http://127.0.0.1:{port}/"
    ann, bob = await Tab.open(browser, address), await Tab.open(browser, address)
    await ann.enter("Ann", "proxied")
    await bob.enter("Bob", "proxied")
    expected = []
    for number in range(8):
        for name, tab in (("Ann", ann), ("Bob", bob)):
            await tab.say(f"{name} {number}")
            expected.append((name, f"{name} {number}"))
        if number == 2:
            one.die()
        if number == 5:
            one.start_again()
            two.server.ask_to_end()  # drains
        await asyncio.sleep(0.6)
    for tab in (ann, bob):
        await tab.wait("document.getElementById('connection').textContent === 'connected'", 40)
    await spoken((ann, bob), expected)
    assert two.server.wait(12) == 0
    two.start_again()


def haproxy(folder, one, two):
    """The file of docs/deploy/, with these ports and without a certificate."""
    text, port = (ROOT / "docs/deploy/haproxy-cluster.cfg").read_text(), free_port()
    for old, new in (("bind :443 ssl crt /etc/ssl/hub.pem alpn http/1.1", f"bind 127.0.0.1:{port}"), ("127.0.0.1:9001", f"127.0.0.1:{one.port}"),
                     ("127.0.0.1:9002", f"127.0.0.1:{two.port}")):
        if old not in text:
            raise Failure(f'the configuration has no "{old}"')
        text = text.replace(old, new)
    (folder / "haproxy.cfg").write_text(text)
    process = Process([shutil.which("haproxy", path=PATH), "-db", "-f", folder / "haproxy.cfg"])
    wait_until("HAProxy is ready", lambda: get(port, "/readyz")[0] == 200)
    return process, port


async def a_case(name, waited):
    try:
        await asyncio.wait_for(waited, 90)
    except Exception as problem:  # whatever it is, the other cases still count
        judge.check(name, False, f"{type(problem).__name__}: {problem}")
    else:
        judge.check(name, True)


async def main(program, kind, chromium=None):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = pathlib.Path(name)
        started, chats = [], []
        try:
            broker = Broker(kind, name)
            chats += [Chat(program, broker)]
            chats += [Chat(program, broker)]
            one, two = chats
            judge.check("both are alive and ready", all(get(each.port, path)[0] == 200 for each in chats for path in ("/healthz", "/readyz")))
            await a_case("two servers are one chat: messages, one order, and members", one_chat(one, two))
            await a_case("what is published again on the other server comes once", once(one, two))
            await a_case("a server that is killed loses no line", killed(one, two))
            if chromium:
                async with browser_of(chromium, "--disable-background-timer-throttling", "--disable-renderer-backgrounding",
                                      "--disable-backgrounding-occluded-windows") as browser:
                    await a_case("pages come back to a server that was killed, and show every line", pages(browser, one, two))
                    if shutil.which("haproxy", path=PATH):
                        proxy, port = haproxy(folder, one, two)
                        started.append(proxy)
                        await a_case("pages go to the server that is left, and show every line", behind_haproxy(browser, one, two, port))
                    else:
                        print("left out: HAProxy is not installed", flush=True)
            await a_case("without its broker a server says so, and clients are told what was lost", without_broker(broker, one, two))
            for each in chats:
                judge.check("a server ends well", each.server.end(15) == 0)
        except Exception as problem:
            judge.check("all cases run", False, f"{type(problem).__name__}: {problem}")
        finally:
            for each in (*started, *(chat.server for chat in chats), *([broker.process] if "broker" in locals() else [])):
                each.kill()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
    sys.exit(judge.sum_up())
