"""Guessing passwords, and finding out who has an account: by what is told, and by how long it takes."""

import concurrent.futures
import itertools
import statistics
import unittest
from collections.abc import Callable, Iterable
from typing import Any

from people import ADMIN, PASSWORD, WRONG, PeopleTest, Reply, machines, numbers, told
from support.sign_in import totp

# What docs/services/auth.md says.
FAILURES_MAX = 5
ATTEMPTS_MAX = 30  # of one machine in a minute
LINKS_MAX = 10  # of one machine in a minute, and as many registrations
HASHED_AT_ONCE = 2
SAMPLES = 40
# Of two medians. Without the decoy one of them is that of an answer without any hash: a tenth, and less.
ALIKE = 1.3


class Guessing(PeopleTest):
    def fail_to_sign_in(self, email: str, times: int, **more: Any) -> list[Reply]:
        return [self.login(email, WRONG, **more) for _ in range(times)]

    def test_five_failures_lock_whether_there_is_a_user_or_not(self):
        known, unknown = self.new_user("viewer")["email"], "nobody@al.test"
        answers = {}
        for email in (known, unknown):
            failed = self.fail_to_sign_in(email, FAILURES_MAX)
            self.assertEqual([401] * FAILURES_MAX, [reply.status for reply in failed])
            answers[email] = [told(reply) for reply in (*failed, self.login(email, WRONG), self.login(email))]
        self.assertEqual(answers[known], answers[unknown])
        self.assertEqual(answers[known][-1], answers[known][-2], "the right password opens nothing, and says nothing")
        locked = self.login(known)
        self.assertEqual((429, "too_many_requests"), (locked.status, locked.code))
        (wait_s,) = locked.all("retry-after")
        self.assertTrue(840 < int(wait_s) <= 900, wait_s)

    def test_a_lock_is_that_of_one_address_however_it_is_written(self):
        email = self.new_user("viewer")["email"]
        other = self.new_user("viewer")["email"]
        written = [email, email.upper(), email.title(), email.replace("al.test", "AL.TEST"), email.capitalize()]
        for one in written:
            self.assertEqual(401, self.login(one, WRONG).status, one)
        self.assertEqual(429, self.login(email).status)
        self.assertEqual(200, self.login(other).status)

    def test_signing_in_forgets_failures_and_four_lock_nothing(self):
        email = self.new_user("viewer")["email"]
        for _ in range(2):
            self.fail_to_sign_in(email, FAILURES_MAX - 1)
            self.assertEqual(200, self.login(email).status)

    def test_guesses_at_the_same_time_are_no_more_guesses(self):
        """From as many machines as there are guesses; the right one among them is of no use."""
        email = self.new_user("viewer")["email"]
        with concurrent.futures.ThreadPoolExecutor(30) as pool:
            replies = list(pool.map(lambda _: self.login(email, WRONG), range(30)))
        judged = sum(reply.status == 401 for reply in replies)
        self.assertEqual({401, 429}, {reply.status for reply in replies})
        self.assertLessEqual(judged, FAILURES_MAX + HASHED_AT_ONCE)
        self.assertEqual(429, self.login(email).status)

    def test_one_machine_has_so_many_attempts_whatever_it_says_of_itself(self):
        """One password on many accounts: no account is locked by it, so the machine is."""
        user, machine = self.new_user("viewer")["email"], next(machines)
        lies = itertools.cycle(
            {name: value}
            for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "True-Client-IP", "CF-Connecting-IP")
            for value in ("198.51.100.7", "for=198.51.100.8")
        )
        sprayed = [
            self.login(f"spray{number}@al.test", PASSWORD, machine=machine, headers=next(lies)).status
            for number in range(ATTEMPTS_MAX)
        ]
        self.assertEqual([401] * ATTEMPTS_MAX, sprayed)
        there = self.login(user, PASSWORD, machine=machine, headers=next(lies))
        nowhere = self.login("spray99@al.test", PASSWORD, machine=machine)
        self.assertEqual((429, told(nowhere)), (there.status, told(there)))
        self.assertEqual(200, self.login(user).status, "others are let in")

    def test_codes_are_guesses_too(self):
        user = self.new_user("viewer")
        token = self.tokens(user["email"])["access_token"]
        secret = self.ask("POST", "/auth/mfa", token=token).body["secret"]
        self.assertEqual(200, self.ask("POST", "/auth/mfa/confirm", {"code": totp(secret)}, token).status)
        for number in range(FAILURES_MAX):
            self.assertEqual(401, self.login(user["email"], code=f"{number:06}").status)
        self.assertEqual(429, self.login(user["email"], code=totp(secret)).status)
        self.assertEqual(429, self.login(user["email"]).status)

    def test_a_stolen_token_does_not_guess_the_password(self):
        user = self.new_user("viewer")
        token = self.tokens(user["email"])["access_token"]
        change = {"new_password": "another long password"}
        for _ in range(FAILURES_MAX):
            reply = self.ask("POST", "/auth/change-password", change | {"current_password": WRONG}, token)
            self.assertEqual(422, reply.status)
        reply = self.ask("POST", "/auth/change-password", change | {"current_password": PASSWORD}, token)
        self.assertEqual(429, reply.status)
        self.assertEqual(200, self.login(user["email"]).status, "who has it still gets in")

    def test_links_and_registrations_are_limited(self):
        bodies = {
            "/auth/reset-password": lambda n: {"token": f"{n:043}", "new_password": "another long password"},
            "/auth/register": lambda n: {"email": f"r{n}@al.test", "full_name": "R", "password": PASSWORD},
        }
        for path, body in bodies.items():
            machine = next(machines)
            statuses = [self.ask("POST", path, body(n), machine=machine).status for n in range(LINKS_MAX + 1)]
            with self.subTest(path=path):
                self.assertNotIn(429, statuses[:-1])
                self.assertEqual(429, statuses[-1])


