"""profiling.py PROFILED_SERVER LOAD_GENERATOR GOOGLE_PPROF: profiles of a loaded server, as the tool reads them."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

from processes import Judge, Process, Server
from raw_client import TEXT, RawClient

SAMPLED = "TCMALLOC_SAMPLE_PARAMETER=524288"


class Profiled:
    def __init__(self, program, load_generator, tool):
        self.program, self.load_generator, self.tool = program, load_generator, tool

    def server(self, *variables):
        return Server(["env", "-u", "TCMALLOC_SAMPLE_PARAMETER", *variables, self.program])

    def read(self, *arguments) -> str:
        """What the tool makes of a profile."""
        with tempfile.TemporaryDirectory() as folder:
            result = subprocess.run([self.tool, "--text", *map(str, arguments)], capture_output=True, text=True, timeout=60,
                                    env={**os.environ, "PPROF_TMPDIR": folder})
        assert result.returncode == 0, result.stderr
        return result.stdout

    def read_bytes(self, profile: bytes) -> str:
        with tempfile.NamedTemporaryFile() as file:
            file.write(profile)
            file.flush()
            return self.read(self.program, file.name)


def get(server, page, method="GET", host=None, seconds=20.0):
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}/debug/pprof/{page}", method=method,
                                     headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=seconds) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()


def threads_of(server) -> int:
    return len(os.listdir(f"/proc/{server.pid}/task"))


def cpu(profiled):
    """The tool fetches the profile itself, while clients are served as ever."""
    with profiled.server() as server:
        with Process([profiled.load_generator, "--mode", "echo", "--connections", 20, "--payload", 100, "--warmup", 0.1, "--seconds", 4,
                      "--verify", "--port", server.port]) as load:
            text = profiled.read("--seconds=2", profiled.program, f"http://127.0.0.1:{server.port}/debug/pprof/profile")
            assert load.wait(30) == 0, "the load was not served well"
        for part in ("Engine::", "Loop::"):  # others have a frame of their own or not, as the compiler likes
            assert re.search(rf"hubbub::.*{part}", text), text[:3000]
        assert server.end() == 0


def heap(profiled):
    with profiled.server(SAMPLED) as server:
        client = RawClient(server.port)
        for _ in range(32):
            client.send(TEXT, b"leak")
            client.read()
        for page in ("heap", "growth"):
            status, profile = get(server, page)
            assert status == 200 and profile.startswith(b"heap profile:"), (page, status, profile[:200])
            text = profiled.read_bytes(profile)
            leak = [line for line in text.splitlines() if "planted_leak" in line]
            assert leak, text
        client.close()


def unsampled(profiled):
    with profiled.server() as server:
        status, sentence = get(server, "heap")
        assert status == 503 and SAMPLED.encode() in sentence, (status, sentence)
        status, _ = get(server, "growth")
        assert status == 200


def one_at_a_time(profiled):
    with profiled.server() as server:
        answers = []
        asking = [threading.Thread(target=lambda: answers.append(get(server, "profile?seconds=2"))) for _ in range(2)]
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join()
        (refused, sentence), (taken, _) = sorted(answers, reverse=True)
        assert (taken, refused) == (200, 409) and b"is being taken" in sentence, answers
        assert get(server, "profile?seconds=1")[0] == 200


def strangers(profiled):
    with profiled.server() as server:
        for page in ("profile?seconds=1", "heap", "growth", "cmdline", "symbol"):
            status, _ = get(server, page, host="evil.example")
            assert status == 403, (page, status)


def others(profiled):
    with profiled.server() as server:
        assert get(server, "cmdline") == (200, os.fsencode(str(profiled.program)))
        assert get(server, "symbol") == (200, b"num_symbols: 1\n")
        assert get(server, "symbol", method="HEAD") == (200, b"")
        assert get(server, "profile?seconds=51")[0] == 400


def ending(profiled):
    """A server that is asked to end while it takes a profile ends behind its drain, and orderly."""
    with profiled.server() as server:
        get(server, "cmdline")
        before = threads_of(server)
        client = RawClient(server.port, upgrade=False)
        client.socket.sendall(f"GET /debug/pprof/profile?seconds=50 HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
        end = time.monotonic() + 10
        while threads_of(server) == before and time.monotonic() < end:
            time.sleep(0.02)
        assert threads_of(server) > before, "no profile is being taken"
        assert server.end(5) == 0
        client.close()


def main(program, load_generator, tool) -> int:
    judge = Judge()
    profiled = Profiled(pathlib.Path(program), load_generator, tool)
    judge.run("a CPU profile of a loaded server names functions of hubbub, also of loops on other threads", cpu, profiled)
    judge.run("a heap profile names who leaks", heap, profiled)
    judge.run("a heap that is not sampled is said in a sentence", unsampled, profiled)
    judge.run("CPU profiles are taken one at a time", one_at_a_time, profiled)
    judge.run("strangers are refused", strangers, profiled)
    judge.run("command line, symbols, and what is asked wrongly", others, profiled)
    judge.run("a server ends while it takes a profile", ending, profiled)
    return judge.sum_up()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
