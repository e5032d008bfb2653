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
    counted = re.search(r"^Ran (\d+) tests?", done.stdout, re.MULTILINE)
    # A module without tests ends well, or not, depending on Python's version.
    passed = done.returncode == 0 and counted is not None
    head = f"--- {module.stem}: {'ok' if passed else 'FAILED'}, {time.monotonic() - begun:.0f} s\n"
    return head + (done.stdout if shows_all or not passed else ""), passed, int(counted[1]) if counted else 0


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


if __name__ == "__main__":
    sys.exit(main())
