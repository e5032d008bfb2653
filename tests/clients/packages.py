"""Packages from public registries, fetched once in fixed versions into build/clients."""

import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parents[1] / "build" / "clients"
INSTALL_TIMEOUT_S = 300


def installed(mark: pathlib.Path, versions: tuple[str, ...], *commands: list[str]) -> bool:
    """Whether they are there; `mark` is the file that says so of these versions."""
    if mark.exists() and mark.read_text() == repr(versions):
        return True
    mark.parent.mkdir(parents=True, exist_ok=True)
    for command in commands:
        if subprocess.run(command, capture_output=True, timeout=INSTALL_TIMEOUT_S, check=False).returncode != 0:
            return False
    mark.write_text(repr(versions))
    return True
