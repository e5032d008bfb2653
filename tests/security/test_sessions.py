"""Logins: refresh tokens in two hands, sessions that somebody else chose, and pages of other sites."""

import concurrent.futures
import json
import re
import time
import unittest
from typing import Any

from people import ADMIN, EVIL, NOBODY, PASSWORD, REMEMBERED_S, PeopleTest, Reply, ask, machines
from support.cluster import Cluster
from support.server import Server

RACERS, ROUNDS = 16, 10
GRACE_S = 10  # in which a token that comes twice is a lost answer, and no theft
REFRESH, CSRF = "__Host-al_refresh", "__Host-al_csrf"
LOGIN_S = 30 * 24 * 3600
COOKIE = re.compile(r"([!-:<-~]+?)=([A-Za-z0-9._-]*)((?:; [!-:<-~]+)*)")


class LoginTest(PeopleTest):
    def refresh(self, token: str, server: Server | None = None) -> Reply:
        return ask(server or self.server, "POST", "/auth/refresh", {"refresh_token": token})

    def race(self, token: str, servers: list[Server]) -> list[Reply]:
        places = [servers[number % len(servers)] for number in range(RACERS)]
        with concurrent.futures.ThreadPoolExecutor(RACERS) as pool:
            return list(pool.map(lambda server: self.refresh(token, server), places))

    def is_alive(self, access_token: str, server: Server | None = None) -> bool:
        status = ask(server or self.server, "GET", "/auth/me", token=access_token).status
        self.assertIn(status, (200, 401))
        return status == 200

    def check_races(self, servers: list[Server]) -> None:
        tokens = self.tokens()
        for number in range(ROUNDS):
            replies = self.race(tokens["refresh_token"], servers)
            self.assertEqual([200] + [409] * (RACERS - 1), sorted(reply.status for reply in replies), number)
            (won,) = [reply.body for reply in replies if reply.status == 200]
            self.assertEqual(tokens["session_id"], won["session_id"])
            tokens = won
        self.assertTrue(all(self.is_alive(tokens["access_token"], server) for server in servers))

    def check_reuse(self, servers: list[Server]) -> str:
        """Of a token that two more have followed: its family ends, everywhere. Answers the login."""
        first = self.tokens()
        second = self.refresh(first["refresh_token"], servers[0]).body
        third = self.refresh(second["refresh_token"], servers[-1]).body
        other = self.tokens()
        self.assertEqual(401, self.refresh(first["refresh_token"], servers[0]).status)
        time.sleep(REMEMBERED_S)
        for server in servers:
            self.assertFalse(self.is_alive(third["access_token"], server))
            self.assertEqual(401, self.refresh(third["refresh_token"], server).status)
            self.assertTrue(self.is_alive(other["access_token"], server), "another login goes on")
        return first["session_id"]


class Refreshing(LoginTest):
    def test_of_many_at_once_one_wins_and_the_login_goes_on(self):
        self.check_races([self.server])

    def test_a_token_that_comes_back_ends_its_login(self):
        login = self.check_reuse([self.server])
        trail = self.api("GET", f"/audit?action=login:token_reused&target={login}")["entries"]
        self.assertEqual(1, len(trail))

    def test_a_lost_answer_is_forgiven_for_a_while_and_then_it_is_theft(self):
        first, kept = self.tokens(), self.tokens()
        second = self.refresh(first["refresh_token"]).body
        self.assertEqual(200, self.refresh(kept["refresh_token"]).status)
        self.assertEqual(409, self.refresh(first["refresh_token"]).status)
        self.assertTrue(self.is_alive(second["access_token"]))
        time.sleep(GRACE_S + 0.5)
        self.assertEqual(401, self.refresh(first["refresh_token"]).status)
        time.sleep(REMEMBERED_S)
        self.assertFalse(self.is_alive(second["access_token"]))
        self.assertEqual(401, self.refresh(second["refresh_token"]).status)

    def test_signing_out_ends_both_tokens(self):
        tokens = self.tokens()
        self.assertEqual(200, self.ask("POST", "/auth/logout", token=tokens["access_token"]).status)
        self.assertEqual(401, self.refresh(tokens["refresh_token"]).status)
        time.sleep(REMEMBERED_S)
        self.assertFalse(self.is_alive(tokens["access_token"]))

    def test_what_is_stored_of_a_token_opens_nothing(self):
        """Who reads the answers about logins finds no token in them."""
        tokens = self.tokens()
        listed = self.ask("GET", "/auth/logins", token=tokens["access_token"]).body["logins"]
        self.assertIn(tokens["session_id"], [login["id"] for login in listed])
        for login in listed:
            self.assertEqual(401, self.refresh(login["id"]).status)
            self.assertEqual(401, self.ask("GET", "/auth/me", token=login["id"]).status)
        text = json.dumps(listed) + json.dumps(self.api("GET", "/audit?limit=500"))
        for secret in (tokens["refresh_token"], tokens["access_token"], PASSWORD):
            self.assertNotIn(secret, text)


