"""chaos.py NODE_PROGRAM [--publications N] [--rate N] [--only redis|sentinel|nats] [--seed N] | --self-test

Three nodes that real brokers make one hub, while everything breaks that can: publishers count, subscribers stay, or go from node to node
with the position that they had, and what all of them have heard is judged by records.py. The last line is "N passed, N failed".

For long:  chaos.py build/clang/tests/hubbub_cluster_node --publications 100000 --rate 800
"""
import argparse
import asyncio
import collections
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import records
from parts import SYSTEM, Nats, Program, Proxy, Redis, until
from processes import Failure, Judge

TOPICS = ("kept/a", "kept/b", "strict/a", "plain/a", "plain/b")
checks = Judge()


# ---- nodes, publishers and subscribers

class Node(Program):
    def __init__(self, run, letter):
        super().__init__()
        self.run, self.letter, self.runs, self.port, self.tail = run, letter, 0, None, collections.deque(maxlen=60)
        self.failed = 0  # of runs that were killed: publications that it dropped

    @property
    def name(self):
        return f"{self.letter}{self.runs}"

    async def start(self):
        self.runs += 1
        await self.spawn(*self.run.node_command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
        first = await asyncio.wait_for(self.process.stdout.readline(), 15)
        if not first.startswith(b"listening on port "):
            raise Failure(f"a node ended: {(await self.process.stderr.read()).decode()}")
        self.port = int(first.split()[-1])
        self.reader = asyncio.create_task(self.read_events())

    async def read_events(self):
        while line := (await self.process.stderr.readline()).decode(errors="replace").replace("\0", "~").rstrip():
            self.tail.append(f"{time.monotonic():.3f} {self.name} {line}")
            words = line.split(" ")
            if words[0] != "event":
                self.run.strange.append(f"{self.name}: {line}")
            elif words[1] in ("backplane_lost", "continuity_lost", "backplane_apart"):
                self.run.note_sign(f"{words[1]} on {self.letter}")
                if words[1] == "backplane_lost":
                    self.run.reasons[" ".join(words[2:])] += 1
            elif words[1] in ("backplane_refused", "backplane_history_lost"):
                self.run.strange.append(line)
            elif words[1] in ("publication_refused", "outbox_full", "backplane_malformed", "callback_threw", "policy_threw", "slow_consumer"):
                self.run.strange.append(f"{self.name}: {line}")

    async def state(self) -> dict:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(b"GET /state HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            _, _, body = (await asyncio.wait_for(reader.read(), 5)).partition(b"\r\n\r\n")
            return {name: int(value) for name, value in (line.split() for line in body.decode().splitlines())}
        finally:
            writer.close()

    async def is_whole(self):
        try:
            told = await self.state()
        except (OSError, asyncio.TimeoutError):
            return False
        return told and told["ready"] == told["brokers"] == 1 and not told["apart"] and not told["waiting_messages"]

    @property
    def lives(self):
        return self.process is not None and self.process.returncode is None


class Client:
    """Connects to nodes, and again when that ends."""

    def __init__(self, run):
        self.run, self.socket, self.node = run, None, None

    async def connect(self, node):
        import websockets
        self.node, self.node_name = node, node.name
        self.socket = await websockets.connect(f"ws://127.0.0.1:{node.port}/", max_size=None, max_queue=None, compression=None,
                                               ping_interval=None, open_timeout=5, close_timeout=0.5)

    def leave(self):
        if self.socket:
            self.socket.transport.abort()
            self.socket = None


class Publisher(Client):
    def __init__(self, run, name, topic):
        super().__init__(run)
        self.name, self.topic, self.connections = name, topic, 0
        self.open, self.again = {}, []
        self.large = 0  # so many that come next are large
        self.is_done = False

    async def publish_all(self):
        import websockets
        gone = (OSError, asyncio.TimeoutError, websockets.WebSocketException)
        while not self.is_done:
            try:
                await self.connect(self.run.any_node())
                await self.publish_here()
            except gone:
                await asyncio.sleep(0.05)
            self.leave()
            self.lose()

    def lose(self):
        """The connection died: nobody knows what became of what was not answered."""
        for key in self.open:
            publication = self.run.publications[key]
            publication.outcome = "maybe"
            if not self.topic.startswith("plain/"):
                publication.retried = True
                self.again.append(key)
        self.open = {}

    async def publish_here(self):
        self.connections += 1
        source = f"{self.name}.{self.connections}"
        self.run.node_of[source] = self.node_name
        reader = asyncio.create_task(self.read_answers())
        try:
            leaves_at, number, next_at = time.monotonic() + self.run.random.uniform(2, 8), 0, time.monotonic()
            for key in self.again:
                self.open[key] = None
                await self.socket.send(f"pub {key[0]} {key[1]} {key[2]}")
            self.again = []
            while not self.run.is_over and time.monotonic() < leaves_at and not reader.done():
                next_at = max(next_at + self.run.pace, time.monotonic() - 0.1)
                if len(self.open) < 64:
                    number += 1
                    key = (self.topic, source, number)
                    self.run.publications[key] = records.Publication(*key)
                    self.open[key] = None
                    size = ""
                    if self.large:
                        self.large -= 1
                        size = " 100000"
                    await self.socket.send(f"pub {self.topic} {source} {number}{size}")
                await asyncio.sleep(max(0, next_at - time.monotonic()))
            end = time.monotonic() + 20
            while self.open and not reader.done() and time.monotonic() < end:
                await asyncio.sleep(0.02)
            if self.open and not reader.done():
                self.run.strange.append(f"{self.name} on {self.node_name}: {len(self.open)} were not answered, {next(iter(self.open))}")
                self.is_done = self.run.is_over
                self.open = {}  # and what became of them stays None
            self.is_done = self.is_done or self.run.is_over and not self.open
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    async def read_answers(self):
        async for text in self.socket:
            self.hear(text)

    def hear(self, text):
        words = text.split(" ")
        if words[0] not in ("ack", "failed"):
            return self.run.strange.append(f"{self.name} was told {text[:80]}")
        key = (words[1], words[2], int(words[3]))
        if key not in self.open:
            return self.run.strange.append(f"{self.name} was told twice: {text[:80]}")
        del self.open[key]
        publication = self.run.publications[key]
        if words[0] == "failed":
            publication.outcome = "maybe" if publication.retried else "failed"
            self.run.failures[" ".join(words[4:])] += 1
            return
        publication.outcome = "ok"
        epoch, offset = int(words[4]), int(words[5])
        if epoch and offset:
            publication.position = (epoch, offset)


class Subscriber(Client):
    def __init__(self, run, name, home=None):
        super().__init__(run)
        self.name, self.home = name, home
        self.at = {}
        self.records = {topic: [] for topic in TOPICS}
        for topic in TOPICS:
            run.records[name, topic] = self.records[topic]

    async def listen(self):
        import websockets
        gone = (OSError, asyncio.TimeoutError, websockets.WebSocketException)
        while True:
            node = self.home if self.home and (self.home.lives or not self.run.is_over) else self.run.any_node()
            try:
                await self.connect(node)
                await self.listen_here()
            except gone:
                await asyncio.sleep(0.05)
            self.leave()

    async def listen_here(self):
        for topic in TOPICS:
            since = self.at.get(topic)
            self.records[topic].append(("open", self.node_name, since))
            await self.socket.send(f"sub {topic} {since[0]} {since[1]}" if since else f"sub {topic}")
        leaves_at = None if self.home or self.run.is_over else time.monotonic() + self.run.random.uniform(0.3, 3)
        while True:
            if leaves_at and not self.run.is_over:
                left = leaves_at - time.monotonic()
                if left <= 0:
                    return
                try:
                    self.hear(await asyncio.wait_for(self.socket.recv(), left))
                except asyncio.TimeoutError:
                    return
            else:
                self.hear(await self.socket.recv())

    def hear(self, text):
        words = text.split(" ", 6)
        kind, topic, epoch, offset = words[0], words[1], int(words[2]), int(words[3])
        if kind == "m":
            self.records[topic].append(("m", epoch, offset, sys.intern(words[4]), int(words[5])))
        else:
            self.records[topic].append((sys.intern(kind), epoch, offset))
            if kind == "lost":
                self.run.note_sign(f"{topic} lost")
            since = self.at.get(topic)
            if kind == "lost" or kind == "in" and since and since[0] == epoch:
                self.run.lost[topic.split("/")[0]] += 1
                if topic == "strict/a" and (kind == "lost" or not self.run.parts):
                    self.run.unneeded += 1
                    self.run.last_strict = f"{self.name} on {self.node_name}: {text}, was at {since}"
        if epoch:
            self.at[topic] = (epoch, offset)


# ---- a run

class Run:
    """One broker, three nodes, and those who talk over them."""

    def __init__(self, kind, program, options, folder):
        self.kind, self.program, self.options, self.folder = kind, program, options, folder
        self.random = random.Random(options.seed)
        self.nodes, self.publishers, self.subscribers, self.tasks = [], [], [], []
        self.publications, self.records, self.node_of = {}, {}, {}
        self.failures, self.strange, self.rows = collections.Counter(), [], []
        self.reasons = collections.Counter()  # that nodes gave for having lost the broker
        self.first_sign, self.is_over = None, False
        self.last_strict, self.parts, self.unneeded = None, False, 0
        self.lost = collections.Counter()  # notices since the last fault began, by kind of topic
        self.pace = 1.0

    def note_sign(self, what):
        if self.first_sign is None:
            self.first_sign = (time.monotonic(), what)

    def any_node(self):
        return self.random.choice([node for node in self.nodes if node.lives] or self.nodes)

    async def start(self, url):
        self.node_command = [self.program, option_of(self.kind), url]
        self.nodes = [Node(self, letter) for letter in "abc"]
        for node in self.nodes:
            await node.start()
        await self.all_whole()
        self.subscribers = [Subscriber(self, f"stays-{node.letter}", node) for node in self.nodes]
        self.subscribers += [Subscriber(self, f"goes-{i}") for i in range(4)]
        self.tasks = [asyncio.create_task(each.listen()) for each in self.subscribers]
        await asyncio.sleep(0.3)
        self.publishers = [Publisher(self, f"p{i}", TOPICS[i % len(TOPICS)]) for i in range(2 * len(TOPICS))]
        self.pace = len(self.publishers) / self.options.rate
        self.publishing = [asyncio.create_task(each.publish_all()) for each in self.publishers]
        await asyncio.sleep(0.5)

    async def all_whole(self, seconds=20):
        async def whole():
            return all([await node.is_whole() for node in self.nodes])
        await until(whole, seconds, "all nodes are ready again")

    async def fault(self, name, function, keeps=False, parts=False, sign_within=1.5):
        """One fault, and how long it was felt. `keeps`: the broker forgets nothing by it, so nothing of what it remembers may be lost
        to anybody; only who was given a publication before it had its place is told to go on behind it, which "strict" never does.
        `parts`: nodes are without the broker for longer than they wait, and then let in who comes from another that knows more."""
        began, self.first_sign = time.monotonic(), None
        self.parts, self.unneeded = parts, 0
        self.lost.clear()
        try:
            await function()
            end = time.monotonic() + sign_within
            while self.first_sign is None and time.monotonic() < end:
                await asyncio.sleep(0.02)
            await self.all_whole()
            recovered = time.monotonic() - began
        except (Failure, OSError, asyncio.TimeoutError) as problem:
            checks.check(f"{self.kind}: {name}", False, f"{type(problem).__name__} {problem}")
            recovered = None
        else:
            await asyncio.sleep(self.random.uniform(0.3, 0.9))
            fine = not keeps or not self.unneeded
            checks.check(f"{self.kind}: {name}", fine, f"{self.unneeded} notices of a loss in topics that the broker has kept, "
                         f"the last: {self.last_strict}")
        sign, what = (self.first_sign[0] - began, self.first_sign[1]) if self.first_sign else (None, "-")
        self.rows.append((name, sign, recovered, dict(self.lost), what))

    async def kill_node_of(self, broker):
        """While it has publications that the broker has not taken: they are published again over others."""
        broker.signal(signal.SIGSTOP)
        await asyncio.sleep(0.4)
        node = self.random.choice(self.nodes)
        await node.kill()
        broker.signal(signal.SIGCONT)
        await asyncio.sleep(0.2)
        await node.start()

    async def kill_node(self):
        node = self.random.choice(self.nodes)
        self.note_sign(f"{node.letter} is dead")
        await node.kill()
        await asyncio.sleep(0.3)
        await node.start()

    async def finish(self):
        """Everybody comes to the end, and what each has heard is judged."""
        self.is_over = True
        done, late = await asyncio.wait(self.publishing, timeout=40)
        for task in late:
            task.cancel()
            self.strange.append("a publisher does not come to its end")
        for task in done:
            if task.exception():
                raise task.exception()
        for task in self.tasks:  # a subscriber that threw has a defect
            if task.done():
                task.result()
        # Everybody is connected, for good, before the last is published.
        async def all_in():
            return all(any(event[0] in ("in", "recovered") for event in self.since_open(each.records[topic]))
                       for each in self.subscribers for topic in TOPICS)
        await until(all_in, 20, "all subscribers are in")
        ends = []
        for node in self.nodes:
            client = Publisher(self, f"end-{node.letter}", None)
            await client.connect(node)
            reader = asyncio.create_task(client.read_answers())
            for topic in TOPICS:
                key = (topic, f"{client.name}.1", 1)
                self.node_of[key[1]] = node.name
                self.publications[key] = records.Publication(*key)
                client.open[key] = None
                ends.append(key)
                await client.socket.send(f"pub {topic} {key[1]} 1")

            async def answered():
                return not client.open
            await until(answered, 15, f"the end was taken by {node.letter}")
            reader.cancel()
            client.leave()

        async def all_heard():
            return all({key[1:] for key in ends if key[0] == topic} <=
                       {event[3:] for event in self.since_open(each.records[topic]) if event[0] == "m"}
                       for each in self.subscribers for topic in TOPICS)
        try:
            await until(all_heard, 15, "the end comes to all", 0.1)
        except Failure as problem:
            self.strange.append(str(problem))
        states = {node.letter: await node.state() for node in self.nodes}
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for each in self.subscribers:
            each.leave()
        for node in self.nodes:
            code = await node.ask_to_end()
            checks.check(f"{self.kind}: node {node.letter} ends by itself", code == 0, code)
        self.sum_up(ends, states)

    @staticmethod
    def since_open(record):
        for i in range(len(record) - 1, -1, -1):
            if record[i][0] == "open":
                return record[i:]
        return []

    def sum_up(self, ends, states):
        living = {source: name in {node.name for node in self.nodes} for source, name in self.node_of.items()}
        newest = collections.defaultdict(int)
        for topic, source, number in self.publications:
            newest[topic, source] = max(newest[topic, source], number)
        living["newest"] = newest
        verdict = records.judge(self.publications, self.records, ends, living, self.node_of)
        kinds = ("kept", "strict", "plain")
        print(f"\n{self.kind}:\n  {'fault':<44} {'first sign':>10} {'all ready':>10}   notices: {' / '.join(kinds)}   first sign")
        for name, sign, recovered, lost, what in self.rows:
            times = (f"{sign:.2f} s" if sign is not None else "-", f"{recovered:.2f} s" if recovered is not None else "never")
            print(f"  {name:<44} {times[0]:>10} {times[1]:>10}   {' / '.join(f'{lost.get(kind, 0):>3}' for kind in kinds):>30}   {what}")
        outcomes = collections.Counter(each.outcome for each in self.publications.values())
        retried = sum(each.retried for each in self.publications.values())
        print(f"  {len(self.publications)} publications: {outcomes['ok']} taken, {outcomes['failed']} refused ({dict(self.failures)}), "
              f"{outcomes['maybe']} unknown, {retried} published again")
        print(f"  {verdict.heard} heard, {verdict.unplaced} of them before they had their place, {verdict.recovered} recoveries, {verdict.announced} announced losses, "
              + ", ".join(f"{verdict.count(kind)} {name}" for kind, name in
                          zip(records.KINDS, ("unexplained losses", "doubles", "order violations", "wrong answers"))))
        for letter, state in states.items():
            print(f"  {letter}: " + ", ".join(f"{name} {value}" for name, value in state.items() if value))
        print("  lost because of: " + "; ".join(f"{reason or 'nothing'} ({count})" for reason, count in self.reasons.most_common(8)))
        for what, count in collections.Counter(self.strange).most_common(10):
            print(f"  remarkable: {what}{f' ({count} times)' if count > 1 else ''}")
        for kind, name in zip(records.KINDS, ("loss that nobody announced", "double", "violation of the order", "wrong answer")):
            found = verdict.found[kind]
            for sentence in found[:8]:
                print(f"    {kind}: {sentence}")
            checks.check(f"{self.kind}: no {name}", not found, f"{len(found)}, the first: {found[0] if found else ''}")
        checks.check(f"{self.kind}: there was traffic, and who came back", verdict.heard > len(self.publications) and verdict.recovered > 0)
        if self.options.keep:
            self.keep(verdict)
        if any(verdict.found.values()):
            for node in self.nodes:
                for line in node.tail:
                    print(f"    {line}")

    def keep(self, verdict):
        with open(self.options.keep, "w", encoding="utf-8") as out:
            for sentences in verdict.found.values():
                for sentence in sentences:
                    print(sentence, file=out)
            for (who, topic), record in self.records.items():
                for event in record:
                    print(who, topic, *event, file=out)
            for key, publication in self.publications.items():
                print(*key, self.node_of.get(key[1]), publication.outcome, publication.position, publication.retried, file=out)

    async def stop(self):
        """Whatever happened."""
        for task in [*self.tasks, *getattr(self, "publishing", [])]:
            task.cancel()
        await asyncio.gather(*self.tasks, *getattr(self, "publishing", []), return_exceptions=True)
        for node in self.nodes:
            await node.kill()

    async def rounds(self, faults):
        """All of them once, and again until there were enough publications."""
        while True:
            for name, function, more in faults:
                if self.options.fault and self.options.fault not in name:
                    continue
                await self.fault(name, function, **more)
            if len(self.publications) >= self.options.publications:
                return


class Faults:
    """What happens to any broker, behind a proxy."""

    def __init__(self, server, proxy):
        self.server, self.proxy = server, proxy

    async def restart_empty(self):
        await self.server.kill()
        self.server.forget()
        await asyncio.sleep(1.2)  # longer than is waited for
        await self.server.start()

    async def stop_for_a_while(self):
        self.server.signal(signal.SIGSTOP)
        await asyncio.sleep(2.2)
        self.server.signal(signal.SIGCONT)

    async def reset(self):
        self.proxy.reset()

    async def reset_and_refuse(self):
        self.proxy.refuses = True
        self.proxy.reset()
        await asyncio.sleep(1.0)
        self.proxy.refuses = False

    async def end(self, run):
        await run.stop()
        self.proxy.stop()
        self.server.signal(signal.SIGCONT)
        await self.server.kill()


async def redis(run):
    server = Redis(run.folder / "redis")
    proxy = Proxy(server.port)
    faults = Faults(server, proxy)
    try:
        await server.start(appends=True)
        await proxy.start()
        await run.start(f"redis://127.0.0.1:{proxy.port}")

        async def restart_with_file():
            if not server.appends:
                await server.begin_to_append()
            await server.kill()
            await asyncio.sleep(0.3)
            await server.start(appends=True)

        async def kill_clients(kind):
            await server.ask("CLIENT", "KILL", "TYPE", kind)

        async def small_buffers():
            limit = "client-output-buffer-limit"
            await server.ask("CONFIG", "SET", limit, "pubsub 64kb 32kb 1")
            for publisher in run.publishers:
                publisher.large = 3
            await asyncio.sleep(1.0)
            for publisher in run.publishers:
                publisher.large = 0
            await server.ask("CONFIG", "SET", limit, "pubsub 32mb 8mb 60")

        async def flush():
            await server.ask("FLUSHALL")

        keeps, parts = {"keeps": True}, {"keeps": True, "parts": True}
        await run.rounds([("kill -9, restart with its file", restart_with_file, {}),
                          ("CLIENT KILL TYPE pubsub", lambda: kill_clients("pubsub"), keeps),
                          ("FLUSHALL", flush, {}),
                          ("SIGSTOP for 2.2 s", faults.stop_for_a_while, parts),
                          ("CLIENT KILL TYPE normal", lambda: kill_clients("normal"), keeps),
                          ("connections reset", faults.reset, keeps),
                          ("kill -9 of a node", run.kill_node, keeps),
                          ("SIGSTOP, and kill -9 of a node meanwhile", lambda: run.kill_node_of(server), parts),
                          ("pubsub buffers of 64 KiB, large messages", small_buffers, keeps),
                          ("kill -9, restart without anything", faults.restart_empty, {}),
                          ("connections reset and refused for 1 s", faults.reset_and_refuse, parts)])
        await run.finish()
    finally:
        await faults.end(run)


async def sentinel(run):
    servers = [Redis(run.folder / "one"), Redis(run.folder / "two")]
    servers[1].more = ("--replicaof", "127.0.0.1", str(servers[0].port))
    watcher = Redis(run.folder / "sentinel")
    try:
        for server in servers:
            await server.start()

        async def follows():
            return b"master_link_status:up" in await servers[1].ask("INFO", "replication")
        await until(follows, 15, "the replica follows", 0.1)
        watcher.folder.mkdir()
        config = watcher.folder / "sentinel.conf"
        config.write_text(f"port {watcher.port}\nbind 127.0.0.1\ndir {watcher.folder}\n"
                          f"sentinel monitor hub 127.0.0.1 {servers[0].port} 1\n"
                          "sentinel down-after-milliseconds hub 1000\nsentinel failover-timeout hub 4000\n")
        with open(watcher.folder / "log", "ab") as log:
            await watcher.spawn(shutil.which("redis-sentinel", path=SYSTEM), config, stdout=log, stderr=log)
        await until(watcher.is_up, 10, "the sentinel answers")

        async def knows_replica():
            return b"slave-priority" in await watcher.ask("SENTINEL", "REPLICAS", "hub")
        await until(knows_replica, 15, "the sentinel knows the replica", 0.1)
        await run.start(f"sentinel://127.0.0.1:{watcher.port}/hub")

        async def master():
            return int((await watcher.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "hub")).split(b"\r\n")[4])

        async def fail_over():
            before = await master()

            async def begins():  # as soon as the one that was the master has become a replica that is in order
                return b"+OK" in await watcher.ask("SENTINEL", "FAILOVER", "hub")
            await until(begins, 30, "the sentinel begins", 0.2)

            async def has_moved():
                return await master() != before
            await until(has_moved, 20, "another is the master", 0.05)

        async def kill_master():
            async def is_in_order():
                told = await watcher.ask("SENTINEL", "REPLICAS", "hub")
                return b"master-link-status\r\n$2\r\nok" in told and b"s_down" not in told and b"disconnected" not in told
            await until(is_in_order, 30, "there is a replica again", 0.2)
            before = await master()
            run.first_sign = None
            server = next(each for each in servers if each.port == before)
            await server.kill()

            async def has_moved():
                return await master() != before
            await until(has_moved, 20, "another is the master", 0.05)
            server.more = ("--replicaof", "127.0.0.1", str(await master()))
            await server.start()

        faults = [("SENTINEL FAILOVER", fail_over, {"sign_within": 5})]
        if run.options.publications > DEFAULT:
            faults += [("kill -9 of the master", kill_master, {"sign_within": 5}), ("kill -9 of a node", run.kill_node, {"keeps": True})]
        await run.rounds(faults)
        await asyncio.sleep(1)
        await run.finish()
    finally:
        await run.stop()
        for each in (*servers, watcher):
            await each.kill()


async def nats(run):
    server = Nats(run.folder / "jetstream")
    proxy = Proxy(server.port)
    faults = Faults(server, proxy)
    try:
        await server.start()
        await proxy.start()
        await run.start(f"nats://127.0.0.1:{proxy.port}")

        async def restart_with_directory():
            await server.kill()
            await asyncio.sleep(0.3)
            await server.start()

        keeps, parts = {"keeps": True}, {"keeps": True, "parts": True}
        await run.rounds([("kill -9, restart with its directory", restart_with_directory, {}),
                          ("connections reset", faults.reset, keeps),
                          ("SIGSTOP for 2.2 s", faults.stop_for_a_while, parts),
                          ("kill -9 of a node", run.kill_node, keeps),
                          ("SIGSTOP, and kill -9 of a node meanwhile", lambda: run.kill_node_of(server), parts),
                          ("kill -9, restart without anything", faults.restart_empty, {}),
                          ("connections reset and refused for 1 s", faults.reset_and_refuse, parts)])
        await run.finish()
    finally:
        await faults.end(run)


DEFAULT = 3000
SCENES = {"redis": (redis, "redis-server", "redis-server"), "sentinel": (sentinel, "redis-sentinel", "redis-sentinel"),
          "nats": (nats, "nats-server", "nats-server")}


def option_of(kind):
    return "--nats" if kind == "nats" else "--redis"


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("program", nargs="?", type=pathlib.Path)
    arguments.add_argument("--publications", type=int, default=DEFAULT, help="at least so many over each broker")
    arguments.add_argument("--rate", type=float, default=250, help="publications in a second, over all")
    arguments.add_argument("--only", choices=SCENES, action="append")
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    arguments.add_argument("--keep", help="a file for all records")
    arguments.add_argument("--fault", help="only those whose name contains that")
    arguments.add_argument("--self-test", action="store_true")
    options = arguments.parse_args()
    records.self_test(checks.check)
    if options.self_test:
        return checks.sum_up()
    if not options.program:
        arguments.error("which program is a node?")
    print(f"seed {options.seed}", flush=True)
    for name, (scene, needs, package) in SCENES.items():
        if options.only and name not in options.only:
            continue
        if not shutil.which(needs, path=SYSTEM):
            print(f"skipped: {name}: there is no {needs}; install {package}", flush=True)
            continue
        usage = subprocess.run([options.program], capture_output=True, text=True, timeout=10).stderr
        if option_of(name) not in usage.split():
            print(f"skipped: {name}: {options.program} was built without its library", flush=True)
            continue
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="hubbub-chaos-") as folder:
            run = Run(name, options.program.resolve(), options, pathlib.Path(folder))
            try:
                asyncio.run(scene(run))
            except (Failure, OSError) as problem:
                checks.check(f"{name}: comes to its end", False, f"{type(problem).__name__} {problem}")
                for node in run.nodes:
                    print(*node.tail, sep="\n")
        print(f"        {name}: {time.monotonic() - began:.0f} s", flush=True)
    return checks.sum_up()


if __name__ == "__main__":
    sys.exit(main())
