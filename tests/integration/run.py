"""See run.sh."""
import concurrent.futures
import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

from processes import Failure, Process, Server, raise_descriptor_limit, speaks

HERE = pathlib.Path(__file__).resolve().parent
LOAD = HERE.parent / "load"
ATTACKS = HERE.parent / "attacks"
NODE_MODULES = "/usr/share/nodejs"  # where Debian's packages for Node are


# Where websocketpp, which owns the protocol of an adopted connection, does otherwise than a hub.
OF_ADOPTED = {"a close without a code": "websocketpp answers it with 1000",
              "close by the server, with code and reason":
                  "websocketpp says a reason of its own, and ends TCP so soon behind its Close that a reset may overtake it"}


class Skip(Exception):
    """Why a client is not there, and what brings it."""


class Run:
    """What a lane does, one part behind the other."""

    def __init__(self, lane: str, build: pathlib.Path):
        self.lane = lane
        self.load_server = self.program(build / "benchmarks/hubbub_load_server")
        self.load_generator = self.program(build / "benchmarks/hubbub_load_generator")
        self.chat = self.program(build / "hubbub_chat")
        self.protocol = build / "hubbub_example_15_protocol"
        self.build = build
        self.programs = build / "tests"
        self.transport = "tcp"  # of the servers that the clients talk to
        self.deflate = False  # whether those speak permessage-deflate
        self.passed = self.failed = 0
        self.rows, self.failures = [], []

    @staticmethod
    def program(path: pathlib.Path) -> pathlib.Path:
        if not path.exists():
            sys.exit(f"there is no {path}: build it first")
        return path

    def say(self, text):
        print(f"{self.lane}: {text}", flush=True)

    def part(self, name: str, function):
        """One client or test program, with its own servers; its last line says what passed."""
        self.say(f"== {name}")
        self.name = name
        began = time.monotonic()
        passed, failed, remark = 0, 0, ""
        try:
            passed, failed = function()
        except Skip as reason:
            remark = f"skipped: {reason}"
        except (Failure, OSError) as problem:
            failed, remark = failed + 1, str(problem)
            self.failures.append(f"{name}: {problem}")
        if remark:
            self.say(remark)
        self.passed += passed
        self.failed += failed
        self.rows.append((name, passed, failed, time.monotonic() - began, remark))

    def follow(self, command, on_line=lambda line: None, seconds=100.0):
        """Repeats what a program says; returns what it counted."""
        with Process(command) as process:
            end, last, differs = time.monotonic() + seconds, "", 0
            while True:
                try:
                    line = process.line(max(0.1, end - time.monotonic()))
                except Failure:
                    if process.process.poll() is None:
                        raise
                    break
                on_line(line)
                last = line
                known = line.startswith("FAILED  ") and OF_ADOPTED.get(line.removeprefix("FAILED  ").split(":")[0])
                if known and self.transport == "websocketpp-adopted":
                    differs += 1
                    line = f"differs {line.removeprefix('FAILED')} ({known})"
                elif line.startswith("FAILED"):
                    self.failures.append(f"{self.name}: {line.removeprefix('FAILED').strip()}")
                self.say(line)
            counted = re.fullmatch(r"(\d+) passed, (\d+) failed", last)
            code = process.wait(10)
            if not counted or (code == 0) != (counted[2] == "0"):
                raise Failure(f"{process.name} ended with {code} and did not sum up")
            return int(counted[1]), int(counted[2]) - differs

    def client(self, command, chat=False):
        """A client between two load servers, of which the one that echoes goes away when the client says so."""
        # Beast sends a message in fragments of 4 KiB.
        more = ["--threads", 2, "--max-message", 1048576, "--max-fragments", 1024, "--protocol", "hubbub.test", *self.of_transport(),
                *(["--deflate"] if self.deflate else [])]
        with Server([self.load_server, "--mode", "echo", *more]) as echo, \
                Server([self.load_server, "--mode", "broadcast", *more]) as broadcast, \
                Server([self.chat, "--port", 0, *self.of_chat()]) as page:
            def on_line(line):
                if line == "end the server":
                    echo.ask_to_end()
            ports = [echo.port, broadcast.port] + ([page.port] if chat else [])
            passed, failed = self.follow([*command, *ports, *(["deflate"] if self.deflate else [])], on_line)
            for server in (echo, broadcast, page):
                if (code := server.end(12)) != 0:
                    raise Failure(f"{server.name} ended with {code}")
                passed += 1
            return passed, failed

    def of_transport(self):
        """Options of a load server."""
        return ["--tls", os.environ["HUBBUB_TEST_TLS"]] if self.transport == "tls" else ["--transport", self.transport]

    def of_chat(self):
        """Options of the chat: it has a page to serve, which a server of websocketpp's does not know of."""
        if self.transport == "tls":
            return ["--tls", os.environ["HUBBUB_TEST_TLS"], os.environ["HUBBUB_TEST_TLS"]]
        return ["--transport", "websocketpp" if self.transport == "websocketpp" else "tcp"]

    def find(self, package, *names) -> str:
        for name in names:
            if path := shutil.which(name):
                return path
        raise Skip(f"there is no {names[0]}; install {package}")

    def script(self, name, path, *more):
        self.part(name, lambda: self.follow([sys.executable, path, self.build, *more], seconds=200.0))

    # ---- the clients

    def chromium(self):
        self.need_websockets()
        return self.client([sys.executable, HERE / "chromium_client.py", self.find("chromium", "chromium", "google-chrome")], chat=True)

    def chat_protocol(self):
        self.need_websockets()
        with Server([self.chat, "--port", 0, "--threads", 4, *self.of_chat()]) as server:
            passed, failed = self.follow([sys.executable, HERE / "chat_protocol.py", server.port])
            if (code := server.end(12)) != 0:
                raise Failure(f"{server.name} ended with {code}")
            return passed, failed

    def chat_chromium(self):
        self.need_websockets()
        more = ["--only", "few"] if self.transport != "tcp" else []
        more += ["--transport", self.transport] if self.transport != "tls" else []
        return self.follow([sys.executable, HERE / "chat_chromium.py", self.find("chromium", "chromium", "google-chrome"), self.chat, *more],
                           seconds=200.0)

    def chat_cluster(self, kind):
        """Two servers of the chat over one broker."""
        self.need_websockets()
        self.find(f"{kind}-server", f"{kind}-server", f"/usr/sbin/{kind}-server")
        refused = subprocess.run([self.chat, f"--{kind}", "x", "--cluster-key", "x"], capture_output=True, text=True, timeout=10).stderr
        if "when the chat is built" in refused:
            raise Skip(refused.splitlines()[0])
        pages = [self.find("chromium", "chromium", "google-chrome")] if kind == "redis" else []
        return self.follow([sys.executable, HERE / "chat_cluster.py", self.chat, kind, *pages], seconds=300.0)

    def ws(self):
        return self.client([*self.node_with_ws(), HERE / "node_client.js", "ws"])

    def node_with_ws(self):
        node = self.find("nodejs", "node", "nodejs")
        environment = ["env", f"NODE_PATH={NODE_MODULES}"]
        if subprocess.run([*environment, node, "-e", "require('ws')"], capture_output=True).returncode:
            raise Skip("Node has no ws; install node-ws")
        return [*environment, node]

    def built_in(self):
        return self.client([*self.node_with_web_socket(), HERE / "node_client.js", "built-in"])

    def node_with_web_socket(self):
        node = self.find("nodejs", "node", "nodejs")
        for flags in ([], ["--experimental-websocket"]):
            if subprocess.run([node, *flags, "-e", "new WebSocket('ws://127.0.0.1:1/').onerror = () => {}"],
                              capture_output=True, timeout=20).returncode == 0:
                return [node, *flags]
        raise Skip("this Node has no WebSocket of its own; install Node 22, or 20 or 21 which have one behind a flag")

    # ---- clients/js

    def js_client(self, kind):
        if not self.protocol.exists():
            raise Skip(f"there is no {self.protocol}; install nlohmann-json3-dev and build again")
        if kind == "chromium":
            self.need_websockets()
            chromium = self.find("chromium", "chromium", "google-chrome")
            return self.follow([sys.executable, HERE / "js_client/chromium_test.py", chromium, self.protocol], seconds=200.0)
        if kind == "drain":
            return self.follow([*self.node_with_ws(), HERE / "js_client/drain_spread.mjs", self.protocol, 200], seconds=100.0)
        node = self.node_with_ws() if kind == "ws" else self.node_with_web_socket()
        return self.follow([*node, HERE / "js_client/client_test.mjs", kind, self.protocol], seconds=300.0)

    def hot_restart(self):
        """With a thousand clients and ten restarts: behind the programs 1000 1000 10."""
        redis = self.find("redis-server", "redis-server", "/usr/bin/redis-server")
        refused = subprocess.run([self.chat, "--redis", "x", "--cluster-key", "x"], capture_output=True, text=True, timeout=10).stderr
        if "when the chat is built" in refused:
            raise Skip(refused.splitlines()[0])
        return self.follow([*self.node_with_ws(), HERE / "js_client/hot_restart.mjs", self.chat, redis], seconds=200.0)

    def chat_service(self):
        self.need_websockets()
        self.find("openssl", "openssl")
        return self.follow([sys.executable, HERE / "chat_service.py", self.chat])

    def recovery_race(self):
        """A minute of it with a thousand: hubbub_recovery_race alone."""
        return self.follow([self.programs / "hubbub_recovery_race", "--subscribers", 200, "--seconds", 5], seconds=60.0)

    def chaos(self):
        """Brokers that break under three nodes. For long: see cluster/chaos.py."""
        return self.of_cluster("chaos.py")

    def of_cluster(self, script):
        self.need_websockets()
        program = self.programs / "hubbub_cluster_node"
        if not program.exists():
            raise Skip(f"there is no {program}; install libhiredis-dev and libssl-dev, or libnats-dev, and build again")
        return self.follow([sys.executable, HERE / "cluster" / script, program], seconds=300.0)

    def need_websockets(self):
        if not importlib.util.find_spec("websockets"):
            raise Skip(f"{sys.executable} has no websockets; install python3-websockets")

    def python_websockets(self):
        self.need_websockets()
        return self.client([sys.executable, HERE / "websockets_client.py"])

    def built_client(self, name, package):
        path = self.programs / f"hubbub_{name}_client"
        if not path.exists():
            raise Skip(f"there is no {path}; install {package} and build again")
        return self.client([path])

    def curl(self):
        self.find("curl", "curl")
        with Server([self.load_server, "--mode", "echo", *self.of_transport()]) as echo, Server([self.chat, "--port", 0, *self.of_chat()]) as page:
            return self.follow([sys.executable, HERE / "curl_client.py", echo.port, page.port])

    def openssl(self):
        self.find("openssl", "openssl")
        with Server([self.load_server, "--mode", "echo", *self.of_transport()]) as echo:
            return self.follow([sys.executable, HERE / "openssl_client.py", echo.port])

    def over_tls(self):
        """The clients that can be told to trust a certificate."""
        if not speaks(self.load_server, "tls"):
            return self.part("TLS", lambda: self.skip("the load server was built without OpenSSL; install libssl-dev"))
        with tempfile.TemporaryDirectory() as folder:
            both = pathlib.Path(folder) / "both.pem"
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                            "-subj", "/CN=hubbub.test", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", both, "-out", both],
                           check=True, capture_output=True)
            os.environ["HUBBUB_TEST_TLS"] = os.environ["NODE_EXTRA_CA_CERTS"] = str(both)
            self.part("openssl, tls", self.openssl)
            self.part("curl, tls", self.curl)
            over(self, "tls")
            del os.environ["HUBBUB_TEST_TLS"], os.environ["NODE_EXTRA_CA_CERTS"]

    @staticmethod
    def skip(why):
        raise Skip(why)

    def tls(self):
        """A websocketpp::server over TLS, on two threads, whose connections a hub has adopted."""
        self.need_websockets()
        program = self.programs / "hubbub_tls_adopted_server"
        if not program.exists():
            raise Skip(f"there is no {program}; install libwebsocketpp-dev and libssl-dev and build again")
        openssl = self.find("openssl", "openssl")
        with tempfile.TemporaryDirectory() as folder:
            key, certificate, both = (pathlib.Path(folder) / name for name in ("key.pem", "certificate.pem", "both.pem"))
            subprocess.run([openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                            "-subj", "/CN=hub.test", "-keyout", key, "-out", certificate], check=True, capture_output=True)
            both.write_bytes(certificate.read_bytes() + key.read_bytes())
            with Server([program, both]) as server:
                passed, failed = self.follow([sys.executable, HERE / "tls_client.py", server.port, certificate],
                                             lambda line: server.ask_to_end() if line == "end the server" else None)
                # websocketpp waits five seconds for a client's close_notify, and five for its Close.
                if (code := server.end(30)) != 0:
                    raise Failure(f"{server.name} ended with {code}")
                return passed, failed

    def jwt(self):
        """Tokens of another library, judged by both."""
        return self.of_tokens(HERE / "jwt_differential.py", "jwt_check")

    def jwt_attacks(self):
        """Tokens that must not be accepted, over sockets."""
        return self.of_tokens(ATTACKS / "tokens.py", "jwt_server")

    def js_client_types(self):
        node = ["env", f"NODE_PATH={NODE_MODULES}", self.find("nodejs", "node", "nodejs")]
        if subprocess.run([*node, "-e", "require('typescript')"], capture_output=True).returncode:
            raise Skip("Node has no typescript; install node-typescript")
        return self.follow([*node, HERE / "js_client/types_test.mjs"])

    def js_client_tokens(self):
        """Pages whose tokens expire. For half a minute offline: tokens_test.py with --offline 30."""
        self.need_websockets()
        return self.of_tokens(HERE / "js_client/tokens_test.py", "jwt_protocol_server", self.find("chromium", "chromium", "google-chrome"))

    def of_tokens(self, script, name, *more):
        program = self.programs / f"hubbub_{name}"
        if not program.exists():
            raise Skip(f"there is no {program}; install libssl-dev and nlohmann-json3-dev and build again")
        if not importlib.util.find_spec("jwt") or not importlib.util.find_spec("cryptography"):
            raise Skip(f"{sys.executable} has no jwt; install python3-jwt and python3-cryptography")
        return self.follow([sys.executable, script, program, *more], seconds=200.0)

    def proxies(self):
        if not any(shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") for name in ("nginx", "haproxy")):
            raise Skip("there is neither nginx nor haproxy; install nginx-light and haproxy")
        self.find("openssl", "openssl")
        return self.follow([sys.executable, HERE / "proxies.py", self.build, self.chat.parent])

    def profiling(self):
        """A server that is profiled while clients echo, and one that leaks."""
        program = self.programs / "hubbub_profiled_server"
        if not program.exists():
            raise Skip(f"there is no {program}; install libgoogle-perftools-dev and build again without sanitizers")
        self.find("curl", "curl")  # with which the tool fetches
        tool = self.find("google-perftools", "google-pprof")
        return self.follow([sys.executable, HERE / "profiling.py", program, self.load_generator, tool])

    def operated(self, script, *more):
        """A server that can be made slow, and what its operators are told."""
        self.need_websockets()
        program = self.programs / "hubbub_operations_server"
        if not program.exists():
            raise Skip(f"there is no {program}; install nlohmann-json3-dev and build again")
        return self.follow([sys.executable, HERE / script, program, *more], seconds=200.0)

    # ---- the server

    def refusals(self):
        """What is not built yet, or makes no sense, is refused with a sentence and exit code 2."""
        passed = failed = 0
        for options in (["--engine", "kqueue"], ["--transport", "pigeon"], ["--deflate", "--transport", "websocketpp"],
                        ["--mode", "chess"], ["--engine", "steam"], ["--threads", "0"], ["--threads", "many"], ["--port", "65536"],
                        ["--bind", "nowhere"], ["--ping-after", "70000"], ["--queue-messages", "0"], ["--overflow", "explode"],
                        ["--protocol", "two words"], ["--strange", "1"], ["--port"]):
            result = subprocess.run([self.load_server, *options], capture_output=True, text=True, timeout=10)
            fine = result.returncode == 2 and result.stderr.startswith("hubbub_load_server: ") and len(result.stderr) > 40
            self.say(f"{'ok    ' if fine else 'FAILED'}  {' '.join(options)}: {result.stderr.strip()}")
            passed, failed = passed + fine, failed + (not fine)
        return passed, failed

    def compressed_load(self):
        """A short load of compressed messages, whose content the generator checks."""
        passed = failed = 0
        for mode in ("echo", "broadcast"):
            for size in (100, 70000):
                with Server([self.load_server, "--mode", mode, "--max-message", 200000, "--deflate"]) as server:
                    command = [self.load_generator, "--mode", mode, "--connections", 10, "--in-flight", 4, "--payload", size, "--seconds", 0.2,
                               "--warmup", 0.1, "--verify", "--deflate", "--port", server.port]
                    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60)
                    code = server.end()
                came = "came compressed" in result.stdout
                fine = result.returncode == 0 and "content are right" in result.stdout and code == 0 and came == (size > 256)
                self.say(f"{'ok    ' if fine else 'FAILED'}  {mode}, {size} bytes{'' if fine else f': {code}, {result.stdout} {result.stderr}'}")
                passed, failed = passed + fine, failed + (not fine)
        return passed, failed

    def load(self):
        """A short load that the generator checks to the byte, over each address, engine and mode."""
        passed = failed = 0
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/hub"
            addresses = (([], ["--host", "127.0.0.1"]), (["--bind", "::1"], ["--host", "::1"]), (["--bind", f"unix:{path}"], ["--unix", path]))
            for address, host in addresses:
                for options in (["--engine", "automatic"], ["--engine", "epoll", "--threads", 2], ["--engine", "asio", "--threads", 2]):
                    for mode in ("echo", "broadcast"):
                        with Server([self.load_server, "--mode", mode, "--max-message", 200000, *address, *options]) as server:
                            generate = [self.load_generator, "--mode", mode, "--connections", 10, "--in-flight", 4, "--payload", 70000,
                                        "--seconds", 0.2, "--warmup", 0.1, "--verify", *host]
                            command = [*generate, *(["--port", server.port] if server.port else [])]
                            result = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60)
                            code = server.end()
                        fine = result.returncode == 0 and "content are right" in result.stdout and code == 0
                        name = " ".join(map(str, [mode, *address, *options])).replace(path, "PATH")
                        self.say(f"{'ok    ' if fine else 'FAILED'}  {name}{'' if fine else f': {code}, {result.stdout} {result.stderr}'}")
                        passed, failed = passed + fine, failed + (not fine)
        return passed, failed


