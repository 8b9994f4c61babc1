#!/usr/bin/env python3
"""Does what docs/getting_started.md says, as it says it, in an empty folder: a new user's ten minutes.

  tests/docs/follow_getting_started.py [FOLDER]    in a temporary folder by default

In the page `<!-- file: NAME -->` and `<!-- append: NAME -->` name the block that follows, `<!-- run -->` says that it is a command,
and `<!-- start: PORT -->` that it is a server, which then must answer there. Needs the ports 8080 and 8081.
"""
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
REQUEST = ("GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: {origin}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")


def steps(page):
    """(what, name, text) of each block that something is to be done with."""
    action, code = None, None
    for line in page.split("\n"):
        if code is not None:
            if line == "```":
                yield *action, "\n".join(code) + "\n"
                action, code = None, None
            else:
                code.append(line)
        elif found := re.fullmatch(r"<!-- (file|append|run|start)(?:: (\S+))? -->", line):
            action = (found[1], found[2])
        elif line.startswith("```") and action:
            code = []
        elif line.startswith("```"):
            action, code = ("nothing", None), []


def answer(port, origin):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(REQUEST.format(port=port, origin=origin).encode())
        return client.recv(4096).split(b"\r\n")[0].decode()


def serve(command, port, folder):
    """The server answers pages of its own address and refuses others; then it drains."""
    server = subprocess.Popen(command.split(), cwd=folder)
    try:
        for _ in range(500):
            try:
                own, other = answer(port, f"http://127.0.0.1:{port}"), answer(port, "https://elsewhere.example")
                break
            except OSError:
                time.sleep(0.02)
        else:
            raise SystemExit(f"{command.strip()} does not answer on port {port}")
        print(f"  port {port}: {own}; to a page from elsewhere: {other}")
        if not own.startswith("HTTP/1.1 101") or not other.startswith("HTTP/1.1 403"):
            raise SystemExit("that is not what the page says")
    finally:
        server.terminate()
        server.wait(20)


def main(folder):
    environment = {**os.environ, "HUBBUB": str(ROOT)}
    here, began = folder, time.monotonic()
    for what, name, text in steps((ROOT / "docs/getting_started.md").read_text()):
        if what == "nothing":
            continue
        print(f"== {what} {name or text.strip()}", flush=True)
        if what == "run":
            for command in text.strip().split("\n"):
                if command.startswith("cd "):
                    here = here / command[3:]
                elif subprocess.run(command, shell=True, cwd=here, env=environment).returncode:
                    raise SystemExit(f"that failed: {command}")
        elif what == "start":
            serve(text, int(name), here)
        else:
            with open(here / name, "a" if what == "append" else "w") as file:
                file.write(("\n" if what == "append" else "") + text)
    print(f"done, after {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(pathlib.Path(sys.argv[1]).resolve())
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(pathlib.Path(temporary))
