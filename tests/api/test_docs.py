"""The examples of the documentation, run as a reader would run them: pasted into one shell, from top to bottom.

`sh` blocks run. Blocks with another info string (`console` for commands that must not run, `text`, `json`) and blocks
without one are only shown.
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import unittest

from support.cases import ServerTest
from support.server import BINARY

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "docs/api.md",
    ROOT / "docs/agents.md",
    ROOT / "docs/troubleshooting.md",
    *sorted((ROOT / "docs/services").glob("*.md")),
]
PAGE_TIMEOUT_S = 120
OUTPUT_TAIL = 4000
FENCE = re.compile(r" {0,3}(`{3,}|~{3,})\s*(.*?)\s*$")
# The first line of a page is never in a block, so that the shell can be prepared there without moving a line.
PROLOGUE = "set -euo pipefail; trap 'echo $LINENO >&3' DEBUG"
END_MARK = "the page was run to its end"
# How the sources of `doctor` name what a finding is about; a trailing blank: the name of one of several follows.
SUBJECT = re.compile(r'(?:\b(?:ok|warning|error), |\bsubject = |\breturn )"([a-z]+(?: [a-z]+)*)( ?)"')


def blocks(text: str) -> list[tuple[str, int, list[str]]]:
    """Info string, number of the first line inside, and lines of each fenced block."""
    found, fence = [], None
    for number, line in enumerate(text.splitlines(), 1):
        match = FENCE.match(line)
        if fence is None and match:
            fence = match.group(1)
            found.append((match.group(2), number + 1, []))
        elif fence is not None and match and match.group(1).startswith(fence) and not match.group(2):
            fence = None
        elif fence is not None:
            found[-1][2].append(line)
    if fence is not None:
        raise AssertionError(f"the block that begins at line {found[-1][1]} has no end")
    return found


def script_of(text: str) -> str:
    """The `sh` blocks at their own line numbers, all else blank; empty when there is none."""
    lines = [""] * len(text.splitlines())
    for info, first, content in blocks(text):
        if info == "sh":
            lines[first - 1 : first - 1 + len(content)] = content
    if not any(lines):
        return ""
    lines[0] = PROLOGUE
    return "\n".join([*lines, f"echo {END_MARK!r}", ""])


def careless_curls(text: str) -> list[int]:
    """Lines of commands with a curl that would take an error of the server for a success."""
    found = []
    for info, first, content in blocks(text):
        command, begin = "", first
        for number, line in enumerate(content, first) if info == "sh" else ():
            command += line
            if line.endswith("\\"):
                continue
            if len(re.findall(r"(?<![\w/.-])curl\s", command)) > command.count("--fail-with-body"):
                found.append(begin)
            command, begin = "", number + 1
    return found


def run_page(page: pathlib.Path, environment: dict[str, str], directory: str, timeout: float = PAGE_TIMEOUT_S) -> str:
    """Runs the page's blocks in one shell; answers what they printed. AssertionError names file and line."""
    text = page.read_text(encoding="utf-8")
    name = page.relative_to(ROOT) if page.is_relative_to(ROOT) else page.name
    if careless := careless_curls(text):
        raise AssertionError(f"{name}:{careless[0]}: curl needs --fail-with-body here")
    script = script_of(text)
    if not script:
        return ""
    with tempfile.TemporaryFile() as output, tempfile.NamedTemporaryFile("w+", suffix=".sh") as file:
        file.write(script)
        file.flush()
        code, line = run_script(file.name, environment, directory, output, timeout)
        output.seek(0)
        printed = output.read().decode(errors="replace")
    why = "timed out" if code is None else f"ended with exit code {code}"
    if code != 0 or not printed.endswith(END_MARK + "\n"):
        start = max((first for info, first, _ in blocks(text) if info == "sh" and first <= line), default=line)
        raise AssertionError(f"{name}:{line}: {why} (block at line {start})\n{printed[-OUTPUT_TAIL:]}")
    return printed.removesuffix(END_MARK + "\n")


def run_script(script: str, environment: dict[str, str], directory: str, output, timeout: float):
    """Exit code (None: it took too long) and the line that was reached."""
    with tempfile.TemporaryFile("w+") as lines:
        process = subprocess.Popen(
            ["bash", "-c", 'exec 3>&"$1"; exec bash "$0"', script, str(lines.fileno())],
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(lines.fileno(),),
            start_new_session=True,
        )
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            code = None
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        lines.seek(0)
        reached = lines.read().split()
    return code, int(reached[-1]) if reached else 1


def topic(subject: str) -> str:
    """The heading of a finding's subject: those of single ports and providers have one together."""
    return re.sub(r"^(port of|provider) .*", lambda match: match[1].split()[0], subject)


def topics_of_doctor() -> set[str]:
    """Of every finding that the sources of `doctor` can make."""
    text = "".join((ROOT / "src/app" / name).read_text() for name in ("doctor.cpp", "doctor_models.cpp"))
    return {topic("".join(match.groups())) for match in SUBJECT.finditer(text)}


