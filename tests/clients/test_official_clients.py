"""The clients that OpenAI and Anthropic publish for Python and Node, unmodified, against our endpoints.

Their packages are fetched once, in fixed versions, into build/clients. Without a package registry a test is skipped and
says so.
"""

import json
import shutil
import subprocess
import sys
import unittest

from packages import BUILD, HERE, installed
from support.cases import ProviderTest
from support.provider import Answer, Fault, ToolCall

PYTHON_PACKAGES = ("openai==3.54.0", "anthropic==2.12.0")
NODE_PACKAGES = ("openai@6.49.0", "@anthropic-ai/sdk@1.12.0")
EMBEDDING = 1536
EXPECTED = {
    "openai plain": ["Hello to you", True, True],
    "openai stream": "one two three",
    "openai tools": ["weather", {"city": "Bern"}],
    "openai embeddings": EMBEDDING,
    "openai models": True,
    "openai 429": ["RateLimitError", 429],
    "openai 400": ["BadRequestError", 400],
    "openai 401": ["AuthenticationError", 401],
    "anthropic plain": ["Hello to you", True, True],
    "anthropic stream": "one two three",
    "anthropic tools": ["weather", {"city": "Bern"}],
    "anthropic count": True,
    "anthropic 429": ["RateLimitError", 429],
    "anthropic 400": ["BadRequestError", 400],
    "anthropic 401": ["AuthenticationError", 401],
}
SCRIPT = (
    Answer("Hello to you", unknown=True),
    Answer("one two three"),
    ToolCall("weather", {"city": "Bern"}),
    Fault(429),
    Fault(400, message="too strange"),
)


class OfficialClients(ProviderTest):
    maxDiff = None

    def check(self, *command: str) -> None:
        self.provider.play(*SCRIPT, *SCRIPT)
        url, before = self.server.urls["ai-model"], len(self.provider.calls)
        done = subprocess.run(
            [*command, url + "/v1", url, self.server.token], capture_output=True, text=True, timeout=120, check=False
        )
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(EXPECTED, json.loads(done.stdout))
        self.assertEqual([], self.provider.refused())
        self.assertIn("x_unknown", str(self.provider.calls[before].body))

    def test_for_python(self):
        environment = BUILD / "python"
        python = environment / "bin" / "python"
        if not installed(
            BUILD / "python.installed",
            PYTHON_PACKAGES,
            [sys.executable, "-m", "venv", str(environment)],
            [str(python), "-m", "pip", "install", "--quiet", *PYTHON_PACKAGES],
        ):
            self.skipTest("the packages openai and anthropic cannot be had from PyPI here")
        self.check(str(python), str(HERE / "use_python.py"))

    def test_for_node(self):
        if not shutil.which("npm"):
            self.skipTest("there is no npm here")
        folder = BUILD / "node"
        if not installed(
            BUILD / "node.installed",
            NODE_PACKAGES,
            ["npm", "install", "--silent", "--prefix", str(folder), *NODE_PACKAGES],
        ):
            self.skipTest("the packages openai and @anthropic-ai/sdk cannot be had from npm here")
        # Modules are looked for beside the file that imports them.
        shutil.copy(HERE / "use_node.mjs", folder)
        self.check("node", str(folder / "use_node.mjs"))


if __name__ == "__main__":
    unittest.main()
