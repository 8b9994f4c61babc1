#!/usr/bin/env python3
"""Compiles every header alone: what a header uses, it includes.

One compiler is enough, since both have the same standard library, so what a header forgets it forgets for both; that
all headers together compile without a warning with g++ is the test headers_twice. --compiler asks for others.

A header that another includes may stand before it and is seen alone all the same, and so is the other, to which it brings only what
the other has anyway. So the headers are put into chains, each of which includes the one before it, and a chain is compiled at once.

  tools/check_headers.py [--compiler NAME]... [--jobs N] [--self-test] [HEADER...]
Object files are thrown away; they are made, and not only parsed, because then ccache can answer the next time.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
FLAGS = ["-std=c++20", "-O0", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror", "-DASIO_STANDALONE"]


# What a folder needs that may be missing.
NEEDS = {"/uring/": ["liburing.h"], "/tls/": ["openssl/ssl.h"], "/redis/": ["hiredis/hiredis.h", "openssl/ssl.h"],
         "backplane/nats/": ["nats/nats.h"], "/spdlog/": ["spdlog/spdlog.h"], "/prometheus/": ["prometheus/text_serializer.h"],
         "/profiling/": ["gperftools/malloc_extension.h"]}


def is_installed(header) -> bool:
    return any(pathlib.Path(folder, header).exists() for folder in ("/usr/include", "/usr/local/include"))


def is_checked(name) -> bool:
    return all(map(is_installed, [need for folder, needs in NEEDS.items() if folder in name for need in needs]))


def no_deprecated(name) -> list:
    """Nothing that Asio has given up, but in what websocketpp uses."""
    return [] if "/websocketpp/" in name else ["-DASIO_NO_DEPRECATED"]


def includes_of(text) -> set:
    """The headers of hubbub that a header includes whatever is defined."""
    found, depth = set(), 0
    for line in text.splitlines():
        if re.match(r"\s*#\s*if", line):
            depth += 1
        elif re.match(r"\s*#\s*endif", line):
            depth -= 1
        elif depth == 0 and (match := re.match(r"#include <(hubbub/[^>]+)>", line)):
            found.add(match[1])
    return found


def chains_of(includes) -> list:
    """As few chains as there can be, by what they cost: a path cover of what includes what, found by augmenting paths (a bipartite
    matching). The dearest headers are matched first, so that as few of them as possible end a chain, whose price is that of its end.
    """
    everything = {}

    def below(name):
        if name not in everything:
            everything[name] = set()
            for each in includes[name] & includes.keys():
                everything[name] |= {each} | below(each)
        return everything[name]

    above = {name: [] for name in includes}
    for name in includes:
        for each in sorted(below(name)):
            if no_deprecated(each) == no_deprecated(name):
                above[each].append(name)
    before = {}  # what stands right before it

    def place(name, tried):
        for other in above[name]:
            if other not in tried:
                tried.add(other)
                if other not in before or place(before[other], tried):
                    before[other] = name
                    return True
        return False

    for name in sorted(includes, key=lambda each: (-len(below(each)), each)):
        place(name, set())
    chains = []
    for end in sorted(includes.keys() - set(before.values()), key=lambda each: (-len(below(each)), each)):
        chain = [end]
        while chain[0] in before:
            chain.insert(0, before[chain[0]])
        chains.append(chain)
    return chains


def self_test() -> int:
    assert includes_of("#include <hubbub/a.hpp>\n#ifdef X\n#include <hubbub/b.hpp>\n#endif\n#include <string>\n") == {"hubbub/a.hpp"}
    for includes in ({"a": set(), "b": {"a"}, "c": {"b"}, "d": {"b"}, "e": set()}, {"a": set(), "b": set(), "c": {"a", "b"}, "d": {"a"}}):
        chains = chains_of(includes)
        assert sorted(name for chain in chains for name in chain) == sorted(includes), chains
        assert len(chains) == {5: 3, 4: 2}[len(includes)], chains
    assert ["a", "b", "c"] in chains_of({"a": set(), "b": {"a"}, "c": {"b"}})
    with tempfile.TemporaryDirectory() as scratch:  # who forgets an include is found, wherever in a chain it stands
        include = pathlib.Path(scratch, "include")
        texts = {"a": "struct A {};", "b": "#include <hubbub/a.hpp>\nstruct B { A a; };", "c": "#include <hubbub/b.hpp>\nstruct C { A a; };",
                 "d": "struct D { A a; };", "e": "#include <hubbub/a.hpp>\n#include <hubbub/d.hpp>\nstruct E { A a; std::size_t size; };"}
        for name, text in texts.items():
            (include / "hubbub").mkdir(parents=True, exist_ok=True)
            (include / f"hubbub/{name}.hpp").write_text(f"#pragma once\n{text}\n")
        failures, _ = check(sorted(include.rglob("*.hpp")), include, pathlib.Path(scratch), compilers(), 1)
        output = "".join(each for _, _, each in failures)
        assert "hubbub/d.hpp" in output and "hubbub/e.hpp" in output, output
        assert "error" not in "".join(line for line in output.splitlines() if re.match(r"\S*hubbub/[abc]\.hpp", line)), output
    print("self-test: as expected")
    return 0


def compilers() -> list:
    return [name for name in ("clang++-19", "g++") if shutil.which(name)][:1]


def check(headers, include, folder, with_compilers, jobs):
    """(compiler, the end of the chain, what it said) of each chain that does not compile, and how many chains there are."""
    includes = {path.relative_to(include).as_posix(): includes_of(path.read_text()) for path in headers}
    chains = chains_of({name: needs for name, needs in includes.items() if is_checked(name)})
    launcher = [shutil.which("ccache")] if shutil.which("ccache") else []
    folder.mkdir(parents=True, exist_ok=True)

    def compile_chain(number, compiler, chain):
        # Unchanging names, so that ccache knows them again.
        source = folder / (chain[-1].replace("/", "__") + ".cpp")
        # Twice: #pragma once works. The declaration keeps the file from being empty.
        text = "".join(f"#include <{name}>\n" for name in chain * 2) + "int main();\n"
        if not source.exists() or source.read_text() != text:
            source.write_text(text)
        done = subprocess.run([*launcher, compiler, *FLAGS, f"-I{include}", *no_deprecated(chain[-1]), "-c", str(source), "-o", f"{scratch}/{number}.o"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return (compiler, chain[-1], done.stdout) if done.returncode != 0 else None

    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        # The dear ones come first, else one of them runs alone at the end.
        work = [(compiler, chain) for chain in chains for compiler in with_compilers]
        results = pool.map(lambda item: compile_chain(item[0], *item[1]), enumerate(work))
        return [result for result in results if result], len(chains)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compiler", action="append", help="clang++-19, or else g++")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("headers", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    chosen = options.compiler or compilers()
    if not chosen:
        print("no compiler: install clang-19 or g++")
        return 1
    if options.self_test:
        return self_test()
    headers = [path.resolve() for path in options.headers] or sorted((ROOT / "include").rglob("*.hpp"))
    began = time.monotonic()
    failures, chains = check(headers, ROOT / "include", ROOT / "build" / "headers", chosen, options.jobs)
    for compiler, name, output in failures:
        print(f"a header of the chain of {name} does not compile alone with {compiler}:\n{output[:3000]}")
    print(f"{len(headers)} headers in {chains} chains, {' and '.join(chosen)}: {len(failures)} failures in {time.monotonic() - began:.0f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
