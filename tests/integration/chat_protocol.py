"""chat_protocol.py CHAT_PORT: what the chat says to clients that are no page, right and wrong ones. See examples/chat/protocol.md."""
import asyncio
import datetime
import json
import re
import sys
import urllib.parse
import urllib.request

import websockets

from processes import HTTP, Judge, WS, trust

judge = Judge()


class Client:
    """One of the subprotocol; docs/protocol.md has what it says and hears."""

    def __init__(self, socket):
        self.socket, self.number = socket, 0

    @classmethod
    async def connect(cls, port, name="Ann", protocols=("hubbub.v1.json",), **options):
        client = cls(await websockets.connect(f"{WS}://127.0.0.1:{port}/ws?{urllib.parse.urlencode({'name': name})}", ssl=trust(), compression=None,
                                              open_timeout=10, close_timeout=5, subprotocols=protocols, **options))
        client.session = (await client.hear("connected"))["session"]
        client.welcome = (await client.hear("message"))["data"]
        return client

    async def send(self, type, **message):
        self.number += 1
        await self.socket.send(json.dumps({"type": type, "id": self.number, **message}))

    async def hear(self, *types):
        """The next message of one of these types."""
        while True:
            message = json.loads(await asyncio.wait_for(self.socket.recv(), 10))
            if message["type"] in types:
                return message
            assert message["type"] in ("ack", "presence", "publication", "subscribed"), message

    async def join(self, room, **more):
        await self.send("subscribe", topic=f"typing/{room}")
        await self.hear("subscribed")
        await self.send("subscribe", topic=f"room/{room}", **more)
        return await self.hear("subscribed")

    async def say(self, room, text, id="x", **more):
        await self.send("publish", topic=f"room/{room}", data={"id": id, "text": text, **more}, idempotency=f"{self.session} {self.number}")

    async def heard(self, room):
        while True:
            message = await self.hear("publication")
            if message["topic"] == f"room/{room}":
                return message["data"]

    async def members(self, room):
        await self.send("members", topic=f"room/{room}")
        return {each["session"]: each["labels"] for each in (await self.hear("members"))["members"]}

    async def problem(self, type, **message):
        """The code and the member of the error that it brings."""
        await self.send(type, **message)
        return await self.error()

    async def error(self):
        problem = await self.hear("error")
        assert len(problem["message"]) > 5, problem
        return problem["code"], problem.get("member", "")

    async def closed(self):
        try:
            while True:
                await asyncio.wait_for(self.socket.recv(), 10)
        except websockets.ConnectionClosed:
            return self.socket.close_code, self.socket.close_reason


async def names(port):
    ann, other = await Client.connect(port, "  Ann\t\u200bB. "), await Client.connect(port, "Ann B.")
    assert ann.welcome["name"] == other.welcome["name"] == "Ann B.", (ann.welcome, other.welcome)
    assert (await Client.connect(port, "")).welcome["name"] == "Somebody"
    assert (await Client.connect(port, "\u4eba" * 40)).welcome["name"] == "\u4eba" * 32
    for client in (ann, other):
        await client.join("names")
    assert await ann.members("names") == {ann.session: ["name:Ann B."], other.session: ["name:Ann B."]}
    for wanted, got in (("Zo\u00eb", "Zo\u00eb"), (" ANN \u202eB.", "ANN B."), ("n" * 32, "n" * 32), ("\u4eba" * 32, "\u4eba" * 32)):
        await other.send("request", method="rename", params={"name": wanted})
        assert (await other.hear("reply"))["result"] == {"name": got}
        assert (await ann.members("names"))[other.session] == [f"name:{got}"]
    for wrong in ("", " \u200b ", "n" * 33):
        assert await ann.problem("request", method="rename", params={"name": wrong}) == ("bad_name", "params.name")
    assert await ann.problem("request", method="rename", params={}) == ("missing_member", "params.name")
    assert await ann.problem("request", method="dance") == ("unknown_method", "method")


