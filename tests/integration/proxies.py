"""proxies.py BUILD_DIR [BUILD_DIR_OF_EXAMPLES]: the hub behind nginx and HAProxy, as docs/deploy/ configures them.

The files run as they are, but for addresses, the certificate and shorter times. A proxy that is not installed is left out.
"""
import concurrent.futures
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

from processes import Failure, Judge, Server, free_port
from raw_client import BINARY, CLOSE, KEY, PING, PONG, TEXT, RawClient, frame

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATH = "/usr/sbin:/sbin:/usr/local/sbin:/usr/local/bin:/usr/bin:/bin"
TRUSTING = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
TRUSTING.check_hostname, TRUSTING.verify_mode = False, ssl.CERT_NONE  # the certificate is made for the moment
PATIENCE = 3  # seconds that a proxy waits here for a quiet connection


def find(program):
    return shutil.which(program, path=PATH)


def replaced(text: str, changes: dict) -> str:
    """Each of them once or more, or the file that is shipped is no longer what is tested."""
    for old, new in changes.items():
        if old not in text:
            raise Failure(f"the configuration has no \"{old}\"")
        text = text.replace(old, new)
    return text


class Client(RawClient):
    """Over TLS, to a proxy."""

    def __init__(self, port, target="/", headers=(), receive_buffer=0, source="127.0.0.1"):
        bare = socket.socket()
        bare.bind((source, 0))
        bare.settimeout(15)
        if receive_buffer:
            bare.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            bare.connect(("127.0.0.1", port))
            self.socket = TRUSTING.wrap_socket(bare)
        except OSError:
            bare.close()
            raise
        lines = [f"GET {target} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Upgrade: websocket", "Connection: Upgrade",
                 f"Sec-WebSocket-Key: {KEY}", "Sec-WebSocket-Version: 13", *headers, "", ""]
        self.socket.sendall("\r\n".join(lines).encode())
        self.bytes = b""
        while b"\r\n\r\n" not in self.bytes:
            self._receive()
        self.head, self.bytes = self.bytes.split(b"\r\n\r\n", 1)
        self.status = int(self.head.split()[1])

    def end(self):
        """The rest until the server ends it; True for an orderly end."""
        try:
            while self.socket.recv(65536):
                pass
        except (ConnectionResetError, ssl.SSLError):
            return False
        return True


