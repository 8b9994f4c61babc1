#!/usr/bin/env python3
"""The stages of tools/test, which installs what they need first. See there for the options.

What checks and compiles is one lane, what runs what was built is another beside it: programs under test mostly wait, and what compiles
yields to them.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parent.parent
LOGS = ROOT / "build" / "logs"
JOBS = str(os.cpu_count())
SEEDS = "10000"  # of the simulation, with one compiler; the sanitizers take fewer
SEEDS_SANITIZED = "200"
SEEDS_QUICK = "2000"


def can_be_idle() -> bool:
    """A container may forbid what chrt asks for."""
    return bool(shutil.which("chrt")) and subprocess.run(["chrt", "--idle", "0", "true"], stderr=subprocess.DEVNULL).returncode == 0


# Before a command: it runs when nobody else wants the processor.
YIELDING = ["chrt", "--idle", "0"] if can_be_idle() else ["nice", "-n", "19"]


class Skip(Exception):
    """A stage that cannot run here, and why."""


class Run:
    """What a stage has to do its work: commands go to its log."""

    def __init__(self, log, yields=False):
        self.log = log
        self.yields = yields
        self.passed = self.failed = 0
        self.processor_seconds = 0.0  # of the commands that are over, and of what they started
        self.is_stopped = False

    def command(self, *arguments, environment=None, timeout=1200) -> bool:
        self.log.write(f"$ {' '.join(map(str, arguments))}\n")
        self.log.flush()
        # A group of its own, so that a stage that hangs ends with all that it started; not a session, because the kernel shares the
        # processor out between sessions, and would let nobody yield to one of another (sched_autogroup, sched(7)).
        process = subprocess.Popen([*(YIELDING if self.yields else []), *map(str, arguments)], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=self.log,
                                   stderr=subprocess.STDOUT, env={**os.environ, **{name: str(value) for name, value in (environment or {}).items()}},
                                   process_group=0)
        over = self.wait(process, timeout, lambda: self.is_stopped)
        if not over:
            self.log.write("\nstopped\n" if self.is_stopped else f"\nnot over after {timeout} s\n")
            for how in (signal.SIGTERM, signal.SIGKILL):  # at first it may end what it has started, as ninja does
                os.killpg(process.pid, how)
                if over := self.wait(process, 10):
                    break
            else:
                return False
        status, usage = over
        process.returncode = os.waitstatus_to_exitcode(status)
        self.processor_seconds += usage.ru_utime + usage.ru_stime
        return process.returncode == 0

    @staticmethod
    def wait(process, seconds, is_enough=lambda: False):
        """Its exit status and what it has used, or None if it is not over."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not is_enough():
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                return status, usage
            time.sleep(0.05)
        return None

    def tests(self, preset, *arguments, environment=None) -> bool:
        """ctest, and the test cases of Catch counted singly."""
        start = self.log.tell()
        passed = LOGS / f"passed-{preset}.txt"  # names of test cases, for the stage security
        passed.unlink(missing_ok=True)
        fine = self.command("ctest", "--test-dir", f"build/{preset}", "-V", "-j", JOBS, "--no-tests=error", *arguments,
                            environment={"HUBBUB_PASSED": passed, **(environment or {})})
        self.log.flush()
        text = pathlib.Path(self.log.name).read_text(errors="replace")[start:]
        cases_of = {}
        for number, count in re.findall(r"^(\d+): All tests passed \(.* in (\d+) test cases?\)", text, re.M):
            cases_of[number] = (int(count), 0)
        for number, result in re.findall(r"^(\d+): test cases: *(.*)$", text, re.M):
            count = {word: int(amount) for amount, word in re.findall(r"(\d+) (passed|failed)", result)}
            cases_of[number] = (count.get("passed", 0), count.get("failed", 0))
        for number, outcome in re.findall(r"^ *\d+/\d+ Test +#(\d+): \S+ \.* *(\S.*)$", text, re.M):
            passed, failed = cases_of.get(number, (0, 0))
            if outcome.startswith("Passed"):
                passed = max(passed, 1)
            elif failed == 0:
                failed = 1
            self.passed += passed
            self.failed += failed
        if not fine and self.failed == 0:
            self.failed = 1
        self.repeat_failures(text)
        return fine

    def repeat_failures(self, text):
        """At the end of the log, where it is shown, what the tests that failed have said about it."""
        for number, name in re.findall(r"^ *\d+/\d+ Test +#(\d+): (\S+) \.*\** *(?!.*Passed)\S.*$", text, re.M):
            said = [line.removeprefix(f"{number}: ") for line in text.splitlines() if line.startswith(f"{number}: ")]
            wrong = sorted({near for at, line in enumerate(said) if "FAILED" in line or "due to" in line
                            for near in range(max(0, at - 8), min(len(said), at + 8))})
            self.log.write(f"== {name}\n" + "".join(said[at] + "\n" for at in (wrong or range(max(0, len(said) - 20), len(said)))[:50]))
        self.log.flush()


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Skip(f"there is no {program}")


