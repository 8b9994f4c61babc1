#!/usr/bin/env python3
"""Checks that the events of the library are known: what the headers tell, what the table in policy/event_level.hpp has, and what
docs/events.md explains are the same names. And that its probes are, with their arguments.

  tools/check_events.py              checks the repository
  tools/check_events.py --self-test  plants each mistake in a copy of what is read, and wants it noticed
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADERS = ROOT / "include" / "hubbub"
TABLE = HEADERS / "policy" / "event_level.hpp"
PAGE = ROOT / "docs" / "events.md"
# {.name = "name"...}, tell_event({"name"...}) and on_event("name"...) are how an event gets its name.
NAME = re.compile(r"\{\s*\.name\s*=\s*\"(\w+)\"|\btell_event\(\{\"(\w+)\"|\b(?:tell_event|on_event|report)\(\"(\w+)\"")
# Calls that pass a name on, by file; each other call has to have its name in it, so that it can be found.
FORWARDED = {
    "events/rate_limited_events.hpp": ["sink_.on_event(event)"],
    "hub/broker_desk.hpp": ["desk.tell_event(name, detail)"],
    "hub/hub.hpp": ["shard.tell_event({.name = name, .detail = detail})"],
    "hub/shard.hpp": ["tell_event(event)", "hubbub::tell_event(events_, event)"],
    "hub/topic_router.hpp": ["host_->on_event({.name = topic, .detail = outgoing.message.view(), .number = mail.id})"],
    "policy/event_sink.hpp": ["sink.on_event(event)"],
}
OTHER_EVENTS = "transport/"  # where on_event is about sockets
PROBE = re.compile(r"\bHUBBUB_PROBE\((\d), (\w+)")
ANY_CALL = re.compile(r"(?<![\w~])(?:\w+(?:\.|->|::))?(?:tell_event|on_event)\((?:[^()]|\([^()]*\))*\)")


def read() -> dict:
    headers = {path.relative_to(HEADERS).as_posix(): path.read_text() for path in sorted(HEADERS.rglob("*.hpp"))}
    return {"headers": headers, "page": PAGE.read_text()}


def told_by(text) -> set:
    return {match[1] or match[2] or match[3] for match in NAME.finditer(without_comments(text))}


def without_comments(text) -> str:
    return re.sub(r"//[^\n]*", "", text)


def is_declaration(call, text, at) -> bool:
    """`void on_event(Event const& event) noexcept` and the like; `on_event` in a requires-expression."""
    before = text[:at].rstrip()
    return before.endswith(("void", "void BrokerDesk<Policy>::")) or "const&" in call or "string_view" in call


def check(tree) -> list:
    headers, (page, _, probes) = tree["headers"], tree["page"].partition("\n## Probes\n")
    problems = check_probes(headers, probes)
    table = re.findall(r"^    \{\"(\w+)\", EventLevel::\w+\},", headers["policy/event_level.hpp"], re.M)
    explained = re.findall(r"^\| `([a-z_]+)` \|", page, re.M)
    told = set()
    for name, text in headers.items():
        if name == "policy/event_level.hpp" or name.startswith(OTHER_EVENTS):
            continue
        told |= told_by(text)
        plain = without_comments(text)
        for match in ANY_CALL.finditer(plain):
            call = re.sub(r"\s+", " ", match[0])
            if told_by(call) or is_declaration(call, plain, match.start()):
                continue
            if call not in FORWARDED.get(name, []):
                problems.append(f"{name}: {call} hides the name of its event")
    for source, names in (("policy/event_level.hpp", table), ("docs/events.md", explained)):
        problems += [f"{source} has {name} twice" for name in set(names) if names.count(name) > 1]
        problems += [f"{source} lacks {name}, which the headers tell" for name in sorted(told - set(names))]
        problems += [f"{source} has {name}, which no header tells" for name in sorted(set(names) - told)]
    levels = dict(re.findall(r"^    \{\"(\w+)\", EventLevel::(\w+)\},", headers["policy/event_level.hpp"], re.M))
    for name, level in re.findall(r"^\| `(\w+)` \| (\w+) \|", page, re.M):
        if levels.get(name, level) != level and name != "events_suppressed":
            problems.append(f"docs/events.md says that {name} is {level}, and it is {levels[name]}")
    if not table or not explained:
        problems.append("a table was not found")
    return problems


def check_probes(headers, page) -> list:
    made = {name: int(count) for text in headers.values() for count, name in PROBE.findall(without_comments(text))}
    explained = {name: 1 + arguments.count(",") for name, arguments in re.findall(r"^\| `(\w+)` \| ([^|]*) \|", page, re.M)}
    problems = [f"docs/events.md has no probe {name} with {count} arguments" for name, count in made.items()
                if explained.get(name) != count]
    return problems + [f"docs/events.md has the probe {name}, which is nowhere" for name in sorted(set(explained) - set(made))]


def self_test() -> int:
    failed = 0

    def demand(what, change, expected):
        nonlocal failed
        tree = read()
        change(tree)
        problems = check(tree)
        fine = any(expected in problem for problem in problems) if expected else not problems
        failed += not fine
        print(f"{'ok      ' if fine else 'FAILED  '}{what}" + ("" if fine else f": {problems}"))

    def add(name, text):
        return lambda tree: tree["headers"].__setitem__(name, tree["headers"][name] + text)

    def replace(name, old, new):
        return lambda tree: tree["headers"].__setitem__(name, tree["headers"][name].replace(old, new))

    def in_page(old, new):
        return lambda tree: tree.__setitem__("page", tree["page"].replace(old, new))
    demand("the repository as it is", lambda tree: None, "")
    for form in ('tell_event({"new_one", id})', 'tell_event(events_, {.name = "new_one"})', 'host_->on_event({.name =\n "new_one"})',
                 'host.on_event("new_one", why)', 'hub_->report("new_one", {})', 'tell_event("new_one", {})'):
        demand(f"a name that is told with {form!r}", add("hub/hub.hpp", form + ";\n"), "lacks new_one")
    demand("a call whose name cannot be seen", add("hub/hub.hpp", "tell_event({.name = hidden});\n"), "hides the name")
    demand("a name that nobody tells any more", replace("hub/shard.hpp", '"session_shed"', '"session_opened"'), "which no header tells")
    demand("a name that is not in the table", replace("policy/event_level.hpp", '    {"outbox_full"', '    // {"'), "event_level.hpp lacks")
    demand("a name that is not explained", in_page("| `outbox_full` |", "| outbox |"), "events.md lacks outbox_full")
    demand("a level that is another", in_page("| `outbox_full` | error |", "| `outbox_full` | debug |"), "and it is error")
    demand("a probe that is not explained", add("hub/hub.hpp", "HUBBUB_PROBE(1, new_probe, shard);\n"), "no probe new_probe")
    demand("a probe with another number of arguments", in_page("| shard, sessions |", "| shard |"), "no probe turn_end with 2")
    demand("a probe that is no more", in_page("| `drop` |", "| `dropped` |"), "the probe dropped, which is nowhere")
    return 1 if failed else 0


def main() -> int:
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    tree = read()
    problems = check(tree)
    for problem in problems:
        print(problem)
    print(f"{len(set().union(*map(told_by, tree['headers'].values())))} events, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