class Proxy:
    """One that runs in a folder of its own, in front of a port or of what its configuration calls a Unix socket."""

    def __init__(self, name, backend, patience=PATIENCE, more=None):
        self.name, self.more = name, more or {}
        for attempt in range(3):  # somebody else may take the port that was free
            self.folder = tempfile.TemporaryDirectory()
            self.port = free_port()
            self.process = None
            try:
                self._start(pathlib.Path(self.folder.name), backend, patience)
                return
            except Failure:
                self.close()
                if attempt == 2:
                    raise

    def _start(self, folder, backend, patience):
        key = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
               "-subj", "/CN=hub.test", "-keyout", folder / "hub.key", "-out", folder / "hub.crt"]
        subprocess.run(key, check=True, capture_output=True)
        (folder / "hub.pem").write_bytes((folder / "hub.crt").read_bytes() + (folder / "hub.key").read_bytes())
        changes = {"127.0.0.1:9001": backend if isinstance(backend, str) else f"127.0.0.1:{backend}", "/etc/ssl": str(folder), "75s": f"{patience}s",
                   **self.more}
        if self.name == "nginx":
            text = (ROOT / "docs/deploy/nginx.conf").read_text()
            (folder / "hub.conf").write_text(replaced(text, {**changes, "listen 443": f"listen 127.0.0.1:{self.port}"}))
            temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
            (folder / "nginx.conf").write_text(f"error_log stderr warn;\npid {folder}/pid;\ndaemon off;\nmaster_process off;\n"
                                               f"events {{ worker_connections 1024; }}\nhttp {{\naccess_log off;\n{temporary}"
                                               f"include {folder}/hub.conf;\n}}\n")
            command = [find("nginx"), "-p", folder, "-e", "stderr", "-c", folder / "nginx.conf"]
        else:
            text = (ROOT / "docs/deploy/haproxy.cfg").read_text()
            (folder / "haproxy.cfg").write_text(replaced(text, {**changes, "bind :443": f"bind 127.0.0.1:{self.port}"}))
            command = [find("haproxy"), "-db", "-q", "-f", folder / "haproxy.cfg"]
        with open(folder / "log", "w") as log:
            self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + 10
        while time.monotonic() < end and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise Failure(f"{self.name} does not listen: {(folder / 'log').read_text()[-600:]}")

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Cases:
    def __init__(self, build, examples, name):
        self.load_server, self.chat, self.name = build / "benchmarks/hubbub_load_server", examples / "hubbub_chat", name

    def hub(self, *options):
        return Server([self.load_server, "--mode", "echo", *options])

    def all(self):
        """Each case, and its name."""
        return {
            "messages of all sizes come back": self.messages,
            "the hub may listen on a Unix socket": self.unix_socket,
            "pages and refusals of the hub get through": self.pages,
            "pages of this host may connect, others not": self.origins,
            "the client's address is what the proxy says, not what the client says": self.addresses,
            "limits per address count the client behind the proxy": self.counted,
            **({"the PROXY protocol, version 1": lambda: self.proxy_protocol("send-proxy"),
                "the PROXY protocol, version 2": lambda: self.proxy_protocol("send-proxy-v2")} if self.name == "haproxy" else {}),
            "pings and their payloads get through": self.pings,
            "a quiet connection stays open for longer than the proxy waits": self.quiet,
            "without a heartbeat in time the proxy ends it": self.too_quiet,
            "close codes of the client and of the hub get through": self.codes,
            "who does not read gets 1013 when he reads at last": self.slow,
            "a drain ends all with 1012, and then the proxy says that nobody is there": self.drain,
            "too many connections of one address are refused by the proxy": self.limit,
        }

    def messages(self):
        with self.hub() as hub, Proxy(self.name, hub.port) as proxy, Client(proxy.port) as client:
            assert client.status == 101, client.head
            for size in (0, 1, 125, 126, 65535, 65536):
                payload = bytes(i * 31 & 255 for i in range(size))
                client.send(BINARY, payload)
                assert client.read() == (BINARY, payload), size
            client.send(TEXT, "\u20ac".encode(), final=False)
            client.send(0, b"!")
            assert client.read() == (TEXT, "\u20ac!".encode())

    def unix_socket(self):
        with tempfile.TemporaryDirectory() as folder, self.hub("--bind", f"unix:{folder}/hub.sock"), \
                Proxy(self.name, f"{'unix:' if self.name == 'nginx' else 'unix@'}{folder}/hub.sock") as proxy, \
                Client(proxy.port) as client:
            assert client.status == 101 and client.echoes()

    def pages(self):
        with Server([self.chat, "--port", 0]) as chat, Proxy(self.name, chat.port) as proxy:
            page = subprocess.run(["curl", "--silent", "--insecure", "--noproxy", "*", "--include", "--http1.1",
                                   f"https://127.0.0.1:{proxy.port}/"], capture_output=True, text=True, timeout=15).stdout
            assert page.startswith("HTTP/1.1 200") and "<html" in page, page[:200]
            with Client(proxy.port, headers=["Sec-WebSocket-Version: 8"]) as client:  # two of that header
                assert client.status == 400, client.head

    def origins(self):
        with Server([self.chat, "--port", 0]) as chat, Proxy(self.name, chat.port) as proxy:
            for origin, status in ((f"https://127.0.0.1:{proxy.port}", 101), ("https://elsewhere.example", 403)):
                with Client(proxy.port, headers=[f"Origin: {origin}"]) as client:
                    assert client.status == status, (origin, client.head)

    def addresses(self):
        with socket.create_server(("127.0.0.1", 0)) as listener, Proxy(self.name, listener.getsockname()[1]) as proxy:
            listener.settimeout(15)
            requests = []

            def serve():  # a hub would do more
                connection = listener.accept()[0]
                request = b""
                with connection:
                    connection.settimeout(15)
                    while b"\r\n\r\n" not in request:
                        request += connection.recv(65536)
                    connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                requests.append(request.decode())

            backend = threading.Thread(target=serve)
            backend.start()
            with Client(proxy.port, headers=["X-Forwarded-For: 192.0.2.1"]) as client:
                assert client.status == 403, client.head
            backend.join(15)
            said = re.findall(r"^x-forwarded-for: *(.*?)\r$", requests[0], re.I | re.M)
            assert said == ["127.0.0.1"], said
            assert re.search(rf"^host: 127\.0\.0\.1:{proxy.port}\r$", requests[0], re.I | re.M), requests[0]

    def demand_two_each(self, proxy):
        """Two connections of an address and no third, whichever address the proxy itself has."""
        with Client(proxy.port, source="127.0.0.2") as first, Client(proxy.port, source="127.0.0.2") as second, \
                Client(proxy.port, source="127.0.0.2", headers=["X-Forwarded-For: 192.0.2.1"]) as third, \
                Client(proxy.port, source="127.0.0.3") as other:
            assert [client.status for client in (first, second, third, other)] == [101, 101, 429, 101], third.head
            assert first.echoes() and other.echoes()

    def counted(self):
        with self.hub("--trust", "127.0.0.1", "--per-address", 2) as hub, Proxy(self.name, hub.port) as proxy:
            self.demand_two_each(proxy)

    def proxy_protocol(self, sends):
        with self.hub("--trust", "127.0.0.1", "--proxy-protocol", "--per-address", 2) as hub:
            backend = f"127.0.0.1:{hub.port}"
            with Proxy(self.name, hub.port, more={f"server hub1 {backend}": f"server hub1 {backend} {sends}",
                                                  "http-request set-header X-Forwarded-For %[src]": ""}) as proxy:
                self.demand_two_each(proxy)
                with RawClient(hub.port, upgrade=False) as liar:  # from a proxy's address, without the header
                    liar.socket.sendall(b"GET / HTTP/1.1\r\n\r\n")
                    try:
                        assert not liar.socket.recv(1), "it was answered"
                    except ConnectionResetError:
                        pass

    def pings(self):
        with self.hub("--ping-after", 300, "--silence", 10000) as hub, Proxy(self.name, hub.port) as proxy, \
                Client(proxy.port) as client:
            client.send(PING, b"are you there?")
            assert client.read_until(PONG) == b"are you there?"
            assert client.read_until(PING) == b""

    def stay(self, client, seconds):
        """Answers pings for so long. False: the connection has ended."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            client.socket.settimeout(max(0.05, end - time.monotonic()))
            try:
                opcode, payload = client.read()
            except socket.timeout:
                continue
            except (EOFError, ConnectionError, ssl.SSLError):
                return False
            if opcode == PING:
                client.send(PONG, payload)
        client.socket.settimeout(15)
        return True

    def quiet(self):
        with self.hub("--ping-after", 500, "--silence", 20000) as hub, Proxy(self.name, hub.port) as proxy, \
                Client(proxy.port) as client:
            assert self.stay(client, PATIENCE + 2), "it ended"
            assert client.echoes()

    def too_quiet(self):
        with self.hub() as hub, Proxy(self.name, hub.port, patience=1) as proxy, Client(proxy.port) as client:
            assert not self.stay(client, 12), "the proxy waits for ever"

    def codes(self):
        with self.hub() as hub, Proxy(self.name, hub.port) as proxy:
            for sent, expected in ((frame(CLOSE, b"\x10\xe1thank you"), (4321, "thank you")),
                                   (frame(CLOSE, b""), (1005, "")),
                                   (frame(BINARY, b"x" * 65537)[:14], (1009, "the message is too big")),
                                   (frame(BINARY, b"not masked", masked=False), (1002, None)),
                                   (frame(TEXT, b"\xff"), (1007, "text must be UTF-8"))):
                with Client(proxy.port) as client:
                    client.socket.sendall(sent)
                    code, reason = client.read_close()
                    assert code == expected[0] and expected[1] in (None, reason), (code, reason)
                    # The hub ends the connection behind its answer to what was wrong, and waits for no more (RFC 6455 7.1.7). A
                    # proxy may then reset a client that is still sending: only headers are sent here.
                    assert client.end() or sent[0] & 15 != CLOSE, "it was reset"

    def slow(self):
        options = ["--mode", "broadcast", "--queue-messages", 50, "--send-buffer", 8192, "--close-limit", 60000, "--snapshot"]
        with self.hub(*options) as hub, Proxy(self.name, hub.port, patience=60) as proxy, \
                Client(proxy.port, receive_buffer=4096) as sleeper, RawClient(hub.port, seconds=15) as talker:
            payload = b"x" * 60000
            for _ in range(100):  # at most 60 MB: the buffers on the way hold less
                for _ in range(10):
                    talker.send(BINARY, payload)
                    talker.read_until(BINARY)
                if hub.snapshot()["session_closed"]:
                    break
            code, reason = sleeper.read_close()
            assert (code, reason) == (1013, "too slow"), (code, reason)

    def drain(self):
        with self.hub() as hub, Proxy(self.name, hub.port, patience=60) as proxy:
            clients = [Client(proxy.port) for _ in range(50)]
            hub.ask_to_end()
            for client in clients:
                assert client.read_close() == (1012, "the server goes away")
                client.send(CLOSE, b"\x03\xf4")
            assert all([client.end() for client in clients]), "some were reset"
            assert hub.wait(12) == 0
            with Client(proxy.port) as client:
                assert client.status in (502, 503), client.head
            for client in clients:
                client.close()

    def limit(self):
        with self.hub() as hub, Proxy(self.name, hub.port, patience=60) as proxy:
            clients = []
            try:
                while len(clients) < 150:
                    clients.append(Client(proxy.port))
                    if clients[-1].status != 101:
                        break
                assert clients[-1].status == 429 and len(clients) == 101, (len(clients), clients[-1].head)
            finally:
                for client in clients:
                    client.close()


def main(build, examples):
    judge = Judge()
    names = [name for name in ("nginx", "haproxy") if find(name)]
    for name in ("nginx", "haproxy"):
        if name not in names:
            print(f"left out: there is no {name}; install {name}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:  # most of them wait
        cases = [(f"{name}: {title}", pool.submit(case)) for name in names for title, case in Cases(build, examples, name).all().items()]
        for title, case in cases:
            judge.run(title, case.result)
    return judge.sum_up()


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[-1]).resolve()))
