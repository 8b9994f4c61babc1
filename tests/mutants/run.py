#!/usr/bin/env python3
"""Plants each bug of tests/mutants/*.patch into a copy of the library, and shows that the simulation finds it.

  tests/mutants/run.py                 all of them, and the library with none, which has to be clean
  tests/mutants/run.py gap_off_by_one  some of them

Compiling takes longest, so the patches share a program: what each changes asks planted("its name") of planted.hpp, and
HUBBUB_MUTANT chooses one for a run. A patch that does not fit beside the others gets a further program.
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


class Program:
    """A copy of the library with bugs in it."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.names = []
        shutil.copytree(ROOT / "include", self.folder / "include")

    def take(self, name) -> str:
        """Applies a patch; says what is in the way, if something is."""
        patch = HERE / f"{name}.patch"
        if f'planted("{name}")' not in patch.read_text():
            return f'nothing in it asks for planted("{name}")'
        command = ["patch", "-p1", "--fuzz=0", "--no-backup-if-mismatch", "-i", patch]
        for mode in (["--dry-run"], []):
            applied = subprocess.run([*command, *mode], cwd=self.folder, capture_output=True, text=True)
            if applied.returncode:
                return applied.stdout.strip()
        self.names.append(name)
        return ""

    def build(self) -> str:
        """Compiles it; what the compiler says when it can't."""
        compiler = os.environ.get("CXX") or next((each for each in ("clang++-19", "clang++", "g++") if shutil.which(each)), None)
        if not compiler:
            sys.exit("there is no C++ compiler: install g++, or name one in CXX")
        zlib = subprocess.run([compiler, "-E", "-x", "c++", "-include", "zlib.h", "/dev/null"], capture_output=True).returncode == 0
        built = subprocess.run([compiler, "-std=c++20", "-O1", "-include", HERE / "planted.hpp", f"-I{self.folder}/include",
                                f"-I{ROOT}", HERE / "main.cpp", "-o", self.folder / "simulation", *(["-lz"] if zlib else [])],
                               capture_output=True, text=True)
        return built.stderr.strip()[:4000] or "the compiler failed" if built.returncode else ""

    def judge(self, name, seeds) -> tuple:
        """Runs the seeds with one bug, or with none: (name, verdict, what was seen)."""
        began = time.monotonic()
        try:
            ran = subprocess.run([self.folder / "simulation", "1", str(seeds)], capture_output=True, text=True, timeout=300,
                                 env={**os.environ, "HUBBUB_MUTANT": name})
        except subprocess.TimeoutExpired:
            return name, "killed", "it never ends"
        took = f"({time.monotonic() - began:.1f} s)"
        if ran.returncode == 0:
            return name, "survives", f"{seeds} seeds {took}"
        return name, "killed", f"{ran.stdout.strip() or (ran.stderr.strip().splitlines() or [f'signal {-ran.returncode}'])[-1]} {took}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="without .patch")
    parser.add_argument("--seeds", type=int, default=MOST_SEEDS)
    options = parser.parse_args()
    known = sorted(path.stem for path in HERE.glob("*.patch"))
    for name in options.names:
        if name not in known:
            parser.error(f"there is no {name}.patch; there are: {', '.join(known)}")
    wrong = right = 0

    def say(name, verdict, seen):
        nonlocal wrong, right
        fine = verdict == ("killed" if name else "survives")
        wrong, right = wrong + (not fine), right + fine
        print(f"{name or 'with none of them':<30} {'clean' if fine and not name else verdict}: {seen}", flush=True)

    with tempfile.TemporaryDirectory(prefix="hubbub-mutants-") as scratch:
        programs = []
        for name in options.names or known:
            if any(not program.take(name) for program in programs):
                continue
            alone = Program(f"{scratch}/{name}")
            obstacle = alone.take(name)
            if obstacle:
                say(name, "does not apply", obstacle)
            else:
                programs.append(alone)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            runs = []
            for program, obstacle in zip(programs, pool.map(Program.build, programs)):
                if obstacle:
                    say(" ".join(program.names), "does not compile", obstacle)
                    continue
                runs.append((program, "", min(options.seeds, SEEDS_WITHOUT)))
                runs += [(program, name, options.seeds) for name in program.names]
            for outcome in pool.map(lambda run: run[0].judge(*run[1:]), runs):
                say(*outcome)
    print(f"{right} as expected, {wrong} not")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
