"""chat_service.py CHAT_PROGRAM
The chat as a service: its settings, what SIGHUP loads, exit codes, sockets of a service manager and what that is told, and a hot restart that
fails. tests/integration/js_client/hot_restart.mjs has those that succeed."""
import asyncio
import http.client
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

from chat_protocol import Client
from processes import Failure, Judge, Server

judge = Judge()


class Chat(Server):
    """With the settings of a file, and variables of its own."""

    def __init__(self, program, settings, *arguments, folder, listener=None, **variables):
        self.path = folder / "chat.json"
        self.errors = folder / "errors"
        self.write(settings)
        # A shell, because $LISTEN_PID is the process' own number.
        listening = ['LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" "$@" 3<&%d' % listener.fileno()] if listener else ['exec "$0" "$@"']
        if listener:
            os.set_inheritable(listener.fileno(), True)
        assign = [f"{name}={value}" for name, value in variables.items()]
        super().__init__(["env", *assign, "sh", "-c", f"exec 2>'{self.errors}'; {listening[0]}", program, "--config", self.path, *arguments],
                         keeps_open=listener is not None)

    def write(self, settings):
        self.path.write_text(settings if isinstance(settings, str) else json.dumps(settings))

    def says(self, text, seconds=10.0):
        """Waits until that is on standard error."""
        wait_until(f'"{text}" on standard error', lambda: text in self.errors.read_text(), seconds)

    def signal(self, which):
        self.process.send_signal(which)


