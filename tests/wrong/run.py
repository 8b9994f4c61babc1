#!/usr/bin/env python3
"""tests/wrong/run.py [--compiler NAME]... [--each] [PROGRAM...]

Each program here is wrong in one way, and its first line is how the library says so: the compiler has to fail, and the first error that
it has for the program is that sentence. right.cpp does all the same rightly and compiles.
What they include is parsed once, for all of them; --each compiles each alone, and then the sentence has to be in the first three lines
that are printed, not counting those that say how it came there (which file includes which, what is instantiated from where).
The last line is "N passed, N failed"."""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
FLAGS = ["-std=c++20", "-fsyntax-only", "-DASIO_STANDALONE", "-DASIO_NO_DEPRECATED", f"-I{ROOT / 'include'}"]
FIRST = 3
CONTEXT = re.compile(r"In file included from|\s+from |\S+ In (instantiation|substitution) of|\S+\s+required (by|from) ")


def compile_it(compiler, program) -> tuple:
    all_errors = ["-ferror-limit=0"] if "clang" in compiler else []
    done = subprocess.run([compiler, *FLAGS, *all_errors, program], capture_output=True, text=True)
    return done.returncode == 0, done.stderr


def sentence_of(program) -> str:
    return program.read_text().splitlines()[0].removeprefix("// ")


def judge_alone(compiler, program) -> str:
    """What is wrong with how the compiler treats it; empty if nothing."""
    fine, text = compile_it(compiler, program)
    if program.stem == "right":
        return "" if fine else text[:2000]
    lines = [line for line in text.splitlines() if not CONTEXT.match(line)]
    if fine:
        return "it compiles"
    if not any(sentence_of(program) in line for line in lines[:FIRST]):
        return f'"{sentence_of(program)}" is not in the first {FIRST} lines:\n' + "\n".join(lines[:12])
    return ""


def diagnostics(text) -> list:
    """Each error with the lines that belong to it: g++ says before it how it came there, clang after it."""
    records, current = [], []
    for line in text.splitlines():
        begins = CONTEXT.match(line) or ": error: " in line
        if begins and any(": error: " in earlier for earlier in current):
            records.append(current)
            current = []
        current.append(line)
    return records + [current]


def judge_together(compiler, programs) -> list:
    """The same for many programs in one translation unit, each in a namespace of its own."""
    includes = sorted({line for program in programs for line in program.read_text().splitlines() if line.startswith("#include <")})
    body = [f'namespace {program.stem} {{\n#include "{program}"\n}}' for program in programs]
    with tempfile.TemporaryDirectory() as scratch:
        source = pathlib.Path(scratch) / "all.cpp"
        source.write_text("\n".join(includes + body) + "\n")
        fine, text = compile_it(compiler, source)
    result = []
    for program in programs:
        its_own = [record for record in diagnostics(text) if any(f"/{program.name}:" in line for line in record)]
        error = next((line for record in its_own[:1] for line in record if ": error: " in line), "nothing")
        if program.stem == "right":
            result.append("\n".join(its_own[0]) if its_own else "")
        else:
            result.append("" if sentence_of(program) in error else f'instead of "{sentence_of(program)}" it says: {error}')
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compiler", action="append")
    parser.add_argument("--each", action="store_true")
    parser.add_argument("programs", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    compilers = options.compiler or [name for name in ("g++", "clang++-19") if shutil.which(name)]
    programs = [program.resolve() for program in options.programs] or sorted(HERE.glob("*.cpp"))
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        if options.each:
            problems = [list(pool.map(lambda program, name=name: judge_alone(name, program), programs)) for name in compilers]
        else:
            problems = pool.map(lambda name: judge_together(name, programs), compilers)
        for compiler, its_own in zip(compilers, problems):
            for program, problem in zip(programs, its_own):
                passed, failed = passed + (not problem), failed + bool(problem)
                print(f"{'FAILED' if problem else 'ok':<7} {program.stem}, {compiler}{': ' + problem if problem else ''}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