async def talk(port):
    ann, other = await Client.connect(port), await Client.connect(port, "Bob")
    await ann.join("talk")
    await other.join("talk")
    await ann.say("talk", " \x00<i>1</i>\r\n 2\u0007 \n", id="one")
    for client in (ann, other):
        said = await client.heard("talk")
        assert (said["id"], said["name"], said["session"], said["text"]) == ("one", "Ann", ann.session, "<i>1</i>\n 2"), said
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", said["time"]), said
        off = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.fromisoformat(said["time"].replace("Z", "+00:00"))
        assert abs(off.total_seconds()) < 60, off
    await ann.send("publish", topic="typing/talk", data=None)
    typing = await other.hear("publication")
    assert typing == {"type": "publication", "topic": "typing/talk", "data": {"session": ann.session, "name": "Ann"}}, typing
    assert await ann.problem("publish", topic="typing/talk", data=None) == ("too_fast", "")
    while (change := await ann.hear("presence"))["sessions"] < 2:
        pass
    await other.socket.close()
    change = await ann.hear("presence")
    assert change["sessions"] == 1 and [each["session"] for each in change["left"]] == [other.session], change
    assert list(await ann.members("talk")) == [ann.session]


async def remembers(port):
    """Who comes later, and who was away, gets what was said; what is said again comes once."""
    ann = await Client.connect(port)
    begun = await ann.join("past")
    for number in range(5):
        await ann.send("publish", topic="room/past", data={"id": str(number), "text": str(number)}, idempotency=f"past {number}")
        await ann.hear("ack")
    bob = await Client.connect(port, "Bob")
    await bob.join("past", newest=3)
    assert [(await bob.heard("past"))["text"] for _ in range(3)] == ["2", "3", "4"]
    await ann.socket.close()
    ann = await Client.connect(port)
    await ann.send("publish", topic="room/past", data={"id": "4", "text": "4"}, idempotency="past 4")
    assert (await ann.error()) == ("not_in_room", "topic")
    told = await ann.join("past", since={"epoch": begun["epoch"], "offset": 2})
    assert told["recovered"] is True, told
    await ann.send("publish", topic="room/past", data={"id": "4", "text": "4"}, idempotency="past 4")
    assert [(await ann.heard("past"))["text"] for _ in range(3)] == ["2", "3", "4"]
    assert (await ann.hear("ack"))["repeated"] is True
    told = await (await Client.connect(port)).join("past", since={"epoch": "0123456789abcdef", "offset": 2})
    assert told["recovered"] is False, told


async def forged(port):
    """Whose a message is, and which messages there are, says the server alone."""
    ann, eve = await Client.connect(port), await Client.connect(port, "Eve")
    await ann.join("forged")
    await eve.join("forged")
    await eve.send("publish", topic="room/forged", data={"id": "x", "text": "I am Ann", "name": "Ann", "session": ann.session, "time": "1970"})
    said = await ann.heard("forged")
    assert said["name"] == "Eve" and said["session"] == eve.session and said["time"] > "2000" and len(said) == 5, said
    await eve.send("publish", topic="typing/forged", data={"name": "Ann", "session": ann.session})
    typing = (await ann.hear("publication"))["data"]
    assert typing == {"name": "Eve", "session": eve.session}, typing
    for topic in ("room/elsewhere", "typing/elsewhere", "elsewhere", "room/", "room/Forged"):
        assert await eve.problem("publish", topic=topic, data={"id": "x", "text": "x"}) == ("not_in_room", "topic"), topic
    for topic in ("elsewhere", "room", "room/", "room/Forged", "room/#forged", "room/two words", "room/\u200b", "room/" + "r" * 33, "typing/Forged"):
        assert await eve.problem("subscribe", topic=topic) == ("refused", "topic"), topic
    assert await eve.problem("refresh", token="name:Ann") == ("refused", "token")


async def wrong(port):
    client = await Client.connect(port)
    assert client.welcome["limits"] == {"name": 32, "room": 32, "text": 1000, "rooms": 8}, client.welcome
    await client.join("wrong")
    for sent, expected in (("hello", ("not_json", "")), ("[1]", ("not_an_object", "")), ('{"type":"dance"}', ("unknown_type", "type"))):
        await client.socket.send(sent)
        assert await client.error() == expected, (sent, expected)
    for data, expected in (
            (7, ("wrong_kind", "data")), ({"text": "x"}, ("missing_member", "data.id")), ({"id": "x"}, ("missing_member", "data.text")),
            ({"id": "x", "text": 1}, ("wrong_kind", "data.text")), ({"id": 1, "text": "x"}, ("wrong_kind", "data.id")),
            ({"id": "", "text": "x"}, ("bad_id", "data.id")), ({"id": "x" * 65, "text": "x"}, ("bad_id", "data.id")),
            ({"id": "x", "text": " \n\t "}, ("empty", "data.text")), ({"id": "x", "text": "\u20ac" * 1001}, ("too_long", "data.text"))):
        assert await client.problem("publish", topic="room/wrong", data=data) == expected, data
    await client.say("wrong", "\u20ac" * 1000)
    assert (await client.heard("wrong"))["text"] == "\u20ac" * 1000
    try:
        await Client.connect(port, protocols=None)
    except websockets.ConnectionClosed as closed:
        assert closed.rcvd.code == 1008, closed
    else:
        raise AssertionError("a client without the subprotocol was let in")