class Docs(ServerTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shell_environment = cls.server.environment | {
            "AGENT_LIGHTNING_URL": cls.server.url,
            "AGENT_LIGHTNING_DASHBOARD": cls.server.urls["dashboard"],
            "AGENT_LIGHTNING_TOKEN": cls.server.token,
            "PATH": f"{BINARY.parent}:{os.environ['PATH']}",
        }

    def run_text(self, text: str, timeout: float = PAGE_TIMEOUT_S) -> str:
        with tempfile.TemporaryDirectory() as directory:
            page = pathlib.Path(directory, "page.md")
            page.write_text(text, encoding="utf-8")
            return run_page(page, self.shell_environment, self.server.directory.name, timeout)

    def test_every_example_runs(self):
        self.assertGreater(len(PAGES), 2)
        for page in PAGES:
            with self.subTest(page=str(page.relative_to(ROOT))):
                self.assertTrue(run_page(page, self.shell_environment, self.server.directory.name), "it has no example")

    def test_links_lead_somewhere(self):
        for page in [*PAGES, *(ROOT / "docs").glob("*.md")]:
            for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
                self.assertTrue((page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}")

    def test_the_readme_leads_to_every_page(self):
        linked = set(re.findall(r"\]\(([^)#:]+)", (ROOT / "README.md").read_text(encoding="utf-8")))
        for page in (ROOT / "docs").rglob("*.md"):
            self.assertIn(str(page.relative_to(ROOT)), linked)

    def test_every_setting_is_on_the_page_of_settings(self):
        page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
        example = (ROOT / ".env.example").read_text(encoding="utf-8")
        variables = re.findall(r"^#([A-Z0-9_]+)=", example, re.MULTILINE)
        self.assertGreater(len(variables), 40)
        self.assertEqual([], [variable for variable in variables if f"`{variable}`" not in page])

    def test_every_finding_has_its_section(self):
        findings = json.loads(self.server.run("doctor", "--json").stdout)["findings"]
        topics = topics_of_doctor()
        seen = {topic(finding["subject"]) for finding in findings}
        self.assertLessEqual(seen, topics, "printed, but not found in the sources")
        page = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
        self.assertEqual(set(), topics - set(re.findall(r"^## (.+)$", page, re.MULTILINE)))

    # ---- the runner itself must be able to fail ----

    def assert_fails_at(self, line: int, text: str, says: str = "", timeout: float = PAGE_TIMEOUT_S):
        with self.assertRaisesRegex(AssertionError, rf"(?s)^page\.md:{line}: .*{re.escape(says)}"):
            self.run_text(text, timeout)

    def test_blocks_share_a_shell_and_others_do_not_run(self):
        page = "# T\n\n```sh\nA=1\n```\n```console\nfalse\n```\n\n```\nfalse\n```\n```sh\necho $A $LINENO\n```\n"
        self.assertEqual("1 14\n", self.run_text(page))
        self.assertEqual("", self.run_text("# T\n\n```text\nfalse\n```\n"))

    def test_a_command_that_fails_is_named(self):
        self.assert_fails_at(8, "# T\n\n```sh\necho one\n```\n\n```sh\nfalse\necho two\n```\n", "exit code 1")
        self.assert_fails_at(5, "# T\n\n```sh\necho seen\ncat missing | cat\n```\n", "seen")
        self.assert_fails_at(4, "# T\n\n```sh\nA=$(cat missing)\n```\n", "missing")
        self.assert_fails_at(4, "# T\n\n```sh\necho $NOT_SET\n```\n", "NOT_SET")
        self.assert_fails_at(4, "# T\n\n```sh\nno-such-command\n```\n", "not found")
        self.assert_fails_at(4, "# T\n\n```sh\nagent-lightning agent show nobody_here\n```\n", "nobody_here")

    def test_an_error_of_the_server_is_shown(self):
        page = '# T\n\n```sh\ncurl -sS --fail-with-body \\\n  "$AGENT_LIGHTNING_URL/api/v1/agents"\n```\n'
        self.assert_fails_at(4, page, '"code":"unauthenticated"')

    def test_curl_must_tell_of_errors(self):
        self.assert_fails_at(4, "# T\n\n```sh\ncurl -s $AGENT_LIGHTNING_URL/nothing\n```\n", "--fail-with-body")

    def test_a_page_that_ends_early_or_never_fails(self):
        self.assert_fails_at(4, "# T\n\n```sh\nexit 0\n```\n\n```sh\nfalse\n```\n", "exit code 0")
        self.assert_fails_at(4, "# T\n\n```sh\nsleep 600\n```\n", "timed out", timeout=1)
        with self.assertRaisesRegex(AssertionError, "no end"):
            self.run_text("# T\n\n```sh\ntrue\n")


if __name__ == "__main__":
    unittest.main()