def over(run, transport):
    """All clients against servers of that transport."""
    def part(name, function):
        run.part(name if transport == "tcp" else f"{name}, {transport}", function)
    run.transport = transport
    part("chromium", run.chromium)
    if transport != "websocketpp-adopted":
        part("chat protocol", run.chat_protocol)
        part("chat in chromium", run.chat_chromium)
    part("node ws", run.ws)
    part("node built-in", run.built_in)
    part("python websockets", run.python_websockets)
    if transport == "tls":
        return  # the others are plain
    part("websocketpp", lambda: run.built_client("websocketpp", "libwebsocketpp-dev"))
    part("beast", lambda: run.built_client("beast", "libboost-dev"))


def compressed(run):
    """Clients that offer permessage-deflate, against servers that speak it."""
    run.deflate = True
    run.part("chromium, deflate", run.chromium)
    run.part("node ws, deflate", run.ws)
    run.part("python websockets, deflate", run.python_websockets)
    run.part("load, deflate", run.compressed_load)
    run.deflate = False


def clients(run):
    """Our own client, and all that others have written, over each transport but TLS."""
    run.part("options", run.refusals)
    run.part("addresses", run.load)
    run.part("curl", run.curl)
    for kind in ("ws", "built-in", "drain", "chromium"):
        run.part(f"clients/js, {kind}", lambda: run.js_client(kind))
    run.part("clients/js, tokens", run.js_client_tokens)
    run.part("clients/js, types", run.js_client_types)
    run.part("live page", lambda: run.operated("live_page.py", run.find("chromium", "chromium", "google-chrome")))
    over(run, "tcp")
    if subprocess.run([run.load_server, "--deflate", "--port", "x"], capture_output=True, text=True).stderr.find("zlib") == -1:
        compressed(run)
    if speaks(run.load_server, "websocketpp"):
        over(run, "websocketpp")
        over(run, "websocketpp-adopted")