async def limits(port):
    client = await Client.connect(port)
    for number in range(8):
        await client.join(f"room-{number}")
    assert await client.problem("subscribe", topic="room/one-more") == ("too_many", "topic")
    for number in range(30):
        await client.say("room-1", str(number))
    heard = [await client.hear("ack", "error") for _ in range(30)]
    said = [each for each in heard if each["type"] == "ack"]
    assert 8 <= len(said) < 30 and [each["id"] for each in said[:8]] == sorted(each["id"] for each in heard)[:8], heard
    assert all(each["code"] == "too_fast" for each in heard if each["type"] == "error")
    for _ in range(100):
        await client.send("publish", topic="typing/room-1", data=None)
    assert await client.closed() == (1008, "too much in a short time")
    client = await Client.connect(port)
    for _ in range(25):
        await client.send("dance")
    assert await client.closed() == (1008, "too many messages that make no sense")
    client = await Client.connect(port)
    await client.say("x", "x" * 17000)
    assert (await client.closed())[0] == 1009


async def one_order(port):
    """Several that speak at once on different shards: all hear all, in the same order."""
    clients = [await Client.connect(port, str(number)) for number in range(8)]
    for client in clients:
        await client.join("order")
    for number in range(5):
        for client in clients:
            await client.say("order", str(number))
    orders = []
    for client in clients:
        heard = [await client.heard("order") for _ in range(5 * len(clients))]
        orders.append([(each["name"], each["text"]) for each in heard])
    assert all(order == orders[0] for order in orders), "they hear different orders"
    for number in range(len(clients)):
        assert [text for who, text in orders[0] if who == str(number)] == ["0", "1", "2", "3", "4"]


async def page(port):
    for path, kind in (("/", "text/html"), ("/index.html", "text/html"), ("/style.css", "text/css"), ("/chat.js", "text/javascript"),
                       ("/room.js", "text/javascript"), ("/hubbub.js", "text/javascript")):
        with urllib.request.urlopen(f"{HTTP}://127.0.0.1:{port}{path}", timeout=10, context=trust()) as answer:
            assert answer.headers["Content-Type"] == f"{kind}; charset=utf-8" and len(answer.read()) > 500, path
            policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
            assert policy == {"default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "connect-src": "'self'", "img-src": "'self' data:",
                              "base-uri": "'none'", "form-action": "'none'", "frame-ancestors": "'none'"}, policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff" and answer.headers["Referrer-Policy"] == "no-referrer"
    text = urllib.request.urlopen(f"{HTTP}://127.0.0.1:{port}/", timeout=10, context=trust()).read().decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bon\w+=|\bstyle=", text), "the page has something inline"
    try:
        await websockets.connect(f"{WS}://127.0.0.1:{port}/ws", ssl=trust(), origin="http://elsewhere.example", open_timeout=10)
    except websockets.InvalidStatusCode as refused:
        assert refused.status_code == 403, refused
    else:
        raise AssertionError("a page of another server was let in")


async def a_case(name, waited):
    try:
        await waited
    except Exception as problem:  # whatever it is, the other cases still count
        judge.check(name, False, f"{type(problem).__name__}: {problem}")
    else:
        judge.check(name, True)


async def main(port):
    await a_case("names are cleaned, and changed", names(port))
    await a_case("who is in a room hears what is said there, who is typing, and who leaves", talk(port))
    await a_case("a room remembers, and what is said again comes once", remembers(port))
    await a_case("nobody speaks as another", forged(port))
    await a_case("wrong messages are answered with what is wrong", wrong(port))
    await a_case("limits hold", limits(port))
    await a_case("everybody hears one order", one_order(port))
    await a_case("the page, its headers, and who may connect", page(port))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
    sys.exit(judge.sum_up())
