#!/usr/bin/env python3
"""Checks that each promise of docs/security.md is proved: the tests that it names ran and passed.

A line "- unit: NAME" names a test case of Catch, "- attack: NAME" a line of the integration tests. What passed is in build/logs/, where
tools/test leaves it.
  tools/check_security.py [LOGS]       checks the page against these logs
  tools/check_security.py --self-test  removes a test from the logs, and each kind of line from the page, and wants it noticed
"""
import pathlib
import re
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/security.md"


def passed_in(logs) -> dict:
    """Names by kind: of test cases, and of cases that talk to a server over a network."""
    unit = {line for path in logs.glob("passed-*.txt") for line in path.read_text().splitlines()}
    attack = set()
    for path in logs.glob("integration*.log"):
        for line in path.read_text(errors="replace").splitlines():
            if passed := re.match(r"(?:\w+: )?ok      (.*)", line):  # behind the lane that it ran in
                # Each engine carries out the same: "epoll: a bomb". A figure may follow.
                attack.update({passed[1].strip(), re.sub(r"^[\w, -]+?: ", "", passed[1].strip())})
    return {"unit": unit, "attack": attack}


def check(text, passed) -> list:
    problems, sections, named = [], [], {}
    for line in text.splitlines():
        if line.startswith("### "):
            sections.append(line[4:])
            named[line[4:]] = 0
        elif match := re.match(r"- (\w+): (.+)$", line):
            kind, name = match[1], match[2].strip()
            if not sections:
                problems.append(f"a test stands outside of a row: {name}")
            elif kind not in passed:
                problems.append(f"{sections[-1]}: there is no kind of test called {kind}")
            else:
                named[sections[-1]] += 1
                if name not in passed[kind]:
                    problems.append(f"{sections[-1]}: no test of that name ran and passed: {kind}: {name}")
    problems += [f"{section}: no test is named" for section, count in named.items() if not count]
    return problems + ([] if sections else ["the page has no rows"])


def self_test() -> int:
    page = "### One\ntext\n- unit: a test, with a comma\n### Two\n- attack: a bomb\n"
    failed = 0

    def demand(holds, what):
        nonlocal failed
        failed += not holds
        print(f"{'ok      ' if holds else 'FAILED  '}{what}")
    with tempfile.TemporaryDirectory() as folder:
        logs = pathlib.Path(folder)
        (logs / "passed-gcc.txt").write_text("another\na test, with a comma\n")
        (logs / "integration-alone.log").write_text("alone: == attacks\nalone: ok      epoll: a bomb\nalone: FAILED  asio: a flood\n")
        demand(check(page, passed_in(logs)) == [], "a page whose tests passed is right")
        demand(check(page.replace("a comma", "two commas"), passed_in(logs)), "a test that was renamed is noticed")
        demand(check(page.replace("a bomb", "a flood"), passed_in(logs)), "a test that failed is noticed")
        demand(check(page.replace("- attack: a bomb\n", ""), passed_in(logs)), "a row without a test is noticed")
        demand(check(page.replace("attack:", "attach:"), passed_in(logs)), "a kind that is none is noticed")
        demand(check("", passed_in(logs)), "an empty page is noticed")
        (logs / "passed-gcc.txt").unlink()
        demand(check(page, passed_in(logs)), "tests that did not run are noticed")
    return 1 if failed else 0


def main() -> int:
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    logs = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build/logs"
    text = PAGE.read_text()
    problems = check(text, passed_in(logs))
    for problem in problems:
        print(problem)
    print(f"{len(re.findall('^### ', text, re.M))} rows, {len(re.findall(r'^- (?:unit|attack): ', text, re.M))} tests, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
