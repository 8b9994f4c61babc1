"""tls_client.py PORT CERTIFICATE
Clients over TLS of a server whose messages go to all. The last line is "N passed, N failed"."""
import asyncio
import ssl
import sys

import websockets

from processes import Judge

judge = Judge()


async def main(port, certificate):
    trusts = ssl.create_default_context(cafile=certificate)
    trusts.check_hostname = False

    def connect():
        return websockets.connect(f"wss://127.0.0.1:{port}/", ssl=trusts, max_size=None)

    clients = [await connect() for _ in range(5)]
    for number, client in enumerate(clients):  # a member hears itself
        await client.send(f"ready {number}")
        while await asyncio.wait_for(client.recv(), 10) != f"ready {number}":
            pass
    large = "\u20ac" * 60_000
    await clients[0].send(large)
    for client in clients:
        while (heard := await asyncio.wait_for(client.recv(), 10)).startswith("ready"):
            pass
        if not judge.check("all hear a message of 180,000 bytes", heard == large):
            return
    for number in range(200):
        await clients[1].send(str(number))
    for client in clients:
        heard = [await asyncio.wait_for(client.recv(), 10) for _ in range(200)]
        judge.check("all hear 200 messages in order", heard == [str(number) for number in range(200)])
    print("end the server", flush=True)
    for client in clients:
        try:
            await asyncio.wait_for(client.recv(), 10)
        except websockets.ConnectionClosed as closed:
            judge.check("the server goes away with 1012", closed.code == 1012, f"{closed}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
    sys.exit(judge.sum_up())
