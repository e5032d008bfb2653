#!/usr/bin/env python3
"""Adds up the results that test programs with many cases leave: test_counts.py <label> <folder>."""

import json
import pathlib
import sys


def main() -> int:
    label, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    reports = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    cases = sum(report["tests"] for report in reports)
    failures = sum(report["failures"] + report["errors"] for report in reports)
    print(f"{label} grouped: {cases} cases in {len(reports)} programs, {failures} failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