class AfterACrash(LoginTest):
    def test_a_token_that_was_used_stays_used(self):
        """What a process remembered must not be what refuses it."""
        server = Server(self.environment)
        self.addCleanup(server.remove)
        server.start()
        tokens = ask(server, "POST", "/auth/login", {"email": ADMIN, "password": PASSWORD}).body
        second = self.refresh(tokens["refresh_token"], server).body
        third = self.refresh(second["refresh_token"], server).body
        server.kill()
        server.start()
        self.assertEqual(401, self.refresh(tokens["refresh_token"], server).status)
        self.assertEqual(401, self.refresh(third["refresh_token"], server).status, "the family is dead")
        self.assertFalse(self.is_alive(third["access_token"], server))
        server.stop()


class TwoProcesses(LoginTest):
    """On one PostgreSQL: neither knows what the other one has just done."""

    @classmethod
    def setUpClass(cls):
        settings = {name: value for name, value in cls.environment.items() if name != "LOG_LEVEL"}
        cls.cluster = cls.enterClassContext(Cluster(2, ("auth",), settings))
        cls.servers = cls.cluster.members
        cls.server = cls.servers[0]

    def test_of_many_at_once_one_wins_and_the_login_goes_on(self):
        self.check_races(self.servers)

    def test_a_token_that_comes_back_ends_its_login_in_both(self):
        self.check_reuse(self.servers)

    def test_a_lock_holds_in_both(self):
        wrong = {"email": "x@al.test", "password": "x"}
        statuses = [
            ask(self.servers[number % 2], "POST", "/auth/login", wrong, machine=next(machines)).status
            for number in range(7)
        ]
        self.assertEqual([401] * 5 + [429] * 2, statuses)


def cookies_of(reply: Reply) -> dict[str, tuple[str, dict[str, str]]]:
    """By name: the value, and the attributes in small letters."""
    out = {}
    for line in reply.all("set-cookie"):
        name, value, rest = COOKIE.fullmatch(line).groups()
        pairs = [part.partition("=") for part in rest.split("; ")[1:]]
        out[name] = value, {key.lower(): value for key, _, value in pairs}
    return out


def attributes(name: str, age_s: int) -> dict[str, str]:
    common = {"path": "/", "max-age": str(age_s), "secure": "", "samesite": "Strict"}
    return common | ({"httponly": ""} if name == REFRESH else {})  # the page must read the other one