def servers(run):
    """TLS, tokens, and what happens to servers."""
    run.part("jwt", run.jwt)
    run.part("jwt attacks", run.jwt_attacks)
    run.part("chat as a service", run.chat_service)
    run.part("chat, hot restarts", run.hot_restart)
    for kind in ("redis", "nats"):
        run.part(f"chat over {kind}", lambda: run.chat_cluster(kind))
    run.transport = "tls"
    run.over_tls()
    run.transport = "tcp"
    run.part("TLS, websocketpp-adopted", run.tls)
    run.part("recovery race", run.recovery_race)
    run.part("cluster, revocation", lambda: run.of_cluster("revocation.py"))
    run.part("cluster, chaos", run.chaos)
    run.part("drain", lambda: run.follow([sys.executable, HERE / "drain_client.py", run.load_server]))
    run.part("proxies", run.proxies)


def measured(run):
    """What looks at a server's own processor time, or at what happens in some seconds; beside attackers, who need a processor at most."""
    run.part("profiling", run.profiling)
    run.part("metrics", lambda: run.operated("metrics.py"))


def attacked(run):
    run.script("attacks", ATTACKS / "attacks.py")
    run.script("attacks on the wire", ATTACKS / "wire.py")
    run.script("attacks on TLS", ATTACKS / "tls.py")


