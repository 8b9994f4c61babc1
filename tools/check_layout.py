#!/usr/bin/env python3
"""Checks that a folder is a layer: a header includes only its own folder and folders below it, and nothing in a circle."""
import pathlib
import re
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent / "include" / "hubbub"
# Folder -> what it may include besides itself.
LAYERS = {
    "core": [],
    "http": ["core"],
    "metrics": ["core"],
    "ws": ["core", "http"],
    "backplane": ["core", "ws"],
    "policy": ["core", "http", "ws"],
    "json": ["core", "ws"],
    "transport": ["core", "ws"],  # connection.hpp: the concepts
    "transport/memory": ["core", "http", "ws", "transport"],
    "hub": ["core", "http", "metrics", "ws", "policy", "backplane", "transport"],
    "transport/tcp": ["core", "http", "ws", "transport"],
}
LONGEST = 500


def check(root) -> list:
    problems, includes, sizes = [], {}, []
    for path in sorted(root.rglob("*.hpp")):
        name = path.relative_to(root).as_posix()
        folder = name.rpartition("/")[0]
        text = path.read_text()
        lines = text.count("\n")
        sizes.append(lines)
        if not text.startswith("#pragma once"):
            problems.append(f"{name}: does not begin with #pragma once")
        if lines > LONGEST and "Why it is long:" not in text:
            problems.append(f"{name}: {lines} lines and no 'Why it is long:'")
        if folder not in LAYERS:
            problems.append(f"{name}: the folder is in no layer")
            continue
        includes[name] = re.findall(r"#include <hubbub/([^>]+)>", text)
        for included in includes[name]:
            other = included.rpartition("/")[0]
            if not (root / included).is_file():
                problems.append(f"{name}: includes {included}, which does not exist")
            elif other != folder and other not in LAYERS[folder]:
                problems.append(f"{name}: the layer {folder} may not include {included}")
    done, path = set(), []

    def visit(name):
        if name in path:
            problems.append("circular: " + " -> ".join(path[path.index(name):] + [name]))
            return
        if name in done:
            return
        path.append(name)
        for included in includes.get(name, []):
            visit(included)
        path.pop()
        done.add(name)

    for name in includes:
        visit(name)
    for problem in problems:
        print(problem)
    print(f"{len(sizes)} headers, median {sorted(sizes)[len(sizes) // 2]} lines, {len(problems)} problems")
    return problems


def self_test() -> int:
    """Each planted violation is found, and a clean tree has none."""
    planted = {
        "clean": {"core/a.hpp": "#pragma once\n", "ws/b.hpp": "#pragma once\n#include <hubbub/core/a.hpp>\n"},
        "may not include": {"core/a.hpp": "#pragma once\n#include <hubbub/ws/b.hpp>\n", "ws/b.hpp": "#pragma once\n"},
        "circular": {"core/a.hpp": "#pragma once\n#include <hubbub/core/b.hpp>\n",
                     "core/b.hpp": "#pragma once\n#include <hubbub/core/a.hpp>\n"},
        "does not begin": {"core/a.hpp": "int a;\n"},
        "in no layer": {"elsewhere/a.hpp": "#pragma once\n"},
        "does not exist": {"core/a.hpp": "#pragma once\n#include <hubbub/core/b.hpp>\n"},
        "Why it is long": {"core/a.hpp": "#pragma once\n" + "\n" * LONGEST},
    }
    wrong = 0
    for expected, files in planted.items():
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                path = pathlib.Path(folder) / name
                path.parent.mkdir(exist_ok=True)
                path.write_text(text)
            problems = check(pathlib.Path(folder))
        found = not problems if expected == "clean" else any(expected in problem for problem in problems)
        if not found:
            print(f"self-test: '{expected}' was not found")
            wrong = 1
    return wrong


sys.exit(self_test() if "--self-test" in sys.argv[1:] else 1 if check(ROOT) else 0)