class Cookies(LoginTest):
    def sign_in(self, **more: Any) -> dict[str, str]:
        reply = self.login(cookie=True, **more)
        self.assertEqual(200, reply.status, reply)
        return {name: value for name, (value, _) in cookies_of(reply).items()}

    def with_cookies(self, cookies: dict[str, str], method="POST", path="/auth/refresh", body: Any = None, **headers):
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask(method, path, {} if body is None and method == "POST" else body, headers=sent)

    def own(self, cookies: dict[str, str]) -> dict[str, str]:
        return {"Origin": self.server.url, "Sec_Fetch_Site": "same-origin", "X_CSRF_Token": cookies[CSRF]}

    def test_they_are_guarded_when_they_are_set_renewed_and_taken_away(self):
        """A cookie goes only by the attributes under which it came."""
        signed_in = self.login(cookie=True)
        cookies = {name: value for name, (value, _) in cookies_of(signed_in).items()}
        refreshed = self.with_cookies(cookies, **self.own(cookies))
        token = refreshed.body["access_token"]
        signed_out = self.ask("POST", "/auth/logout", token=token)
        for reply, age_s in ((signed_in, LOGIN_S), (refreshed, LOGIN_S), (signed_out, 0)):
            self.assertEqual(200, reply.status)
            found = cookies_of(reply)
            self.assertEqual({REFRESH, CSRF}, set(found))
            for name, (value, guards) in found.items():
                self.assertEqual(attributes(name, age_s), guards)
                self.assertEqual(age_s == 0, value == "")
        for reply in (signed_in, refreshed):
            self.assertNotIn(cookies_of(reply)[REFRESH][0], json.dumps(reply.body), "no script may read it")
        self.assertEqual(401, self.with_cookies(cookies, **self.own(cookies)).status)

    def test_no_session_of_somebody_else_is_taken_on(self):
        """Fixation: what a stranger put into the browser is worth nothing after signing in."""
        for planted in ("x", "alr_planted", self.sign_in()[REFRESH]):
            cookie = f"{REFRESH}={planted}; {CSRF}=planted; session_id=planted"
            one = self.login(cookie=True, headers={"Cookie": cookie})
            two = self.login(cookie=True, headers={"Cookie": cookie})
            self.assertEqual((200, 200), (one.status, two.status))
            found = [cookies_of(one)[REFRESH][0], cookies_of(two)[REFRESH][0], planted]
            self.assertEqual(3, len(set(found)))
            self.assertEqual(2, len({cookies_of(one)[CSRF][0], cookies_of(two)[CSRF][0]} - {"planted"}))
            self.assertNotEqual(one.body["session_id"], two.body["session_id"])
        refused = self.with_cookies({REFRESH: "alr_planted", CSRF: "x"}, Origin=self.server.url, X_CSRF_Token="x")
        self.assertEqual(401, refused.status)
        self.assertEqual([], refused.all("set-cookie"))

    def test_a_session_is_never_named_by_an_address(self):
        token = self.tokens()["refresh_token"]
        for query in (f"refresh_token={token}", f"session_id={NOBODY}", f"access_token={token}", f"token={token}"):
            self.assertEqual(422, self.ask("POST", f"/auth/refresh?{query}", {}).status)
            self.assertEqual(422, self.ask("POST", f"/auth/login?{query}", {"email": ADMIN, "password": "x"}).status)
            self.assertEqual(401, self.ask("GET", f"/auth/me?{query}").status)

    def test_a_cookie_of_a_similar_name_is_another(self):
        cookies = self.sign_in()
        similar = (
            "al_refresh",
            "__Secure-al_refresh",
            "__host-al_refresh",
            f"{REFRESH}2",
            f"x{REFRESH}",
            f" {REFRESH}x",
        )
        for name in similar:
            with self.subTest(name=name):
                reply = self.with_cookies({name: cookies[REFRESH], CSRF: cookies[CSRF]}, **self.own(cookies))
                self.assertEqual(401, reply.status)
        self.assertEqual(200, self.with_cookies(cookies, **self.own(cookies)).status)

    def test_pages_of_others_do_not_refresh(self):
        cookies = self.sign_in()
        url, csrf = self.server.url, cookies[CSRF]
        host = url.removeprefix("http://")
        origins = [None, "null", EVIL, url + "0", url.rpartition(":")[0], f"http://{host}.evil.example", f"//{host}"]
        origins += [f"http://evil.{host}", f"{url}/", f"{url}@evil.example", f"{EVIL}#{host}", host, f"{EVIL}, {url}"]
        for origin in origins:
            for site in (None, "same-origin"):
                sent = {"Origin": origin, "Sec_Fetch_Site": site, "X_CSRF_Token": csrf}
                with self.subTest(origin=origin, site=site):
                    self.assertEqual(403, self.with_cookies(cookies, **{k: v for k, v in sent.items() if v}).status)
        for site in ("cross-site", "same-site", "none", "Same-Origin", "x"):
            with self.subTest(site=site):
                sent = {"Origin": url, "Sec_Fetch_Site": site, "X_CSRF_Token": csrf}
                self.assertEqual(403, self.with_cookies(cookies, **sent).status)
        for wrong in (None, csrf[:-1], csrf + "A", csrf.swapcase(), "x", self.sign_in()[CSRF]):
            with self.subTest(token=wrong):
                sent = {"Origin": url} | ({"X_CSRF_Token": wrong} if wrong else {})
                self.assertEqual(403, self.with_cookies(cookies, **sent).status)
        nothing = self.with_cookies({REFRESH: cookies[REFRESH]}, Origin=url, X_CSRF_Token=csrf)
        empty = self.with_cookies({REFRESH: cookies[REFRESH], CSRF: ""}, Origin=url, X_CSRF_Token="")
        self.assertEqual((403, 403), (nothing.status, empty.status))
        self.assertEqual(200, self.with_cookies(cookies, **self.own(cookies)).status, "it was good all the time")

    def test_a_cookie_opens_no_other_route(self):
        cookies = self.sign_in()
        for (method, path), operation in self.operations().items():
            if operation.get("x-permission"):
                target = re.sub(r"{\w+}", NOBODY, path)
                body = {} if "requestBody" in operation else None
                with self.subTest(route=f"{method} {path}"):
                    reply = self.with_cookies(cookies, method, target, body, **self.own(cookies))
                    self.assertEqual(401, reply.status)


