"""curl_client.py ECHO_PORT CHAT_PORT: pages, an upgrade and what is refused, with curl."""
import subprocess
import sys

from processes import HTTP, Judge, TLS

UPGRADE = ["-H", "Connection: Upgrade", "-H", "Upgrade: websocket", "-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]


def curl(*arguments, fails=False):
    result = subprocess.run(["curl", "--silent", "--show-error", "--include", "--noproxy", "*", *(["--cacert", TLS] if TLS else []),
                             *arguments], capture_output=True,
                            timeout=20)
    if result.returncode and not fails:
        raise AssertionError(result.stderr.decode(errors="replace").strip())
    head, _, body = result.stdout.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    return int(lines[0].split()[1]), headers, body


def page(chat):
    status, headers, body = curl(f"{HTTP}://127.0.0.1:{chat}/")
    assert status == 200 and headers["content-type"].startswith("text/html"), (status, headers)
    assert b"<title>hubbub chat</title>" in body and int(headers["content-length"]) == len(body)


def head(chat):
    status, headers, body = curl("--head", f"{HTTP}://127.0.0.1:{chat}/")
    assert status == 200 and int(headers["content-length"]) > 100 and not body, (status, headers)


def refused(expected, *arguments, **headers_expected):
    status, headers, _ = curl("--max-time", "10", *arguments)
    assert status == expected, status
    for name, value in headers_expected.items():
        assert headers.get(name.replace("_", "-")) == value, headers


def upgrade(echo):
    # curl takes the 101 and then waits for what follows: a text frame would, but nobody sends one.
    status, headers, _ = curl("--http1.1", "--max-time", "1", *UPGRADE, "-H", "Sec-WebSocket-Version: 13",
                              f"{HTTP}://127.0.0.1:{echo}/", fails=True)
    assert status == 101 and headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", (status, headers)
    assert headers["upgrade"].lower() == "websocket" and headers["connection"].lower() == "upgrade", headers


def main(echo, chat):
    judge = Judge()
    site = f"{HTTP}://127.0.0.1:{chat}"
    judge.run("the page of the chat", page, chat)
    judge.run("HEAD has the headers of the page and no body", head, chat)
    judge.run("a path that does not exist: 404", refused, 404, f"{site}/nothing/here")
    judge.run("a method that is not spoken: 405", refused, 405, "-X", "DELETE", f"{site}/")
    judge.run("a raw upgrade: 101 and the right accept key", upgrade, echo)
    judge.run("another version: 426 and the one that is spoken", lambda: refused(
        426, "--http1.1", *UPGRADE, "-H", "Sec-WebSocket-Version: 8", f"{site}/", sec_websocket_version="13"))
    judge.run("a foreign origin: 403", refused, 403, "--http1.1", *UPGRADE, "-H", "Sec-WebSocket-Version: 13", "-H",
              "Origin: http://evil.example", f"{site}/")
    judge.run("headers without end: 431", refused, 431, "-H", "X-Long: " + "x" * 9000, f"{site}/")
    judge.run("a target without end: 414", refused, 414, f"{site}/" + "x" * 5000)
    return judge.sum_up()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