def alone(run):
    """What needs all of the machine: it looks at latency, lag or memory."""
    run.part("causes of slowness", lambda: run.operated("slow_causes.py"))
    run.script("load bars, short", LOAD / "load_bars.py", "--quick")
    run.script("budget, short", LOAD / "budget.py", "--quick")
    run.script("soak, short", LOAD / "soak.py", "--minutes", "0.1")


def in_lane(lane, build):
    run = Run(lane.__name__, build)
    lane(run)
    return run


def beside_each_other(one, other, build):
    """Most of their time they wait; each is a process, because TLS is in its environment."""
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        return [begun.result() for begun in [pool.submit(in_lane, lane, build) for lane in (one, other)]]


def main() -> int:
    build = pathlib.Path(sys.argv[1]).resolve()
    wanted = sys.argv[2:] or ["beside", "alone"]
    raise_descriptor_limit()
    runs = []
    if "beside" in wanted:
        runs += beside_each_other(clients, servers, build)
    if "alone" in wanted:
        runs += beside_each_other(measured, attacked, build)
        runs.append(in_lane(alone, build))
    print()
    for run in runs:
        for name, passed, failed, seconds, remark in run.rows:
            print(f"{name:<38} {passed:>4} passed {failed:>3} failed {seconds:>5.1f} s  {remark}")
    for run in runs:
        for failure in run.failures:  # again, where who reads only the end sees it
            print(f"FAILED  {failure}")
    failed = sum(run.failed for run in runs)
    print(f"{sum(run.passed for run in runs)} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
