"""chat_protocol.py CHAT_PORT: what the chat says to clients that are no page, right and wrong ones. See examples/chat/protocol.md."""
import asyncio
import datetime
import json
import re
import sys
import urllib.request

import websockets

from processes import HTTP, Judge, WS, trust

judge = Judge()


class Client:
    def __init__(self, socket):
        self.socket = socket

    @classmethod
    async def connect(cls, port, **options):
        client = cls(await websockets.connect(f"{WS}://127.0.0.1:{port}/ws", ssl=trust(), compression=None, open_timeout=10,
                                              close_timeout=5, **options))
        client.limits = (await client.hear("welcome"))["data"]
        return client

    async def send(self, type, **data):
        await self.socket.send(json.dumps({"type": type, "data": data}))

    async def hear(self, *types):
        """The next message, which has to be of one of these types."""
        message = json.loads(await asyncio.wait_for(self.socket.recv(), 10))
        assert message["type"] in types, message
        return message

    async def join(self, room, name):
        await self.send("join", room=room, name=name)
        return (await self.hear("joined"))["data"]

    async def problem(self, type, **data):
        """The code and the member of the error that it brings."""
        await self.send(type, **data)
        return await self.error()

    async def error(self):
        data = (await self.hear("error"))["data"]
        assert len(data["message"]) > 10, data
        return data["code"], data.get("member", "")

    async def silence(self):
        """Nothing has been said to it before the answer to this."""
        await self.send("members", room="nowhere")
        assert (await self.hear("error"))["data"]["about"] == "members"

    async def closed(self):
        try:
            while True:
                await asyncio.wait_for(self.socket.recv(), 10)
        except websockets.ConnectionClosed:
            return self.socket.close_code, self.socket.close_reason


async def names(port):
    ann, other, third = [await Client.connect(port) for _ in range(3)]
    seat = await ann.join("#Names", "  Ann\t\u200bB. ")
    assert seat["room"] == "names" and seat["members"] == [{"id": seat["id"], "name": "Ann B."}], seat
    seat = await other.join("names", "ann b.")
    assert [each["name"] for each in seat["members"]] == ["Ann B.", "ann b. 2"], seat
    came = (await ann.hear("came"))["data"]
    assert (came["id"], came["name"], came["room"]) == (seat["id"], "ann b. 2", "names"), came
    await third.join("elsewhere", "ann b.")
    await third.silence()
    for wanted, got in (("Zo\u00eb", "Zo\u00eb"), ("ANN B.", "ANN B. 2"), ("n" * 32, "n" * 32), ("\u4eba" * 32, "\u4eba" * 32)):
        await other.send("rename", room="names", name=wanted)
        for each in (ann, other):
            assert (await each.hear("renamed"))["data"]["name"] == got
    await ann.send("rename", room="names", name="\u4eba" * 32)
    for each in (ann, other):
        renamed = (await each.hear("renamed"))["data"]
        assert (renamed["name"], renamed["before"]) == ("\u4eba" * 30 + " 2", "Ann B."), renamed
    for wrong in ("", " \u200b ", "n" * 33):
        assert await ann.problem("rename", room="names", name=wrong) == ("bad_name", "data.name")
    return ann, other, third


async def talk(port):
    ann, other = await Client.connect(port), await Client.connect(port)
    await ann.join("talk", "Ann")
    await other.join("talk", "Bob")
    await ann.hear("came")
    await ann.send("say", room="talk", text=" \x00<i>1</i>\r\n 2\u0007 \n")
    await ann.send("typing", room="talk")
    await ann.send("typing", room="talk")  # too soon: is dropped
    await ann.send("say", room="talk", text="again")
    for each in (ann, other):
        said = await each.hear("said")
        assert said["from"] == "Ann" and said["data"]["text"] == "<i>1</i>\n 2" and said["data"]["room"] == "talk", said
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", said["time"]), said
        off = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.fromisoformat(said["time"].replace("Z", "+00:00"))
        assert abs(off.total_seconds()) < 60, off
        if each is other:
            assert (await each.hear("typing"))["data"] == {"room": "talk", "id": said["data"]["id"]}
        assert (await each.hear("said"))["data"]["text"] == "again"
    await other.send("leave", room="talk")
    await other.hear("left")
    went = (await ann.hear("went"))["data"]
    assert went["name"] == "Bob", went
    await ann.send("say", room="talk", text="alone")
    await ann.hear("said")
    await other.silence()
    again = await other.join("talk", "Bob")
    assert again["id"] != went["id"] and again["version"] > went["version"], again
    await ann.hear("came")
    await other.socket.close()
    assert (await ann.hear("went"))["data"]["id"] == again["id"]
    await ann.send("members", room="talk")
    assert [each["name"] for each in (await ann.hear("members"))["data"]["members"]] == ["Ann"]
    assert (await ann.join("talk", "Another"))["members"][0]["name"] == "Ann"


