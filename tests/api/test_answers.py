"""Agents answer from what they know, on both databases: the expected item is among the first two sources, and what
nobody knows gets 'nothing found'."""

import json
import pathlib
import unittest

from support.postgres import Postgres
from support.server import Server

QUESTIONS = json.loads(pathlib.Path(__file__).parent.parent.joinpath("retrieval/questions.json").read_text())
ANSWER_TIMEOUT_S = 60


class Answers(unittest.TestCase):
    def ask_all(self, server, questions):
        """Gives all tasks at once and waits for the results, in the same order."""
        ids = []
        for one in questions:
            task = server.api("POST", f"/agents/{one['agent']}/tasks", {"description": one["question"]}, 201)
            ids.append(task["id"])
        tasks = [server.ended(id, ANSWER_TIMEOUT_S) for id in ids]
        self.assertEqual([], [task for task in tasks if task["status"] != "completed"])
        return [task["result"] for task in tasks]

    def check(self, environment):
        server = self.enterContext(Server({"LOG_LEVEL": "error"} | environment))
        known = QUESTIONS["known"]
        missed = []
        for one, result in zip(known, self.ask_all(server, known)):
            first_two = [source["knowledge_id"] for source in result["sources"][:2]]
            if one["expect"] not in first_two:
                missed.append((one["agent"], one["question"], one["expect"], first_two))
        self.assertLessEqual(len(missed), len(known) // 10, missed)
        unknown = QUESTIONS["unknown"]
        for one, result in zip(unknown, self.ask_all(server, unknown)):
            with self.subTest(question=one["question"]):
                self.assertFalse(result["found"], result)
                self.assertEqual([], result["sources"])
        print(f"\n{len(known) - len(missed)} of {len(known)} expected items among the first two sources")

    def test_sqlite(self):
        self.check({})

    def test_postgres(self):
        postgres = self.enterContext(Postgres())
        self.check({"DATABASE_URL": postgres.create_database("answers")})


if __name__ == "__main__":
    unittest.main()