def wait_until(what, holds, seconds=10.0):
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise Failure(f"{what}: not so within {seconds:g} s")
        time.sleep(0.02)


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def case(function):
    """Runs it in a folder of its own."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        judge.run(function.__doc__, lambda: function(pathlib.Path(name)))


def refused_settings(folder):
    """settings that are wrong are refused with exit code 2, the file and the member"""
    path = folder / "chat.json"
    for text, wanted in (("", "is no JSON"), ("[]", "is no object"), ('{"port": "80"}', '"port" must be a number from 0 to 65535, not "80"'),
                         ('{"port": 65536}', '"port" must be'), ('{"threads": 0}', '"threads" must be a number from 1 to 64'),
                         ('{"jwt": 1}', '"jwt" must be true or false'), ('{"adress": "::"}', 'has "adress", which is not known'),
                         ('{"limits": {"says": 1}}', '"limits": has "says", which is not known'), ('{"limits": 1}', '"limits" must be an object'),
                         ('{"limits": {"says_at_once": 0}}', '"says_at_once" must be a number from 1.0'), ('{"transport": "pigeon"}', "pigeon"),
                         (None, "cannot be read")):
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_text(text)
        result = subprocess.run([program, "--config", path], capture_output=True, text=True, timeout=10)
        assert result.returncode == 2 and wanted in result.stderr, (text, result.returncode, result.stderr)
        assert str(path) in result.stderr or wanted == "pigeon", result.stderr


def settings(folder):
    """the file is read, with comments, and the command line goes before it; it drains with exit code 0"""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        text = '{\n"port": %d,  // somebody else\'s\n"threads": 1}' % taken.getsockname()[1]
        with Chat(program, text, "--port", 0, folder=folder) as chat:
            assert chat.port != taken.getsockname()[1]
            assert chat.end() == 0
        result = subprocess.run([program, "--config", chat.path], capture_output=True, text=True, timeout=10)
        assert result.returncode == 1 and f"127.0.0.1:{taken.getsockname()[1]}" in result.stderr, (result.returncode, result.stderr)


def dumped(folder):
    """SIGUSR1 writes its state to standard error, and names nobody"""
    async def run(chat):
        ann = await Client.connect(chat.port, "Secretive")
        await ann.join("secrets")
        chat.signal(signal.SIGUSR1)
        chat.says("}\n")
        text = chat.errors.read_text()
        dump = json.loads(text)
        assert len(dump["shards"]) == 2 and sum(shard["sessions"] for shard in dump["shards"]) == 1, text
        assert any(topic["members"] == 1 for topic in dump["topics"]), text
        assert "ecret" not in text and "127.0.0.1" not in text, text
    with Chat(program, {"port": 0, "threads": 2}, folder=folder) as chat:
        asyncio.run(run(chat))
        assert chat.end() == 0


def second_signal(folder):
    """a second SIGTERM ends it at once, with exit code 3"""
    with Chat(program, {"port": 0}, folder=folder) as chat, socket.create_connection(("127.0.0.1", chat.port)) as silent:
        silent.sendall(b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                       b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: hubbub.v1.json\r\n\r\n")
        assert silent.recv(4096).startswith(b"HTTP/1.1 101")
        chat.signal(signal.SIGTERM)
        wait_until("it refuses new clients", lambda: not listens(chat.port))
        chat.signal(signal.SIGTERM)
        assert (code := chat.wait(3)) == 3, code


def limits_change(folder):
    """SIGHUP loads limits, for those who are there too; wrong ones are told, and change nothing"""
    async def run(chat):
        ann = await Client.connect(chat.port)
        await ann.join("limits")
        for i in range(3):
            await ann.say("limits", f"{i}", id=f"{i}")
            await ann.hear("ack")
        chat.write({"port": 0, "limits": {"says_at_once": 1, "says_per_second": 0.01}})
        chat.signal(signal.SIGHUP)
        chat.says("reloaded")
        problems = []
        for i in range(2):
            await ann.say("limits", "x", id=f"x{i}")
            answer = await ann.hear("ack", "error")
            problems.append(answer.get("code"))
        assert problems == [None, "too_fast"], problems
        chat.write({"port": 0, "limits": {"says_at_once": "many"}})
        chat.signal(signal.SIGHUP)
        chat.says('reload_failed')
        chat.says('"says_at_once" must be a number')
        await ann.say("limits", "y", id="y")
        assert (await ann.hear("ack", "error")).get("code") == "too_fast"
    with Chat(program, {"port": 0}, folder=folder) as chat:
        asyncio.run(run(chat))
        assert chat.end() == 0


def certificates_change(folder):
    """SIGHUP loads the certificate; a wrong one is told, and the old one stays"""
    both = folder / "both.pem"

    def make(name):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", f"/CN={name}", "-keyout", both, "-out", both], check=True, capture_output=True)

    def shown(port):
        return ssl.get_server_certificate(("127.0.0.1", port), timeout=10)
    make("first.test")
    with Chat(program, {"port": 0, "tls": {"certificate": str(both), "key": str(both)}}, folder=folder) as chat:
        first = shown(chat.port)
        make("second.test")
        assert shown(chat.port) == first
        chat.signal(signal.SIGHUP)
        chat.says("reloaded")
        second = shown(chat.port)
        assert second != first and second.strip() in both.read_text()
        both.write_text("nothing")
        chat.signal(signal.SIGHUP)
        chat.says("reload_failed")
        assert shown(chat.port) == second
        assert chat.end() == 0


def secrets_change(folder):
    """who has signed in stays so over a restart, until SIGHUP loads another secret of tokens"""
    secret = folder / "secret"

    def ask(port, path, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", path, headers=headers)
        return connection.getresponse()

    def is_known(port):
        return {200: True, 302: False}[ask(port, "/", Cookie=cookie).status]
    secret.write_text("s" * 32)
    settings = {"port": 0, "jwt": True, "jwt_secret": str(secret)}
    with Chat(program, settings, folder=folder) as chat:
        cookie = ask(chat.port, "/sign-in?name=Ann").headers["Set-Cookie"].split(";")[0]
        assert is_known(chat.port)
        assert chat.end() == 0
    with Chat(program, settings, folder=folder) as chat:
        assert is_known(chat.port)
        secret.write_text("short")
        chat.signal(signal.SIGHUP)
        chat.says("less than 32 bytes")
        assert is_known(chat.port)
        secret.write_text("t" * 32)
        chat.signal(signal.SIGHUP)
        wait_until("the token is good no more", lambda: not is_known(chat.port))
        assert chat.end() == 0


def activation(folder):
    """on a socket that a service manager holds nobody is refused while the chat restarts"""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        port = listener.getsockname()[1]
        for _ in range(2):
            with socket.create_connection(("127.0.0.1", port)) as early:  # before the chat is there
                early.settimeout(10)
                early.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                with Chat(program, {"port": 1}, folder=folder, listener=listener) as chat:
                    assert chat.port == port
                    assert early.recv(4096).startswith(b"HTTP/1.1 200")
                    assert chat.end() == 0
    assert not listens(port)


def told(folder):
    """a service manager is told that it is ready, alive, reloads and stops"""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        path = folder / "notify"
        manager.bind(str(path))
        manager.settimeout(10)

        def hear(alive=False):
            while (text := manager.recv(4096).decode()) == "WATCHDOG=1" and not alive:
                pass
            return text
        with Chat(program, {"port": 0, "threads": 3, "limits": {}}, folder=folder, NOTIFY_SOCKET=path, WATCHDOG_USEC=100000) as chat:
            assert hear() == "READY=1"
            for _ in range(3):
                assert hear(alive=True) == "WATCHDOG=1"
            chat.signal(signal.SIGHUP)
            assert hear().startswith("RELOADING=1\nMONOTONIC_USEC=")
            assert hear() == "READY=1"
            chat.ask_to_end()
            assert hear() == "STOPPING=1"
            assert chat.wait(10) == 0


def failed_restart(folder):
    """a new process that fails, or dies, leaves the old one as it was; one that does not takes over"""
    handover = folder / "handover"
    with Chat(program, {"port": 0, "handover": str(handover)}, folder=folder) as old:
        settings = {"port": old.port, "handover": str(handover)}
        old.write({**settings, "tls": {"certificate": "/nowhere", "key": "/nowhere"}})
        result = subprocess.run([program, "--config", old.path], capture_output=True, text=True, timeout=10)
        assert result.returncode == 1 and "/nowhere" in result.stderr, (result.returncode, result.stderr)
        # One that gets the sockets, and is killed before it is ready.
        with socket.socket(socket.AF_UNIX) as dying:
            dying.connect(str(handover))
            text, descriptors, *_ = socket.recv_fds(dying, 4096, 8)
            assert text.startswith(b"hubbub handover 1\0") and len(descriptors) == 2, (text, descriptors)
            second = subprocess.run([program, "--port", "0", "--handover", handover], capture_output=True, text=True, timeout=10)
            assert second.returncode == 1 and f"process {os.getpid()} is taking the sockets already" in second.stderr, second
            for each in descriptors:
                os.close(each)
        assert listens(old.port) and old.process.poll() is None
        with Chat(program, settings, folder=folder) as new:
            assert new.port == old.port
            assert (code := old.wait(10)) == 0, code
            assert listens(new.port) and handover.exists()
            assert new.end() == 0
        assert not listens(new.port) and not handover.exists()


if __name__ == "__main__":
    program = pathlib.Path(sys.argv[1]).resolve()
    for each in (refused_settings, settings, dumped, second_signal, limits_change, activation, told, failed_restart):
        case(each)
    for each, arguments, missing in ((certificates_change, ("--tls", "/nowhere", "/nowhere"), "without TLS"),
                                     (secrets_change, ("--jwt", "--jwt-secret", "/nowhere"), "when the chat is built")):
        if missing in (refusal := subprocess.run([program, *arguments], capture_output=True, text=True, timeout=10).stderr):
            print(f"left out: {each.__doc__}, because: {refusal.splitlines()[0]}", flush=True)
        else:
            case(each)
    sys.exit(judge.sum_up())