def sources(*folders):
    return sorted(path for folder in folders for kind in ("*.hpp", "*.cpp") for path in (ROOT / folder).rglob(kind)
                  if "/mutants/" not in path.as_posix())


def build(run, preset, *options) -> bool:
    return run.command("cmake", "--preset", preset, *options) and run.command("cmake", "--build", f"build/{preset}", "-j", JOBS, timeout=3600)


def stage_format(run):
    need("clang-format-19")
    files = sources("include", "tests", "examples", "benchmarks")
    if subprocess.run(["clang-format-19", "--dry-run", "-Werror", *files], stderr=subprocess.DEVNULL).returncode == 0:
        return True
    wrong = [path.relative_to(ROOT).as_posix() for path in files
             if subprocess.run(["clang-format-19", "--dry-run", "-Werror", path], stderr=subprocess.DEVNULL).returncode != 0]
    run.log.write(f"{len(wrong)} of {len(files)} files have another form. Repair: clang-format-19 -i {' '.join(wrong)}\n")
    return False


def stage_layout(run):
    return (run.command("python3", "tools/check_layout.py", "--self-test") and run.command("python3", "tools/check_layout.py")
            and run.command("tools/live_page", "--check"))


def stage_docs(run):
    return (run.command("python3", "tools/check_docs.py", "--self-test") and run.command("python3", "tools/check_docs.py")
            and run.command("tools/check_dashboard.py", "--self-test") and run.command("tools/check_dashboard.py"))


def stage_events(run):
    """Each event that the headers tell has its level and its explanation."""
    return run.command("tools/check_events.py", "--self-test") and run.command("tools/check_events.py")


def stage_reference(run):
    need("doxygen")
    return run.command("tools/reference")


def stage_wrong(run):
    """Wrong programs: each gets its sentence, from both compilers."""
    return run.command("python3", "tests/wrong/run.py")


def stage_build_clang(run):
    # The suites are built with clang once, with the AddressSanitizer; here is what the sanitizers leave out. It comes first because the
    # programs of tests/integration take longest to run.
    need("clang++-19")
    return build(run, "clang", "-DHUBBUB_BUILD_TESTS=ON", "-DHUBBUB_TEST_PARTS=programs")


def stage_build_gcc(run):
    # Examples, benchmarks and the programs of tests/integration are built with clang. g++ parses all examples, and builds two, as a
    # user would: the test consume_examples. It parses unit tests that take long, such as those of whole hubs, too; what a hub does when
    # g++ has compiled it is seen by the suites contract, conformance, simulation and callbacks.
    need("g++")
    return build(run, "gcc", "-DHUBBUB_BUILD_EXAMPLES=OFF", "-DHUBBUB_BUILD_BENCHMARKS=OFF", "-DHUBBUB_TEST_PARTS=suites",
                 "-DHUBBUB_PARSE_HUBS=ON")


def stage_build_asan(run):
    need("clang++-19")
    return build(run, "asan", "-DHUBBUB_TEST_PARTS=suites;fuzz")


# What has more than one thread; in the rest, which AddressSanitizer runs all of, there is nothing to race with.
THREADED = ("unit", "contract", "conformance")


def stage_build_tsan(run):
    need("clang++-19")
    return run.command("cmake", "--preset", "tsan", "-DHUBBUB_TEST_PARTS=suites") and run.command(
        "cmake", "--build", "build/tsan", "-j", JOBS, "--target", *(f"hubbub_{name}_tests" for name in THREADED), timeout=3600)


def stage_headers(run):
    return run.command("tools/check_headers.py", "--self-test") and run.command("tools/check_headers.py")


def stage_tidy(run):
    need("clang-tidy-19")
    return run.command("python3", "tools/check_tidy.py")


