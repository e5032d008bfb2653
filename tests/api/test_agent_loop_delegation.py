"""Agents that give work to others, and wait for it."""

import json
import unittest
from typing import ClassVar

from support.agent_loop import LoopTest
from support.conversation import delegate, results_of, tool_names
from support.provider import Answer, Fault, Hang, ToolCall


class Delegation(LoopTest):
    """Agents that give work to others."""

    def clerk(self, **config):
        return self.agent({"tools": ["delegate"]} | config)

    def test_the_answer_of_another_agent_comes_back(self):
        parent, child = self.clerk(), self.agent(specialization="ferries")
        work = self.script(Answer("At noon."))
        id, mark = self.ask(parent, delegate(child, f"{work} When?"), Answer("They say at noon."))
        self.assertEqual("They say at noon.", self.ended(id)["result"]["text"])
        (task,) = self.children(id, child)
        self.assertEqual((f"{work} When?", "completed"), (task["description"], task["status"]))
        first, second = self.calls(mark)
        self.assertEqual(["delegate"], tool_names(first))
        self.assertIn(f"{child}: ferries", json.dumps(first.fields["tools"]))
        self.assertNotIn(f"{parent}:", json.dumps(first.fields["tools"]))
        self.assertEqual(["At noon."], results_of(second))
        (question,) = self.calls(work)
        self.assertNotIn(mark, question.body.decode(), "the child sees only what it was told")
        self.assertEqual(["retrieve", "prompt", "model", "delegate", "tool", "model"], self.kinds(id))
        self.assertEqual(task["id"], self.steps(id, "delegate")[0]["detail"]["task_id"])

    def test_many_pieces_of_work_are_done_each_once(self):
        parent, child = self.clerk(), self.agent()
        works = [self.script(Answer(f"answer {number}")) for number in range(3)]
        id, mark = self.ask(parent, [delegate(child, work) for work in works], Answer("done"))
        self.ended(id)
        self.assertEqual(["answer 0", "answer 1", "answer 2"], results_of(self.calls(mark)[1]))
        self.assertEqual(3, len(self.children(id, child)))

    def test_the_same_id_of_a_call_in_two_answers_is_two_pieces_of_work(self):
        """Ids are unique within an answer only: some compatible servers count them from the same start each time."""
        parent, child = self.clerk(), self.agent()
        first, second = self.script(Answer("the first")), self.script(Answer("the second"))
        calls = delegate(child, first, id="call_0"), delegate(child, second, id="call_0")
        id, mark = self.ask(parent, *calls, Answer("done"))
        self.ended(id)
        self.assertEqual(["the second"], results_of(self.calls(mark)[2]))
        self.assertEqual(2, len(self.children(id, child)))

    def test_the_same_id_of_two_calls_in_an_answer_is_two_pieces_of_work(self):
        parent, child = self.clerk(), self.agent()
        works = [self.script(Answer(f"answer {number}")) for number in range(2)]
        id, mark = self.ask(parent, [delegate(child, work, id="same") for work in works], Answer("done"))
        self.ended(id)
        self.assertEqual(["answer 0", "answer 1"], results_of(self.calls(mark)[1]))
        self.assertEqual(2, len(self.children(id, child)))

    def test_who_is_not_there_or_waits_already_is_refused(self):
        me, other = self.clerk(), self.clerk()
        back = self.script(delegate(me, "nobody asks this"), Answer("I could not ask back."))
        tries = [
            delegate("nobody_here", "x"),
            delegate(me, "x"),
            ToolCall("delegate", {"agent_id": other}),
            ToolCall("delegate", {"agent_id": "No Slug!", "task": "x"}),
            delegate(other, back),
        ]
        id, mark = self.ask(me, tries, Answer("done"))
        self.ended(id)
        for wanted, answer in zip(
            ("nobody_here", "waiting for this answer", "task a text", "must be the id", "I could not ask back."),
            results_of(self.calls(mark)[1]),
            strict=True,
        ):
            self.assertIn(wanted, answer)
        self.assertIn("waiting for this answer", results_of(self.calls(back)[1])[0])
        self.assertEqual([], self.children(id, me))

    def test_work_is_not_delegated_for_ever(self):
        agents = [self.clerk() for _ in range(5)]
        last = mark = self.script(Answer("nobody gets here"))
        marks = []
        for agent in reversed(agents[1:]):
            mark = self.script(delegate(agent, mark), Answer("done"))
            marks.insert(0, mark)
        id = self.api("POST", f"/agents/{agents[0]}/tasks", {"description": marks[0]}, 201)["id"]
        self.ended(id)
        self.assertIn("delegated 3 times", results_of(self.calls(marks[3])[1])[0])
        self.assertEqual([], self.calls(last))

    def test_a_child_that_fails_is_an_answer_too(self):
        parent, child = self.clerk(), self.agent()
        work = self.script(Fault(400, message="too hard"))
        id, mark = self.ask(parent, delegate(child, work), Answer("They could not."))
        self.assertEqual("They could not.", self.ended(id)["result"]["text"])
        (answer,) = results_of(self.calls(mark)[1])
        self.assertIn("could not do it", answer)
        self.assertIn("too hard", answer)

    def test_a_child_that_hangs_leaves_its_parent_time_to_say_so(self):
        parent, child = self.clerk(), self.agent()
        work = self.script(Hang())
        # Long enough that the sweep, which comes every two seconds, finds the child in its second attempt.
        id, mark = self.ask(parent, delegate(child, work), Answer("They do not answer."), timeout_seconds=6)
        task = self.ended(id)
        self.assertEqual(("They do not answer.", 1), (task["result"]["text"], task["attempt"]))
        self.assertEqual(1, len(results_of(self.calls(mark)[1])))
        (waiting,) = self.children(id, child)
        self.ended(waiting["id"], "cancelled")

    def test_a_child_that_needs_longer_than_an_attempt_is_waited_for_by_the_next(self):
        """The work goes on meanwhile: given out anew it would be done, and paid for, twice."""
        parent, child = self.clerk(), self.agent()
        # The first attempt of the child takes 2 s, the second ends after the 3 s that its parent can wait.
        work = self.script(Hang(), Answer("At noon.", delay_s=1.2))
        script = (delegate(child, work), Hang(), lambda call: Answer("They say: " + " ".join(results_of(call))))
        id, mark = self.ask(parent, *script, timeout_seconds=4)
        task = self.ended(id)
        self.assertEqual(("They say: At noon.", 2), (task["result"]["text"], task["attempt"]))
        self.assertIn("no time left", results_of(self.calls(mark)[1])[0])
        self.assertEqual([True, False], [step["detail"]["gave_up"] for step in self.steps(id, "tool")])
        self.assertEqual(1, len(self.children(id, child)))

    def test_work_that_nobody_can_wait_for_is_given_out_by_the_next_attempt(self):
        parent, child = self.clerk(), self.agent()
        work = self.script(Answer("At noon."))
        first = Answer("", tools=(delegate(child, work),), delay_s=2.5)
        id, mark = self.ask(parent, first, Hang(), Answer("They say at noon."), timeout_seconds=3)
        self.assertEqual(2, self.ended(id)["attempt"])
        self.assertEqual(["At noon."], results_of(self.calls(mark)[2]))
        self.assertEqual([2], [step["attempt"] for step in self.steps(id, "delegate")])
        self.assertEqual(1, len(self.children(id, child)))

    def test_what_was_delegated_ends_with_who_delegated_it(self):
        parent, child = self.clerk(), self.agent()
        work = self.script(Hang())
        id, _ = self.ask(parent, delegate(child, work), Answer("never said"))
        call = self.wait_for_call(work)
        self.api("POST", f"/tasks/{id}/cancel")
        try:
            self.provider.wait_until(lambda: call.left_at, 2)
        except AssertionError:
            for task in self.children(id, child):
                self.api("POST", f"/tasks/{task['id']}/cancel")
            self.fail("nobody waits for the answer, and it is still being paid for")
        self.ended(self.children(id, child)[0]["id"], "cancelled")

    def test_agents_that_wait_for_each_other_leave_each_other_room(self):
        """Each may run one task at a time, and each is waiting: what it is asked meanwhile must still be done."""
        agents = [self.agent({"tools": ["delegate"]}, max_concurrency=1) for _ in range(2)]
        works = [self.script(Answer("here you are")) for _ in agents]
        asked = []
        for number, agent in enumerate(agents):
            first = Answer("", tools=(delegate(agents[1 - number], works[number]),), delay_s=0.5)  # both run by then
            asked.append(self.ask(agent, first, Answer("done"), timeout_seconds=5, max_attempts=1))
        for id, mark in asked:
            self.ended(id)
            self.assertEqual(["here you are"], results_of(self.calls(mark)[1]))


class Narrow(LoopTest):
    """A worker with a place for one task."""

    stage_name = "narrow"
    environment: ClassVar = {"WORKER_CONCURRENCY": "1"}

    def test_who_waits_leaves_its_place(self):
        agents = [self.agent({"tools": ["delegate"]}) for _ in range(3)]
        last = self.script(Answer("from the third"))
        middle = self.script(delegate(agents[2], last), lambda call: Answer("via " + results_of(call)[0]))
        id, _ = self.ask(agents[0], delegate(agents[1], middle), lambda call: Answer("via " + results_of(call)[0]))
        task = self.ended(id)
        self.assertEqual(("via via from the third", 1), (task["result"]["text"], task["attempt"]))

    def test_many_who_wait_do_not_block_what_they_wait_for(self):
        parent, child = self.agent({"tools": ["delegate"]}), self.agent()
        asked = []
        for _ in range(7):
            work = self.script(Answer("here you are"))
            asked.append(self.ask(parent, delegate(child, work), Answer("done"), timeout_seconds=8, max_attempts=1))
        for id, mark in asked:
            self.ended(id)
            self.assertEqual(["here you are"], results_of(self.calls(mark)[1]))


if __name__ == "__main__":
    unittest.main()
