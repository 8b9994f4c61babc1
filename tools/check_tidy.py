#!/usr/bin/env python3
"""Runs clang-tidy over the headers, in as few translation units as there can be, and over the measuring programs of benchmarks/.

  tools/check_tidy.py [--jobs N] [LAYER...]
Most of its time goes into what the headers include, and many layers share that. Layers that are named are a unit each.
A unit whose headers have not changed, nor one below them, since it was found clean is not looked at again (build/tidy).
"""
import argparse
import concurrent.futures
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = ROOT / "include"
FLAGS = ["-std=c++20", "-O1", "-DASIO_STANDALONE", f"-I{INCLUDE}"]

# In a layer that instantiates whole hubs, this one looks at every instantiation, and takes longer than all others together. What it
# finds, a parameter that should be a reference, it finds in the layers below as well.
DEAR_CHECK = "performance-unnecessary-value-param"
WHOLE_HUBS = ("operations/live", "server", "testing")


def unit_of(layer) -> str:
    """Layers that want the same checks and flags."""
    return "websocketpp" if "websocketpp" in layer else "whole_hubs" if layer in WHOLE_HUBS else "parts"


def checks_of(unit) -> list:
    return [f"--checks=-{DEAR_CHECK}"] if unit in (*WHOLE_HUBS, "whole_hubs") else []


def flags_of(unit) -> list:
    """Nothing that Asio has given up, but in what websocketpp uses."""
    return FLAGS if "websocketpp" in unit else [*FLAGS, "-DASIO_NO_DEPRECATED"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("layers", nargs="*", help="such as hub or transport/tcp")
    options = parser.parse_args()
    tidy = next((name for name in ("clang-tidy-19", "clang-tidy") if shutil.which(name)), None)
    if not tidy:
        print("no clang-tidy: install clang-tidy-19")
        return 1
    folder = ROOT / "build" / "tidy"
    folder.mkdir(parents=True, exist_ok=True)

    layers = {}
    for header in sorted(INCLUDE.rglob("*.hpp")):
        name = header.relative_to(INCLUDE).as_posix()
        layers.setdefault(name.removeprefix("hubbub/").rpartition("/")[0] or "umbrella", []).append(name)
    if unknown := [layer for layer in options.layers if layer not in layers]:
        parser.error(f"there is no layer {unknown[0]}; there are {', '.join(sorted(layers))}")
    members = {}  # the layers of each unit
    for layer in layers:
        if not options.layers or layer in options.layers:
            members.setdefault(layer if options.layers else unit_of(layer), []).append(layer)
    units = {}
    for unit, of in members.items():
        source = folder / (unit.replace("/", "_") + ".cpp")
        source.write_text("".join(f"#include <{name}>\n" for layer in of for name in layers[layer]))
        folders = "|".join(layer for layer in of if layer != "umbrella")
        inside = f"(({folders})/){'?' if 'umbrella' in of else ''}" if folders else ""  # POSIX has no empty alternative
        units[unit] = (source, rf".*/include/hubbub/{inside}[^/]*\.hpp")
    if not options.layers:
        for source in (ROOT / "benchmarks/limit/hubbub_limit_server.cpp", ROOT / "benchmarks/load/hubbub_load_generator.cpp"):
            units[source.relative_to(ROOT).as_posix()] = (source, "-")

    def fingerprint(unit, source) -> str:
        digest = hashlib.sha256((ROOT / ".clang-tidy").read_bytes() + source.read_bytes() + " ".join(flags_of(unit) + checks_of(unit)).encode())
        seen, todo = set(), re.findall(r"#include <(hubbub/[^>]+)>", source.read_text())
        while todo:
            name = todo.pop()
            if name in seen or not (INCLUDE / name).is_file():
                continue
            seen.add(name)
            todo += re.findall(r"#include <(hubbub/[^>]+)>", (INCLUDE / name).read_text())
        for name in sorted(seen):
            digest.update((INCLUDE / name).read_bytes())
        return digest.hexdigest()

    def look(item):
        unit, (source, header_filter) = item
        stamp = folder / (unit.replace("/", "_") + ".clean")
        wanted = fingerprint(unit, source)
        if stamp.exists() and stamp.read_text() == wanted:
            return unit, "", 0.0
        began = time.monotonic()
        done = subprocess.run([tidy, "--quiet", f"--config-file={ROOT / '.clang-tidy'}", f"--header-filter={header_filter}",
                               *checks_of(unit), str(source), "--", *flags_of(unit)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode == 0:
            stamp.write_text(wanted)
            return unit, "", time.monotonic() - began
        return unit, done.stdout or done.stderr, time.monotonic() - began

    began = time.monotonic()
    # The programs take shortest, so they come last.
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(look, units.items()))
    problems = [result for result in results if result[1]]
    for unit, output, _ in problems:
        print(f"== {unit}\n{output}")
    print(f"{len(units)} units, {len(problems)} with problems, {time.monotonic() - began:.0f} s"
          f" ({', '.join(f'{unit} {seconds:.0f} s' for unit, _, seconds in results if seconds >= 1)})")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
