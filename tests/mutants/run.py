#!/usr/bin/env python3
"""Plants each bug of tests/mutants/*.patch into a copy of the library, and shows that the simulation finds it.

  tests/mutants/run.py                 all of them, and the tree as it is, which has to be clean
  tests/mutants/run.py gap_off_by_one  some of them

A bug that survives is a hole in the simulation, or changes nothing that a user could notice.
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

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
MOST_SEEDS = 10_000  # what tools/test runs with the tree as it is
SEEDS_WITHOUT = 1_000  # a few of them here, to see that it is the bug that is found


def compiler() -> list:
    program = os.environ.get("CXX") or next((each for each in ("clang++-19", "clang++", "g++") if shutil.which(each)), None)
    if not program:
        sys.exit("there is no C++ compiler: install g++, or name one in CXX")
    return [program, "-std=c++20", "-O0"]  # most of the time goes into compiling


def judge(name, seeds) -> tuple:
    """Builds the tree with the patch, if there is one, and runs the seeds: (name, verdict, what was seen)."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hubbub-mutant-") as folder:
        copy = pathlib.Path(folder)
        shutil.copytree(ROOT / "include", copy / "include")
        if name:
            applied = subprocess.run(["patch", "-p1", "--fuzz=0", "--no-backup-if-mismatch", "-i", HERE / f"{name}.patch"], cwd=copy,
                                     capture_output=True, text=True)
            if applied.returncode:
                return name, "does not apply", applied.stdout.strip()
        built = subprocess.run([*compiler(), f"-I{copy}/include", f"-I{ROOT}", str(HERE / "main.cpp"), "-o", f"{copy}/simulation"],
                               capture_output=True, text=True)
        if built.returncode:
            return name, "does not compile", built.stderr.strip()[:2000]
        try:
            ran = subprocess.run([f"{copy}/simulation", "1", str(seeds)], capture_output=True, text=True, timeout=300)
        except subprocess.TimeoutExpired:
            return name, "killed", "it never ends"
    if ran.returncode == 0:
        return name, "survives", f"{seeds} seeds"
    seen = (ran.stdout.strip() or ran.stderr.strip().splitlines()[-1:] or [f"signal {-ran.returncode}"])
    return name, "killed", f"{seen if isinstance(seen, str) else seen[0]} ({time.monotonic() - began:.0f} s)"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="without .patch")
    parser.add_argument("--seeds", type=int, default=MOST_SEEDS)
    options = parser.parse_args()
    known = sorted(path.stem for path in HERE.glob("*.patch"))
    for name in options.names:
        if name not in known:
            parser.error(f"there is no {name}.patch; there are: {', '.join(known)}")
    names = options.names or ["", *known]
    wrong = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, verdict, seen in pool.map(lambda each: judge(each, options.seeds if each else min(options.seeds, SEEDS_WITHOUT)), names):
            expected = "killed" if name else "survives"
            wrong += verdict != expected
            print(f"{name or 'the tree as it is':<30} {verdict if name else 'clean' if verdict == expected else verdict}: {seen}",
                  flush=True)
    print(f"{len(names) - wrong} as expected, {wrong} not")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
