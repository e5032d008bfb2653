"""Runs the unittest modules of a folder, several at a time, each in a process of its own.

    scripts/python_tests.py FOLDER PATTERN JOBS

Most of them wait for servers, so more than there are cores can run. What a module has to say is shown when it ends; of
those that passed only when they run one by one.
"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time


def count_tests(said: str) -> int | None:
    """How many there were, a class that was skipped as a whole as one; None: it did not come to its end."""
    ran = re.search(r"^Ran (\d+) tests?", said, re.MULTILINE)
    skipped = re.search(r"^OK \(skipped=(\d+)\)", said, re.MULTILINE)
    if ran is None:
        return None
    return int(ran[1]) or (int(skipped[1]) if skipped else 0)


def run(module: pathlib.Path, shows_all: bool) -> tuple[str, bool, int]:
    """What it said, whether all passed, and how many tests there were."""
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "unittest", module.stem],
        env=os.environ | {"PYTHONPATH": f"{os.environ.get('PYTHONPATH', '')}:{module.parent}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    count = count_tests(done.stdout)
    # A module without tests ends well, or not, depending on Python's version.
    passed = done.returncode == 0 and count is not None
    head = f"--- {module.stem}: {'ok' if passed else 'FAILED'}, {time.monotonic() - begun:.0f} s\n"
    return head + (done.stdout if shows_all or not passed else ""), passed, count or 0


def main() -> int:
    folder, pattern, jobs = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    modules = sorted(folder.glob(pattern))
    begun, tests, failed = time.monotonic(), 0, []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        ends = pool.map(lambda module: run(module, jobs == 1), modules)
        for module, (said, passed, count) in zip(modules, ends, strict=True):
            print(said, end="", flush=True)
            tests += count
            failed += [] if passed else [module.stem]
    print(f"Ran {tests} tests of {len(modules)} modules in {time.monotonic() - begun:.0f} s")
    print(f"FAILED ({', '.join(failed)})" if failed or not tests else "OK")
    return 1 if failed or not tests else 0


def self_test() -> None:
    cases = {
        "Ran 3 tests in 0.1s\n\nOK\n": 3,
        "Ran 3 tests in 0.1s\n\nOK (skipped=2)\n": 3,
        "Ran 1 test in 0.1s\n\nFAILED (failures=1)\n": 1,
        "Ran 0 tests in 0.1s\n\nOK (skipped=1)\n": 1,
        "Ran 0 tests in 0.1s\n\nNO TESTS RAN\n": 0,
        "Segmentation fault\n": None,
    }
    for said, expected in cases.items():
        assert count_tests(said) == expected, (said, count_tests(said))


if __name__ == "__main__":
    sys.exit(self_test() if sys.argv[1:] == ["--self-test"] else main())
