"""A real language model on this machine answers: alone, and as the model of an agent.

The model comes with `scripts/local-model install`; without it everything here is skipped.
AGENT_LIGHTNING_LOCAL_MODEL=install installs it first.
"""

import http.client
import json
import os
import pathlib
import select
import subprocess
import time
import unittest
from urllib.parse import urlsplit

from support.server import Server

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts/local-model"
INSTALL_TIMEOUT_S = 600
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 10
# Generous, since a sanitized build and other work may share the cores with the model.
ANSWER_TIMEOUT_S = 300


def setUpModule():
    if os.environ.get("AGENT_LIGHTNING_LOCAL_MODEL") == "install":
        subprocess.run([SCRIPT, "install"], timeout=INSTALL_TIMEOUT_S, check=True)
        return
    if subprocess.run([SCRIPT, "status"], stdout=subprocess.DEVNULL, timeout=60, check=False).returncode != 0:
        raise unittest.SkipTest(
            "not installed: scripts/local-model install, or AGENT_LIGHTNING_LOCAL_MODEL=install, gets the local model"
        )


class LocalModel:
    """The model's server on a free port. `settings` are those with which agent-lightning uses it."""

    def __init__(self):
        self.process = subprocess.Popen([SCRIPT, "serve", "--port", "0"], stdout=subprocess.PIPE, text=True)
        try:
            readable, _, _ = select.select([self.process.stdout], [], [], START_TIMEOUT_S)
            line = self.process.stdout.readline() if readable else ""
            if not line:
                raise AssertionError(f"the model's server did not start (exit code {self.process.poll()})")
            self.settings = dict(pair.split("=", 1) for pair in line.split())
        except BaseException:
            self.remove()
            raise
        self.url, self.name = self.settings["OPENAI_BASE_URL"], self.settings["OPENAI_MODEL"]

    def ask(self, text: str, **fields) -> http.client.HTTPResponse:
        url = urlsplit(self.url)
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=ANSWER_TIMEOUT_S)
        body = {"model": self.name, "messages": [{"role": "user", "content": text}], "max_tokens": 24} | fields
        headers = {"Content-Type": "application/json", "Connection": "close"}
        connection.request("POST", url.path + "/chat/completions", json.dumps(body), headers)
        return connection.getresponse()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(STOP_TIMEOUT_S)

    def remove(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class ModelServer(unittest.TestCase):
    def setUp(self):
        self.model = LocalModel()
        self.addCleanup(self.model.remove)

    def test_a_plain_answer(self):
        response = self.model.ask("Name three rivers of Europe.")
        answer = json.loads(response.read())
        self.assertEqual((200, self.model.name), (response.status, answer.get("model")), answer)
        self.assertTrue(answer["choices"][0]["message"]["content"].strip())
        self.assertGreater(answer["usage"]["completion_tokens"], 0)

    def test_a_streamed_answer(self):
        fields = {"stream": True, "stream_options": {"include_usage": True}}
        with self.model.ask("Name three rivers of Europe.", **fields) as response:
            frames = [line[6:].strip() for line in response if line.startswith(b"data: ")]
        self.assertEqual(b"[DONE]", frames.pop())
        chunks = [json.loads(frame) for frame in frames]
        pieces = [choice["delta"].get("content") for chunk in chunks for choice in chunk["choices"]]
        self.assertGreater(len([piece for piece in pieces if piece]), 1)
        self.assertGreater(chunks[-1]["usage"]["completion_tokens"], 0)

    def test_it_ends_in_the_middle_of_an_answer(self):
        with self.model.ask("Tell a long story.", stream=True, max_tokens=4000, ignore_eos=True) as response:
            response.readline()
            begin = time.monotonic()
            self.assertEqual(0, self.model.stop())
            self.assertLess(time.monotonic() - begin, STOP_TIMEOUT_S)

    def test_a_port_that_is_taken(self):
        port = str(urlsplit(self.model.url).port)
        done = subprocess.run(
            [SCRIPT, "serve", "--port", port], capture_output=True, text=True, timeout=START_TIMEOUT_S, check=False
        )
        self.assertEqual((1, ""), (done.returncode, done.stdout))
        self.assertIn("did not start", done.stderr)

    def test_status_knows_whether_it_answers(self):
        command = [SCRIPT, "status", "--port", str(urlsplit(self.model.url).port)]
        said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
        self.assertIn(f"OPENAI_BASE_URL={self.model.url} OPENAI_MODEL={self.model.name}", said)
        self.model.stop()
        said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
        self.assertIn("does not answer", said)


class Agent(unittest.TestCase):
    def setUp(self):
        self.model = LocalModel()
        self.addCleanup(self.model.remove)
        self.server = self.enterContext(Server({"LOG_LEVEL": "error"} | self.model.settings))

    def test_its_answer_comes_from_the_model_and_is_streamed(self):
        question = {"description": "How do I stop SQL injection? Explain it in detail.", "max_attempts": 1}
        question["timeout_seconds"] = ANSWER_TIMEOUT_S
        id = self.server.api("POST", "/agents/security_expert/tasks", question, 201)["id"]
        task = self.server.ended(id, ANSWER_TIMEOUT_S)
        self.assertEqual("completed", task["status"], task)
        result = task["result"]
        self.assertEqual(("openai", self.model.name), (result["provider"], result["model"]), result)
        self.assertTrue(result["text"].strip(), result)
        self.assertGreater(result["input_tokens"], 0)
        self.assertGreater(result["output_tokens"], 0)

        # Had the answer come in one piece, no event would hold the beginning of it. A progress needs an answer of more
        # than a second; that question takes the model longer.
        events = self.server.api("GET", f"/events/replay?kind=task&aggregate_id={id}&limit=500")["events"]
        so_far = [event["data"]["progress"]["text"] for event in events if event["channel"] == "task:progress"]
        self.assertTrue(any(0 < len(text) < len(result["text"]) for text in so_far), so_far)
        for text in so_far:
            self.assertTrue(result["text"].startswith(text.strip()), (text, result["text"]))


if __name__ == "__main__":
    unittest.main()
