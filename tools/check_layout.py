#!/usr/bin/env python3
"""Checks the shape of include/hubbub: a folder is a layer, and a header is small and about one thing.

A header includes only its own folder and the folders that LAYERS allows it, never in a circle and never an umbrella
header; it begins with #pragma once, declares what its name says and few public types beside it, and is short.
  tools/check_layout.py              checks the library
  tools/check_layout.py --self-test  plants each violation in a scratch tree and wants it found
"""
import pathlib
import re
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent / "include" / "hubbub"
# Folder -> what it may include besides itself. docs/architecture.md has the reasons.
LAYERS = {
    "core": [],
    "http": ["core"],
    "metrics": ["core"],
    "ws": ["core", "http"],
    "ws/deflate": ["core", "http", "ws", "policy"],  # a model of policy/compression.hpp
    "backplane": ["core", "ws", "policy"],
    "backplane/redis": ["core", "ws", "policy", "backplane", "transport/socket", "transport/tcp"],
    "backplane/nats": ["core", "ws", "policy", "backplane", "transport/socket", "transport/tcp"],
    "policy": ["core", "http", "ws"],
    "policy/jwt": ["core", "http", "ws", "policy", "json"],
    "json": ["core", "ws"],
    "events": ["core", "http", "ws", "policy"],  # sinks that write: policy/ itself does no I/O
    "events/spdlog": ["core", "http", "ws", "policy", "events"],
    "transport": ["core", "http", "ws"],  # connection.hpp: the concepts
    "transport/memory": ["core", "http", "ws", "transport"],
    "hub": ["core", "http", "metrics", "ws", "policy", "backplane", "transport"],
    "operations": ["core", "http", "metrics", "ws", "policy", "backplane", "transport", "hub"],
    "operations/prometheus": ["core", "http", "metrics", "ws", "policy", "backplane", "transport", "hub", "operations"],
    "operations/live": ["core", "http", "metrics", "ws", "policy", "backplane", "transport", "hub", "operations", "server",
                        "transport/socket", "transport/tcp"],
    "protocol": ["core", "http", "ws", "policy", "json", "hub"],
    "transport/socket": ["core", "http", "ws", "transport"],  # sockets and engines, of the system alone
    "transport/uring": ["core", "http", "ws", "transport", "transport/socket"],
    "transport/tcp": ["core", "http", "ws", "transport", "transport/socket", "transport/uring"],
    "transport/tls": ["core", "http", "ws", "transport", "transport/socket"],
    "transport/websocketpp": ["core", "http", "ws", "transport", "transport/socket", "transport/tcp"],
    "profiling": ["core", "http"],
    "server": ["core", "http", "metrics", "ws", "policy", "backplane", "json", "transport", "transport/memory", "hub",
               "transport/socket", "transport/tls", "transport/tcp"],
    "testing": ["core", "http", "metrics", "ws", "policy", "backplane", "json", "transport", "transport/memory", "hub",
                "transport/socket", "transport/tcp"],
}
UMBRELLAS = {"hubbub.hpp", "fwd.hpp", "version.hpp"}  # directly in include/hubbub; version.hpp includes nothing
LONGEST = 500  # lines
MOST_PUBLIC_TYPES = 4  # the one that names the file, and small companions

# Headers that may break the rule about names or numbers of types, and why.
EXCEPTIONS = {
    "transport/connection.hpp": "a concept in its parts: one cannot be read without the others",
    "ws/handshake.hpp": "functions about the opening handshake of RFC 6455 4.2, and what they yield",
    "ws/client_handshake.hpp": "the same for the client's side",
    "transport/websocketpp/compat.hpp": "what lets websocketpp's own headers compile",
}

TOKEN = re.compile(r"[A-Za-z_]\w*|::|[{};=<>()]")


def without_comments(text: str) -> str:
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'|^\s*#[^\n]*', " ", text,
                  flags=re.DOTALL | re.MULTILINE)


def public_types(text: str) -> list:
    """Names of the classes, enums and concepts that are defined at namespace scope outside of `detail`."""
    types, scopes, statement = [], [], []
    for token in TOKEN.findall(without_comments(text)):
        in_namespace = all(scope != "other" for scope in scopes)
        hidden = "detail" in scopes
        if token == "{":
            kind = "other"
            if in_namespace:
                if "namespace" in statement:
                    kind = "detail" if "detail" in statement else "namespace"
                else:
                    name = defined_type(statement)
                    if name and not hidden:
                        types.append(name)
            scopes.append(kind)
            statement = []
        elif token == "}":
            if scopes:
                scopes.pop()
            statement = []
        elif token == ";":
            if in_namespace and not hidden and len(statement) > 1:
                if "concept" in statement:
                    types.append(statement[statement.index("concept") + 1])
            statement = []
        else:
            statement.append(token)
            if token == "=" and in_namespace and not hidden and "concept" in statement[:-1]:
                types.append(statement[statement.index("concept") + 1])
                statement = ["constexpr"]  # what follows is its expression
    return types


def defined_type(statement: list):
    """The name, if what comes before a brace is the head of a class or an enum."""
    depth, head = 0, []
    for token in statement:  # template parameters are no definition
        if token == "<":
            depth += 1
        elif token == ">":
            depth = max(0, depth - 1)
        elif depth == 0:
            head.append(token)
    if "(" in head or "=" in head:
        return None
    for keyword in ("class", "struct", "union", "enum"):
        if keyword in head:
            rest = [token for token in head[head.index(keyword) + 1:] if token not in ("class", "struct", "alignas", "final")]
            # A specialisation belongs to what it specialises.
            if rest and "::" not in rest[:2] and not is_specialisation(statement, rest[0]):
                return rest[0]
            return None
    return None