class WhoHasAnAccount(PeopleTest):
    """Several accounts of each kind, so that none is locked; those of a kind take turns with the others."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.active = [cls.new_user("viewer")["email"] for _ in range(SAMPLES // (FAILURES_MAX - 1) + 1)]
        disabled = cls.new_user("viewer")
        cls.server.api("PUT", f"/users/{disabled['id']}", {"status": "disabled"})
        deleted = cls.new_user("viewer")
        cls.server.api("DELETE", f"/users/{deleted['id']}")
        pending = {"email": "pending@al.test", "full_name": "P", "password": PASSWORD}
        assert cls.ask("POST", "/auth/register", pending).status == 202
        cls.new_organisation("elsewhere")
        cls.one_of_each = {
            "active": cls.new_user("viewer")["email"],
            "administrator": ADMIN,
            "without a password": cls.new_user("viewer", has_password=False)["email"],
            "disabled": disabled["email"],
            "deleted": deleted["email"],
            "pending": pending["email"],
            "of another organisation": "boss@elsewhere.test",
            "nobody": "nobody@al.test",
            "no address at all": "nobody",
        }

    @staticmethod
    def medians(
        calls: dict[str, Callable[[int], Reply]],
        samples: int,
        middle: Callable[[list[float]], float] = statistics.median,
    ) -> dict[str, float]:
        """In seconds, of as many calls of each kind, in turns: what slows the machine down slows all of them."""
        times: dict[str, list[float]] = {name: [] for name in calls}
        for number in range(samples):
            for name, call in calls.items():
                times[name].append(call(number).seconds)
        return {name: middle(some) for name, some in times.items()}

    def assert_alike(self, medians: dict[str, float], ratio: float = ALIKE) -> None:
        self.assertLess(max(medians.values()) / min(medians.values()), ratio, medians)

    @staticmethod
    def said(replies: Iterable[Reply]) -> set[tuple]:
        return {told(reply) for reply in replies}

    def test_signing_in_tells_all_of_them_the_same(self):
        replies = {kind: self.login(email, WRONG) for kind, email in self.one_of_each.items()}
        self.assertEqual(1, len(self.said(replies.values())), replies)
        self.assertEqual({401}, {reply.status for reply in replies.values()})

    def test_signing_in_takes_as_long(self):
        medians = self.medians(
            {
                "active": lambda n: self.login(self.active[n % len(self.active)], WRONG),
                "nobody": lambda n: self.login(f"nobody{n}@al.test", WRONG),
            },
            SAMPLES,
        )
        self.assert_alike(medians)

    def test_those_of_every_other_kind_take_as_long(self):
        kinds = {kind: email for kind, email in self.one_of_each.items() if kind not in ("active", "nobody")}
        calls = {kind: lambda _, email=email: self.login(email, WRONG) for kind, email in kinds.items()}
        calls["nobody"] = lambda n: self.login(f"none{n}@al.test", WRONG)
        # Three samples are few: noise only adds to a time, so the least of them is compared.
        self.assert_alike(self.medians(calls, FAILURES_MAX - 2, min), 2 * ALIKE)

    def registration(self, email: str, password: str = PASSWORD) -> Reply:
        return self.ask("POST", "/auth/register", {"email": email, "full_name": "R", "password": password})

    def test_registering_tells_nothing_and_takes_as_long(self):
        taken, free = self.registration(self.active[0]), self.registration(f"free{next(numbers)}@al.test")
        self.assertEqual((202, told(free)), (taken.status, told(taken)))
        kinds = [email for kind, email in self.one_of_each.items() if kind != "no address at all"]
        self.assertEqual({told(free)}, self.said(self.registration(email) for email in kinds))
        weak = [self.registration(email, "short") for email in (self.active[0], f"free{next(numbers)}@al.test")]
        self.assertEqual((422, 1), (weak[0].status, len(self.said(weak))))
        medians = self.medians(
            {
                "taken": lambda n: self.registration(self.active[n % len(self.active)]),
                "free": lambda _: self.registration(f"free{next(numbers)}@al.test"),
            },
            SAMPLES // 2,
        )
        self.assert_alike(medians)
        self.assertEqual(200, self.login(self.one_of_each["active"]).status, "who was there keeps his password")

    def test_links_tell_nothing_and_take_as_long(self):
        def use(token: str) -> Reply:
            return self.ask("POST", "/auth/reset-password", {"token": token, "new_password": "another long password"})

        def link(user: dict) -> str:
            return self.api("POST", f"/users/{user['id']}/password-reset", expect=201)["token"]

        user, gone = self.new_user("viewer"), self.new_user("viewer")
        used, first, of_gone = link(user), link(user), link(gone)
        self.assertEqual(200, use(first).status)
        self.api("DELETE", f"/users/{gone['id']}")
        calls = {
            "unknown": lambda n: use(f"{n:043}"),
            "used": lambda _: use(first),
            "replaced": lambda _: use(used),
            "of one who is gone": lambda _: use(of_gone),
        }
        self.assertEqual(1, len(self.said(call(0) for call in calls.values())))
        self.assertEqual(401, use(first).status)
        self.assert_alike(self.medians(calls, SAMPLES), 3)  # of a few milliseconds; setting a password takes many more


if __name__ == "__main__":
    unittest.main()