QUICK_SUITES = ("unit", "contract", "conformance", "simulation")


def stage_build_quick(run):
    # clang needs half the time of g++.
    preset = "clang" if shutil.which("clang++-19") else "gcc"
    return run.command("cmake", "--preset", preset, "-B", "build/quick", "-DHUBBUB_BUILD_EXAMPLES=OFF", "-DHUBBUB_BUILD_BENCHMARKS=OFF",
                       "-DHUBBUB_TEST_PARTS=suites") and run.command(
        "cmake", "--build", "build/quick", "-j", JOBS, "--target", *(f"hubbub_{name}_tests" for name in QUICK_SUITES))


def stage_test_quick(run):
    return run.tests("quick", "-L", f"^({'|'.join(QUICK_SUITES)})$", environment={"HUBBUB_SEEDS": SEEDS_QUICK})


def stage_test_clang(run):
    return run.tests("clang")


def stage_integration(run):
    return run.command("tests/integration/run.sh", "build/clang", "beside")


def stage_test_gcc(run):
    # Layout was a stage of its own.
    return run.tests("gcc", "-E", "^layout", environment={"HUBBUB_SEEDS": SEEDS})


def stage_test_asan(run):
    return run.tests("asan", "-LE", "static|consume|fuzz|integration", environment={
        "HUBBUB_SEEDS": SEEDS_SANITIZED, "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1",
        "UBSAN_OPTIONS": "print_stacktrace=1"})


def stage_test_tsan(run):
    # Conformance over memory has one thread, and takes longest.
    return run.tests("tsan", "-R", "^(unit|contract|conformance_.*)$", environment={
        "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1"})


def stage_fuzz(run, seconds=6):
    programs = sorted(path for path in (ROOT / "build/asan/tests").glob("hubbub_*_fuzz") if os.access(path, os.X_OK))
    if not programs:
        raise Skip("there are no fuzz programs in build/asan")

    def fuzz(program):
        name = program.name.removeprefix("hubbub_").removesuffix("_fuzz")
        found = ROOT / "build/fuzz" / name
        found.mkdir(parents=True, exist_ok=True)
        corpus = [ROOT / "tests/fuzz/corpus" / name]
        return run.command(program, f"-max_total_time={seconds}", f"-artifact_prefix={found}/", "-print_final_stats=1", found,
                           *filter(pathlib.Path.exists, corpus), timeout=seconds + 60)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:  # each has one thread
        return all(list(pool.map(fuzz, programs)))


def stage_bench(run):
    if not (ROOT / "build/clang/benchmarks/hubbub_limit_server").exists():
        raise Skip("there is no load server in build/clang")
    # Not for the figures: that everything arrives, once, in order and whole.
    return run.command("python3", "tools/bench", "--build", "build/clang", "--no-build", "--repetitions", "1", "--seconds", "0.2",
                       "--warmup", "0.1", "--rows", "P1,P3,P4,P5", "--verify", "--output", "build/bench/smoke.json")


def stage_guard(run):
    """Instructions, allocations and system calls against the committed baseline."""
    need("valgrind", "g++")
    return run.command("tools/guard", "--self-test") and run.command("tools/guard", "--build", "build/clang")


def stage_mutants(run):
    script = ROOT / "tests/mutants/run.py"
    if not script.exists():
        raise Skip("there is no tests/mutants/run.py")
    return run.command("python3", script)


def stage_integration_alone(run):
    """When nothing else runs: it looks at processor time and memory."""
    return run.command("tests/integration/run.sh", "build/clang", "alone")


def stage_security(run):
    """Each promise of docs/security.md names tests: they ran and passed."""
    return run.command("tools/check_security.py", "--self-test") and run.command("tools/check_security.py")


STAGES = {name.removeprefix("stage_").replace("_", "-"): function for name, function in list(globals().items())
          if name.startswith("stage_")}
QUICK = ["layout", "build-quick", "test-quick"]
WHOLE = [name for name in STAGES if not name.endswith("-quick")]
# The second lane, and what each of its stages runs or reads.
NEEDS = {"test-clang": ["build-clang"], "integration": ["build-clang"], "bench": ["build-clang"], "guard": ["build-clang"],
         "test-quick": ["build-quick"], "test-gcc": ["build-gcc"], "test-asan": ["build-asan"], "fuzz": ["build-asan"], "test-tsan": ["build-tsan"], "mutants": [], "integration-alone": [],
         "security": ["test-gcc", "test-asan", "integration", "integration-alone"]}