async def wrong(port):
    client = await Client.connect(port)
    assert client.limits == {"name": 32, "room": 32, "text": 1000, "rooms": 8}, client.limits
    await client.join("wrong", "Ann")
    for sent, expected in (
            ("hello", ("not_json", "")), ("[1]", ("not_an_object", "")), ("{}", ("missing_member", "type")), ('{"type":7}', ("wrong_kind", "type")),
            ('{"type":"dance"}', ("unknown_type", "type")), ('{"type":"say"}', ("missing_member", "data")),
            ('{"type":"say","data":{"room":"wrong"}}', ("missing_member", "data.text")),
            ('{"type":"say","data":{"room":"wrong","text":1}}', ("wrong_kind", "data.text")), (b"\0", ("binary_message", ""))):
        await client.socket.send(sent)
        assert await client.error() == expected, (sent, expected)
    for type, data, expected in (
            ("say", {"room": "wrong", "text": " \n\t "}, ("empty", "data.text")),
            ("say", {"room": "wrong", "text": "\u20ac" * 1001}, ("too_long", "data.text")),
            ("say", {"room": "elsewhere", "text": "x"}, ("not_in_room", "data.room")),
            ("typing", {"room": "elsewhere"}, ("not_in_room", "data.room")), ("leave", {"room": "elsewhere"}, ("not_in_room", "data.room")),
            ("rename", {"room": "elsewhere", "name": "x"}, ("not_in_room", "data.room")),
            ("join", {"room": " # ", "name": "x"}, ("bad_room", "data.room")), ("join", {"room": "r" * 33, "name": "x"}, ("bad_room", "data.room")),
            ("join", {"room": "r", "name": " "}, ("bad_name", "data.name"))):
        assert await client.problem(type, **data) == expected, (type, data)
    await client.send("say", room="wrong", text="\u20ac" * 1000)
    assert (await client.hear("said"))["data"]["text"] == "\u20ac" * 1000


async def limits(port):
    client = await Client.connect(port)
    for number in range(8):
        await client.join(f"room {number}", "Ann")
    assert await client.problem("join", room="one more", name="Ann") == ("too_many_rooms", "data.room")
    for number in range(45):
        await client.send("say", room="room-1", text=str(number))
    heard = [await client.hear("said", "error") for _ in range(45)]
    said = [each["data"]["text"] for each in heard if each["type"] == "said"]
    assert said[:8] == [str(number) for number in range(8)] and len(said) < 45, said
    assert all(each["data"]["code"] == "too_fast" for each in heard if each["type"] == "error")
    for _ in range(100):
        await client.send("typing", room="room-1")
    assert await client.closed() == (1008, "too many messages in a short time")
    client = await Client.connect(port)
    for _ in range(25):
        await client.send("dance")
    assert await client.closed() == (1008, "too many messages that make no sense")
    client = await Client.connect(port)
    await client.send("say", room="x", text="x" * 17000)
    assert (await client.closed())[0] == 1009


async def one_order(port):
    """Several that speak at once on different shards: all hear all, in the same order."""
    clients = [await Client.connect(port) for _ in range(8)]
    for number, client in enumerate(clients):
        await client.join("order", str(number))
        for before in clients[:number]:
            await before.hear("came")
    for number in range(5):
        for client in clients:
            await client.send("say", room="order", text=str(number))
    orders = []
    for client in clients:
        heard = [await client.hear("said") for _ in range(5 * len(clients))]
        orders.append([(each["from"], each["data"]["text"]) for each in heard])
    assert all(order == orders[0] for order in orders), "they hear different orders"
    for number in range(len(clients)):
        assert [text for who, text in orders[0] if who == str(number)] == ["0", "1", "2", "3", "4"]


async def page(port):
    for path, kind in (("/", "text/html"), ("/index.html", "text/html"), ("/style.css", "text/css"), ("/chat.js", "text/javascript"),
                       ("/connection.js", "text/javascript")):
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
    await a_case("names are cleaned, and numbered if they are taken", names(port))
    await a_case("who is in a room hears what is said there, who came and who left", talk(port))
    await a_case("wrong messages are answered with what is wrong", wrong(port))
    await a_case("limits hold", limits(port))
    await a_case("everybody hears one order", one_order(port))
    await a_case("the page, its headers, and who may connect", page(port))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
    sys.exit(judge.sum_up())
