"""The servers: ours, the references, the peers; how they are built, started and ended."""
import ctypes
import dataclasses
import os
import pathlib
import shlex
import shutil
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
INTERFACE = ["--port", "{port}", "--mode", "{mode}"]


def pin(cores):
    """For a process that is about to begin: its cores, and that it ends with us, also if we are killed."""
    os.sched_setaffinity(0, cores)
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Server:
    """One server process on a free port, pinned to a core."""

    def __init__(self, name, command, core, environment=None):
        self.name, self.command, self.core, self.environment = name, [str(part) for part in command], core, environment

    def start(self, mode, before=()):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        arguments = [part.replace("{port}", str(port)).replace("{mode}", mode) for part in self.command]
        process = subprocess.Popen([*before, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env={**os.environ, **(self.environment or {})},
                                   preexec_fn=lambda: pin({self.core}))
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return process, port
            except OSError:
                if process.poll() is not None:
                    break
                time.sleep(0.02)
        stop(process)
        said = process.stderr.read().decode(errors="replace").strip()
        raise RuntimeError(f"{self.name} does not listen on port {port}: {said or 'it says nothing'}")


def stop(process, politely=True):
    """True if it ended at SIGTERM."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM if politely else signal.SIGKILL)
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return False
    return True


@dataclasses.dataclass
class Peer:
    """Another library: its program, the target that makes it, what installs what it needs."""
    title: str
    program: str
    target: str
    needs: str
    only: str = ""  # the mode, if it has but one


PEERS = {
    "uws": Peer("uWebSockets", "uwebsockets", "hubbub_peer_uwebsockets", "--uwebsockets PATH of its source, which is no package"),
    "tuned": Peer("websocketpp tuned", "websocketpp_tuned", "hubbub_peer_websocketpp_tuned", "apt install libwebsocketpp-dev"),
    "naive": Peer("websocketpp example", "websocketpp_naive", "hubbub_peer_websocketpp_naive", "apt install libwebsocketpp-dev"),
    "beast": Peer("Beast chat", "beast_chat", "hubbub_peer_beast_chat", "apt install libboost-dev"),
    "lws": Peer("libwebsockets", "libwebsockets_ring", "hubbub_peer_libwebsockets_ring", "apt install libwebsockets-dev"),
    "gorilla": Peer("gorilla (Go)", "gorilla_hub", "hubbub_peer_gorilla_hub",
                    "apt install golang-go golang-github-gorilla-websocket-dev"),
    "centrifuge": Peer("centrifuge (Go)", "centrifuge_node", "hubbub_peer_centrifuge_node",
                       "apt install golang-go golang-github-centrifugal-centrifuge-dev golang-github-centrifugal-protocol-dev "
                       "golang-github-fzambia-eagle-dev golang-github-igm-sockjs-go-dev golang-github-mna-redisc-dev"),
    "ws": Peer("ws (Node)", "", "", "apt install nodejs node-ws"),
}


def run(command, **more):
    return subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)


def build(options, wanted_peers, needs_alone):
    """Builds ours; a peer that cannot be built is left out. Returns why, by name."""
    left_out = {}
    builds = options.build.is_relative_to(ROOT) and not options.no_build
    if builds:
        configure = ["cmake", "-S", ROOT, "-B", options.build, "-DCMAKE_BUILD_TYPE=Release", "-DHUBBUB_BUILD_TESTS=OFF",
                     "-DHUBBUB_BUILD_EXAMPLES=OFF", f"-DHUBBUB_UWEBSOCKETS={options.uwebsockets or ''}"]
        if not (options.build / "CMakeCache.txt").exists():
            configure += ["-G", "Ninja"]
        ours = ["hubbub_limit_server", "hubbub_load_generator", "hubbub_load_server", *needs_alone]
        for command in (configure, ["cmake", "--build", options.build, "-j", os.cpu_count(), "--target", *ours]):
            done = run(command)
            if done.returncode != 0:
                raise SystemExit(f"{shlex.join(map(str, command))}\n{done.stdout[-4000:]}")
        run(["cmake", "--build", options.build, "-j", os.cpu_count(), "--target", "hubbub_uring_limit_server"])  # where it can be
    for name in wanted_peers:
        peer = PEERS[name]
        if name == "ws":
            found = shutil.which("node") and run(["node", "-e", 'require("ws").WebSocketServer || process.exit(1)'],
                                                 env=node_environment()).returncode == 0
            if not found:
                left_out[name] = f"not found: {peer.needs}"
            continue
        if name == "uws" and not options.uwebsockets and builds:
            left_out[name] = f"needs {peer.needs}"
            continue
        if builds:
            done = run(["cmake", "--build", options.build, "--target", peer.target])
            if done.returncode != 0:
                unknown = "unknown target" in done.stdout or "No rule to make target" in done.stdout
                left_out[name] = f"not found: {peer.needs}" if unknown else f"does not build: {done.stdout[-300:].strip()}"
                continue
        if not (options.build / "benchmarks" / peer.program).exists():
            left_out[name] = f"not built: {peer.needs}"
    return left_out


def node_environment():
    debian = "/usr/share/nodejs"
    path = os.environ.get("NODE_PATH")
    return {**os.environ, "NODE_PATH": f"{path}:{debian}" if path else debian}


def main_servers(options, left_out):
    """The limit server first, then the ring, then our engines; who cannot be started is left out."""
    programs, core = options.build / "benchmarks", options.cores[0]
    servers = [Server("limit", [programs / "hubbub_limit_server", *INTERFACE], core)]
    ring = Server("ring", [programs / "hubbub_uring_limit_server", *INTERFACE], core)
    engines = [Server(f"hubbub {engine}", [programs / "hubbub_load_server", *INTERFACE, "--engine", engine], core)
               for engine in filter(None, options.engines.split(","))]
    for server in [ring, *engines]:
        if not pathlib.Path(server.command[0]).exists():
            if server is ring and "uring" not in options.engines:
                continue
            left_out[server.name] = "not built: apt install liburing-dev" if server is ring else "not built"
            continue
        if server is ring and "uring" not in options.engines:
            continue
        try:
            process, _ = server.start("broadcast")
            stop(process)
            servers.append(server)
        except RuntimeError as error:
            left_out[server.name] = str(error)
    return servers


def peer_servers(options, names):
    programs, core = options.build / "benchmarks", options.cores[0]
    result = []
    for name in names:
        if name == "ws":
            command = ["node", ROOT / "benchmarks/peers/ws_node.js", *INTERFACE]
            result.append(Server(PEERS[name].title, command, core, {"NODE_PATH": node_environment()["NODE_PATH"]}))
        else:
            result.append(Server(PEERS[name].title, [programs / PEERS[name].program, *INTERFACE], core))
    return result + [Server(name, shlex.split(command), core)
                     for name, _, command in (peer.partition("=") for peer in options.peer)]
