#!/usr/bin/env python3
"""Compiles every header alone: what a header uses, it includes.

One compiler is enough, since both have the same standard library, so what a header forgets it forgets for both; that
all headers together compile without a warning with both is the test hubbub_headers_twice. --compiler asks for others.

  tools/check_headers.py [--compiler NAME]... [--jobs N] [HEADER...]
Object files are thrown away; they are made, and not only parsed, because then ccache can answer the next time.
"""
import argparse
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
FLAGS = ["-std=c++20", "-O0", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror", "-DASIO_STANDALONE",
         f"-I{ROOT / 'include'}"]


# What a folder needs that may be missing.
NEEDS = {"/uring/": ["liburing.h"], "/tls/": ["openssl/ssl.h"], "/redis/": ["hiredis/hiredis.h", "openssl/ssl.h"],
         "backplane/nats/": ["nats/nats.h"], "/spdlog/": ["spdlog/spdlog.h"], "/prometheus/": ["prometheus/text_serializer.h"],
         "/profiling/": ["gperftools/malloc_extension.h"]}


def is_installed(header) -> bool:
    return any(pathlib.Path(folder, header).exists() for folder in ("/usr/include", "/usr/local/include"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compiler", action="append", help="clang++-19, or else g++")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("headers", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    compilers = options.compiler or [name for name in ("clang++-19", "g++") if shutil.which(name)][:1]
    headers = [path.resolve() for path in options.headers] or sorted((ROOT / "include").rglob("*.hpp"))
    launcher = [shutil.which("ccache")] if shutil.which("ccache") else []
    if not compilers:
        print("no compiler: install clang-19 or g++")
        return 1

    with tempfile.TemporaryDirectory() as scratch:
        # Unchanging names, so that ccache knows them again.
        folder = ROOT / "build" / "headers"
        folder.mkdir(parents=True, exist_ok=True)

        def compile_alone(number, compiler, header):
            name = header.relative_to(ROOT / "include").as_posix()
            source = folder / (name.replace("/", "__") + ".cpp")
            # Twice: #pragma once works. The declaration keeps the file from being empty.
            text = f"#include <{name}>\n#include <{name}>\nint main();\n"
            if not source.exists() or source.read_text() != text:
                source.write_text(text)
            # Nothing that Asio has given up, but in what websocketpp uses.
            if any(folder in name and not all(map(is_installed, needs)) for folder, needs in NEEDS.items()):
                return None
            no_deprecated = [] if "/websocketpp/" in name else ["-DASIO_NO_DEPRECATED"]
            done = subprocess.run([*launcher, compiler, *FLAGS, *no_deprecated, "-c", str(source), "-o", f"{scratch}/{number}.o"],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            return (compiler, name, done.stdout) if done.returncode != 0 else None

        began = time.monotonic()
        # The dear ones (they include Asio) first, else one of them runs alone at the end.
        headers.sort(key=lambda path: "/tcp/" not in path.as_posix())
        work = [(compiler, header) for header in headers for compiler in compilers]
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            results = pool.map(lambda item: compile_alone(item[0], *item[1]), enumerate(work))
            failures = [result for result in results if result]
    for compiler, name, output in failures:
        print(f"{name} does not compile alone with {compiler}:\n{output[:3000]}")
    print(f"{len(headers)} headers, {' and '.join(compilers)}: {len(failures)} failures in {time.monotonic() - began:.0f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