class OtherSites(LoginTest):
    """What a browser sends for a page of another site, even when that had a token."""

    def test_reading_changes_nothing(self):
        """Of everything with GET, HEAD or OPTIONS, also where it says that it means something else."""

        def state() -> tuple:
            events = self.api("GET", "/events?limit=500")["events"]
            trail = self.api("GET", "/audit?limit=500")["entries"]
            return events, trail

        token = self.tokens()["access_token"]
        time.sleep(REMEMBERED_S)
        before = state()
        for method, path in self.operations():
            if path.endswith("/stream"):
                continue
            target = re.sub(r"{\w+}", NOBODY, path)
            for safe in ("GET", "HEAD", "OPTIONS"):
                for headers in ({}, {"X-HTTP-Method-Override": method, "X-Method-Override": "DELETE"}):
                    reply = self.ask(safe, target, token=token, headers=headers)
                    with self.subTest(route=f"{safe} {path}"):
                        self.assertIn(reply.status, (200, 204, 404, 405, 422, 426))
        self.assertEqual(before, state())

    def test_what_a_form_can_send_is_no_json(self):
        """A page may send these types anywhere without asking (Fetch, section 2.2.2)."""
        agent = json.dumps({"id": "formed", "name": "n", "specialization": "s"}).encode()
        login = json.dumps({"email": ADMIN, "password": PASSWORD, "cookie": True}).encode()
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", None):
            headers = {"Content-Type": kind, "Origin": EVIL}
            for path, body, token in (("/agents", agent, self.server.token), ("/auth/login", login, "")):
                with self.subTest(type=kind, path=path):
                    reply = self.ask("POST", path, body, token, headers=headers)
                    self.assertEqual((415, []), (reply.status, reply.all("set-cookie")))

    def test_no_other_site_may_read_an_answer(self):
        for origin in (EVIL, "null", self.server.url.replace("127.0.0.1", "localhost")):
            for method, path in (("GET", "/agents"), ("OPTIONS", "/agents"), ("OPTIONS", "/auth/refresh")):
                headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
                headers |= {"Access-Control-Request-Headers": "authorization, x-csrf-token"}
                reply = self.ask(method, path, token=self.server.token, headers=headers)
                with self.subTest(origin=origin, route=f"{method} {path}"):
                    self.assertEqual([], [name for name, _ in reply.headers if name.startswith("access-control")])


if __name__ == "__main__":
    unittest.main()
