"""websockets_client.py ECHO_PORT BROADCAST_PORT [deflate]: the client of Python's `websockets`."""
import asyncio
import sys

import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from processes import Judge, WS, trust

judge = Judge()
LIMIT = 4 << 20


def connect(port, **options):
    return websockets.connect(f"{WS}://127.0.0.1:{port}/", ssl=trust(), max_size=LIMIT, open_timeout=10, close_timeout=10, **options)


def soon(waited):
    return asyncio.wait_for(waited, 10)


async def echoes(client, sent):
    await client.send(sent)
    received = await soon(client.recv())
    assert type(received) is type(sent) and received == sent, "something else came back"


async def fragments(client):
    await client.send(iter(["frag", "", "ments ", "\u20ac"]))
    assert await soon(client.recv()) == "fragments \u20ac"
    await client.send(iter([b"\0" * 70000, b"", b"\1" * 70000]))
    assert await soon(client.recv()) == b"\0" * 70000 + b"\1" * 70000


async def pings(client):
    for payload in (b"", b"hello", b"x" * 125):
        await soon(await client.ping(payload))


async def client_closes(client):
    await soon(client.close(4321, "thank you"))
    assert client.close_code == 4321, client.close_code


async def server_closes(client):
    await client.send("x" * (1048576 + 1))
    await soon(client.wait_closed())
    assert client.close_code == 1009 and client.close_reason, (client.close_code, client.close_reason)


async def server_goes_away(client):
    print("end the server", flush=True)
    await soon(client.wait_closed())
    assert (client.close_code, client.close_reason) == (1012, "the server goes away"), (client.close_code, client.close_reason)


async def speaks(echo):
    async with connect(echo, subprotocols=["something.else", "hubbub.test"]) as client:
        assert client.subprotocol == "hubbub.test", client.subprotocol


async def broadcasts(port):
    members = [await connect(port) for _ in range(5)]
    for attempt in range(50):  # a client may become a member a moment after its 101
        await members[0].send(f"hello {attempt}")

        async def hears(member):
            while await asyncio.wait_for(member.recv(), 0.2) != f"hello {attempt}":
                pass
        if not any(await asyncio.gather(*map(hears, members), return_exceptions=True)):
            break
    else:
        raise AssertionError("not all became members")
    for number in range(20):
        for sender, member in enumerate(members):
            await member.send(f"{sender} {number}")
    for member in members:
        following = [0] * len(members)
        for _ in range(20 * len(members)):
            sender, number = map(int, (await soon(member.recv())).split())
            assert number == following[sender], "out of order"
            following[sender] += 1
        await member.close()


async def compressed(port, **offer):
    """Messages that refer to earlier ones where that is agreed on, both ways."""
    async with connect(port, compression=None, extensions=[ClientPerMessageDeflateFactory(**offer)]) as client:
        assert [extension.name for extension in client.extensions] == ["permessage-deflate"], "it was not agreed on"
        for number in range(5):
            await echoes(client, f"{number} and what repeats itself, " * 3000)
            await echoes(client, bytes(number * i * i >> 3 & 255 for i in range(30000)))
            await echoes(client, "")
        await client.send(iter(["frag", "", "ments " * 1000, "\u20ac"]))
        assert await soon(client.recv()) == "frag" + "ments " * 1000 + "\u20ac"


async def a_case(name, waited):
    try:
        await waited
    except Exception as problem:
        judge.check(name, False, f"{type(problem).__name__}: {problem}")
    else:
        judge.check(name, True)


OFFERS = ({}, {"server_no_context_takeover": True}, {"client_no_context_takeover": True}, {"client_max_window_bits": True},
          {"server_max_window_bits": 10, "client_max_window_bits": 9}, {"server_max_window_bits": 8},
          {"server_no_context_takeover": True, "client_no_context_takeover": True, "server_max_window_bits": 12})


async def main(echo, broadcast, deflate):
    client = await connect(echo, compression="deflate" if deflate else None)
    for offer in OFFERS if deflate else ():
        await a_case(f"compressed, offered {offer}", compressed(echo, **offer))
    for size in (0, 1, 125, 126, 65535, 65536, 1048576):
        text = "x" * size if size < 3 else "\u20ac" + "y" * (size - 3)
        await a_case(f"echo of {size} bytes of text", echoes(client, text))
        await a_case(f"echo of {size} bytes of binary", echoes(client, bytes(i * 31 & 255 for i in range(size))))
    await a_case("messages in fragments", fragments(client))
    await a_case("pongs bring back the payload of pings", pings(client))
    await a_case("close by the client: its code comes back", client_closes(client))
    async with connect(echo) as another:  # offers permessage-deflate, which the server may decline
        await a_case("an echo after an offer of compression", echoes(another, "hello " * 100))
        await a_case("close by the server, with code and reason", server_closes(another))
    await a_case("the subprotocol that the server speaks", speaks(echo))
    await a_case("broadcast among five: all hear all, each sender in order", broadcasts(broadcast))
    await a_case("the server goes away: 1012 and its reason", server_goes_away(await connect(echo)))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:] == ["deflate"]))
    sys.exit(judge.sum_up())