def is_specialisation(statement: list, name: str) -> bool:
    at = statement.index(name)
    return at + 1 < len(statement) and statement[at + 1] == "<"


def words(name: str) -> set:
    """Of a CamelCase or snake_case name, in small letters and singular."""
    return {word.lower().rstrip("s") for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)}


def declares_its_name(stem: str, text: str, types: list) -> bool:
    """A type, or else a function, shares a word with the file. Headers of functions alone may carry the name of a group."""
    if not types:
        return True
    called = re.findall(r"\b([a-z]\w*)\(", without_comments(text))
    if any(name.lower() == stem.replace("_", "") for name in types):
        return True
    # encoder.hpp has encode(): a common beginning is enough.
    return any(a[:5] == b[:5] for name in [*types, *called] for a in words(stem) for b in words(name))


def circles(includes: dict) -> list:
    problems, done, path = [], set(), []

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
    return problems


def check(root, quiet=False) -> list:
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
        if re.search(r'#include "', text):
            problems.append(f"{name}: includes with quotes; the library's includes are absolute")
        if name in UMBRELLAS:
            continue
        if folder not in LAYERS:
            problems.append(f"{name}: the folder is in no layer")
            continue
        includes[name] = re.findall(r"#include <hubbub/([^>]+)>", text)
        for included in includes[name]:
            other = included.rpartition("/")[0]
            if included in UMBRELLAS and included != "version.hpp":
                problems.append(f"{name}: includes the umbrella {included}")
            elif not (root / included).is_file():
                problems.append(f"{name}: includes {included}, which does not exist")
            elif other and other != folder and other not in LAYERS[folder]:
                problems.append(f"{name}: the layer {folder} may not include {included}")
        if name in EXCEPTIONS:
            continue
        types = public_types(text)
        if not declares_its_name(path.stem, text, types):
            problems.append(f"{name}: declares {', '.join(types)}, but nothing that its name says")
        # policy/ has a header an axis: the concept and its stock models.
        if len(types) > MOST_PUBLIC_TYPES and folder != "policy":
            problems.append(f"{name}: {len(types)} public types ({', '.join(types)})")
    problems += circles(includes)
    if not quiet:
        for problem in problems:
            print(problem)
        median = sorted(sizes)[len(sizes) // 2] if sizes else 0
        print(f"{len(sizes)} headers, median {median} lines, longest {max(sizes, default=0)}, {len(problems)} problems")
    return problems


def self_test() -> int:
    """Each planted violation is found, and a clean tree has none."""
    many = "".join(f"struct T{i} {{}};\n" for i in range(MOST_PUBLIC_TYPES))
    planted = [
        ("", {"core/a.hpp": "#pragma once\n/// struct Comment {}\ntemplate <class T>\nclass A {\n struct Inner {};\n};\n"
                            "namespace detail {\n" + many + "}\ntemplate <>\nstruct std::hash<A> {};\n",
              "ws/b.hpp": "#pragma once\n#include <hubbub/core/a.hpp>\ninline void f() {}\n",
              "ws/c.hpp": "#pragma once\nnamespace x::inline v0 {\ntemplate <class T>\nconcept C = requires(T t) { t.f(); };\n}\n",
              "hubbub.hpp": "#pragma once\n#include <hubbub/ws/b.hpp>\n"}),
        ("may not include", {"core/a.hpp": "#pragma once\n#include <hubbub/ws/b.hpp>\n", "ws/b.hpp": "#pragma once\n"}),
        ("may not include", {"ws/a.hpp": "#pragma once\n#include <hubbub/hub/b.hpp>\n", "hub/b.hpp": "#pragma once\n"}),
        ("circular", {"core/a.hpp": "#pragma once\n#include <hubbub/core/b.hpp>\n",
                      "core/b.hpp": "#pragma once\n#include <hubbub/core/a.hpp>\n"}),
        ("circular", {"core/a.hpp": "#pragma once\n#include <hubbub/core/a.hpp>\n"}),
        ("does not begin", {"core/a.hpp": "int a;\n"}),
        ("in no layer", {"elsewhere/a.hpp": "#pragma once\n"}),
        ("does not exist", {"core/a.hpp": "#pragma once\n#include <hubbub/core/b.hpp>\n"}),
        ("umbrella", {"core/a.hpp": "#pragma once\n#include <hubbub/hubbub.hpp>\n", "hubbub.hpp": "#pragma once\n"}),
        ("with quotes", {"core/a.hpp": '#pragma once\n#include "b.hpp"\n'}),
        ("Why it is long", {"core/a.hpp": "#pragma once\n" + "\n" * LONGEST}),
        ("nothing that its name says", {"core/a.hpp": "#pragma once\nnamespace x::inline v0 {\nclass Other final : A {\n};\n}\n"}),
        ("nothing that its name says", {"core/a.hpp": "#pragma once\nenum class Other : char { x };\n"}),
        ("public types", {"core/a.hpp": "#pragma once\nnamespace x {\nstruct A {};\n" + many + "}\n"}),
    ]
    wrong = 0
    for expected, files in planted:
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                path = pathlib.Path(folder) / name
                path.parent.mkdir(exist_ok=True)
                path.write_text(text)
            problems = check(pathlib.Path(folder), quiet=True)
        found = any(expected in problem for problem in problems) if expected else not problems
        if not found:
            print(f"self-test: wanted {expected or 'no problem'}, found {problems or 'none'}")
            wrong = 1
    print(f"self-test: {len(planted)} planted trees, {'not all were judged rightly' if wrong else 'all judged rightly'}")
    return wrong


if __name__ == "__main__":
    sys.exit(self_test() if "--self-test" in sys.argv[1:] else 1 if check(ROOT) else 0)