NEEDS["integration-alone"] = [name for name in WHOLE if name not in NEEDS]  # all of the first


class Stages:
    """The stages that are wanted, and what became of them."""

    def __init__(self, wanted, keeps_going):
        self.keeps_going = keeps_going
        self.lanes = [[name for name in wanted if name not in NEEDS], [name for name in wanted if name in NEEDS]]
        self.has_ended = {name: threading.Event() for name in wanted}
        self.rows = {name: (name, "not run", 0, 0, "") for name in wanted}
        self.passed = self.failed = 0
        self.running = set()
        self.is_stopped = False
        self.lock = threading.Lock()

    def run(self):
        threads = [threading.Thread(target=self.run_lane, args=each) for each in zip(self.lanes, (bool(self.lanes[1]), False))]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        except KeyboardInterrupt:
            self.stop()
            for thread in threads:
                thread.join()

    def run_lane(self, lane, yields):
        try:
            self.run_in_order(lane, yields)
        finally:  # nobody waits for what will not be
            for name in lane:
                self.has_ended[name].set()

    def run_in_order(self, lane, yields):
        for name in lane:
            needs = [need for need in NEEDS.get(name, []) if need in self.has_ended]
            for need in needs:
                self.has_ended[need].wait()
            if self.is_stopped:
                break
            if missing := [need for need in needs if need.startswith("build-") and self.rows[need][1] != "ok"]:
                self.end(name, "skipped", 0, 0, f"no {missing[0]}")
            else:
                self.run_stage(name, yields)

    def run_stage(self, name, yields):
        print(f"== {name}", flush=True)
        began = time.monotonic()
        with open(LOGS / f"{name}.log", "w+") as log:
            run = Run(log, yields)
            with self.lock:
                self.running.add(run)
                run.is_stopped = self.is_stopped
            try:
                outcome, remark = ("ok" if STAGES[name](run) else "FAILED"), ""
            except Skip as reason:
                outcome, remark = "skipped", str(reason)
            except Exception:
                outcome, remark = "FAILED", ""
                traceback.print_exc(file=log)
            with self.lock:
                self.running.discard(run)
        if run.is_stopped:
            return
        if not remark:
            if run.passed + run.failed == 0:
                run.passed, run.failed = (1, 0) if outcome == "ok" else (0, 1)
            remark = f"{run.passed} passed" + (f", {run.failed} failed" if run.failed else "")
        with self.lock:
            self.passed += run.passed
            self.failed += run.failed
        self.end(name, outcome, time.monotonic() - began, run.processor_seconds, remark)
        if outcome == "FAILED" and not self.keeps_going:
            self.stop()

    def end(self, name, outcome, seconds, used, remark):
        self.rows[name] = (name, outcome, round(seconds), round(used), remark)
        with self.lock:
            if outcome == "FAILED":
                lines = (LOGS / f"{name}.log").read_text(errors="replace").splitlines()
                print("\n".join(lines[-60:]))
                print(f"-- the end of build/logs/{name}.log")
            print(f"   {name}: {outcome} after {seconds:.0f} s, {remark}", flush=True)
        self.has_ended[name].set()

    def stop(self):
        with self.lock:
            self.is_stopped = True
            for run in self.running:
                run.is_stopped = True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", action="append", choices=list(STAGES), metavar="STAGE")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--keep-going", action="store_true")
    parser.add_argument("--packages-seconds", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.list:
        print("\n".join(f"{name}{'  (quick)' if name in QUICK else ''}" for name in STAGES))
        return 0
    LOGS.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what it has started ends with it
    began = time.monotonic()
    stages = Stages(options.only or (QUICK if options.quick else WHOLE), options.keep_going)
    stages.run()
    print()
    rows = [("packages", "ok", options.packages_seconds, 0, ""), *stages.rows.values()]
    for name, outcome, seconds, used, remark in rows:
        print(f"{name:<14} {outcome:<8} {seconds:>5} s  {used:>5} s of a core  {remark}")
    total = round(time.monotonic() - began) + options.packages_seconds
    print(f"{'all':<14} {'':<8} {total:>5} s  {sum(row[3] for row in rows):>5} s of a core\n")
    print(f"{stages.passed} passed, {stages.failed} failed")
    return 1 if stages.failed or stages.is_stopped else 0


if __name__ == "__main__":
    sys.exit(main())
