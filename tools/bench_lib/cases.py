"""The cases, and what the ratios may be at most."""
import dataclasses


@dataclasses.dataclass
class Case:
    """What the generator does, and what the ratios may be at most: to the first of the servers."""
    row: str
    title: str
    mode: str
    generator: str
    bars: dict
    among: str = "limit"  # which servers, of which the first is the reference
    figure: str = "server_us_per_delivery"


def to_limit(row, title, mode, generator, epoll, asio, uring):
    return Case(row, title, mode, generator, {"hubbub epoll": epoll, "hubbub asio": asio, "hubbub uring": uring})


def by_shards(title, generator, bar, **more):
    return Case("P8", f"2 shards on one core over 1: {title}", "broadcast", generator, {"2 shards": bar}, among="shards", **more)


def by_history(title, generator):
    return Case("P16", f"a topic that remembers 1,000 messages over one that does not: {title}", "broadcast", generator,
                {"history": 1.10}, among="history")


def to_websocketpp(title, mode, generator, hosted, adopted):
    return Case("P15", f"over websocketpp: {title}", mode, generator, {"hosted": hosted, "adopted": adopted}, among="websocketpp")


def growing(count):
    return Case("P7", f"growth: broadcast to {count:,}, 4 in flight", "broadcast", f"--connections {count} --in-flight 4", {})


CASES = {
    "P1": to_limit("P1", "broadcast to 1,000, one in flight", "broadcast", "--connections 1000 --in-flight 1", 1.05, 1.25, 0.65),
    "P2": to_limit("P2", "broadcast to 10,000, 4 in flight", "broadcast", "--connections 10000 --in-flight 4", 1.05, 1.25, 0.65),
    "P3": to_limit("P3", "broadcast to 1,000, 16 in flight", "broadcast", "--connections 1000 --in-flight 16", 1.15, 1.25, 1.05),
    "P4a": to_limit("P4", "echo over 1,000, depth 1", "echo", "--connections 1000 --in-flight 1", 1.08, 1.35, 1.00),
    "P4b": to_limit("P4", "echo over 1,000, depth 16", "echo", "--connections 1000 --in-flight 16", 1.08, 1.35, 1.00),
    "P5": to_limit("P5", "handshake", "handshake", "--connections 64", 1.15, None, 1.00),
    "P7": Case("P7", "the window of P2 with 1,000, for the growth", "broadcast", "--connections 1000 --in-flight 4", {}),
    "G100": growing(100),
    "G5000": growing(5000),
    "G15000": growing(15000),
    "P8a": by_shards("one in flight", "--connections 1000 --in-flight 1", 1.05),
    "P8b": by_shards("16 in flight", "--connections 1000 --in-flight 16", 1.15),
    # What four publishers say meets in one turn of one shard, and in two of two: hence the second.
    "P8c": by_shards("4 publishers, 8 in flight each", "--connections 1000 --publishers 4 --in-flight 8", None),
    "P8d": by_shards("the same, for each send", "--connections 1000 --publishers 4 --in-flight 8", 1.10, figure="server_us_per_send"),
    "P16a": by_history("broadcast to 1,000, one in flight", "--connections 1000 --in-flight 1"),
    "P16b": by_history("broadcast to 1,000, 16 in flight", "--connections 1000 --in-flight 16"),
    "P15a": to_websocketpp("broadcast to 1,000, one in flight", "broadcast", "--connections 1000 --in-flight 1", 0.8, 1.10),
    "P15b": to_websocketpp("broadcast to 1,000, 16 in flight", "broadcast", "--connections 1000 --in-flight 16", 1.0, 1.0),
}
QUICK = ["P1", "P2", "P3", "P4a", "P4b", "P5"]
GROWTH = {100: "G100", 1000: "P7", 5000: "G5000", 10000: "P2", 15000: "G15000"}
# Programs that measure the hub alone and print one JSON list of figures.
ALONE = {"hubbub_session_memory": ["P6"], "hubbub_hub_rows": ["P9", "P10", "P11", "P12", "P13"]}
# What is no row of the cases: compression, latency, memory of a session by server, system calls of a publisher in one turn.
OTHERS = ["P14", "LATENCY", "MEMORY", "TURN"]
MOST_IDLE = 0.6  # memory of an idle session over websocketpp tuned's, P15
MOST_GROWTH = 1.05  # of the hub over the limit server's, P7
MOST_LATENCY = 1.20  # p99.9 at half the capacity, over the limit server's
MOST_OF_UWEBSOCKETS = {"hubbub epoll": {case: 1.0 for case in QUICK}, "hubbub uring": {"P1": 0.60, "P2": 0.60}}
DEFLATE = [(1, 1024), (16, 1024), (1, 8192)]  # P14: messages in flight, bytes of a message that compresses
MOST_DEFLATE = 1.10  # of a compressed delivery over a plain one of the same size on the wire
TURN = [33, 100, 320, 1000]  # messages published in one turn
MOST_CALLS = 2  # system calls a subscriber for one turn
