"""Signing in and what it guards, against the program as people meet it."""

import concurrent.futures
import pathlib
import re
import tempfile
import time
import unittest
from http.cookies import SimpleCookie
from typing import ClassVar

from support.cases import ServerTest
from support.sign_in import OPEN_ROUTES, PASSWORD, totp

ADMIN = "admin@example.org"
# What was found of a token is remembered for so long at most.
REMEMBERED_S = 1.0


class AuthTest(ServerTest):
    environment: ClassVar[dict[str, str]] = {
        "LOG_LEVEL": "error",
        "AGENT_LIGHTNING_ADMIN_EMAIL": ADMIN,
        "AGENT_LIGHTNING_ADMIN_PASSWORD": PASSWORD,
        "AUTH_REGISTRATION": "true",
    }
    made = 0

    def bearer(self, token: str) -> dict[str, str]:
        return {"Authorization": "Bearer " + token, "Content-Type": "application/json"}

    def call_as(self, token: str | None, method: str, path: str, body=None):
        headers = self.bearer(token) if token else {"Authorization": "", "Content-Type": "application/json"}
        return self.server.call(method, "/api/v1" + path, body, headers)

    def login(self, email: str = ADMIN, password: str = PASSWORD, **more):
        return self.call_as(None, "POST", "/auth/login", {"email": email, "password": password, **more})

    def tokens(self, email: str = ADMIN, password: str = PASSWORD, **more):
        status, answer = self.login(email, password, **more)
        self.assertEqual(200, status, answer)
        return answer

    def new_user(self, *roles: str, password: str = PASSWORD) -> dict:
        """A user who has set his password by a link."""
        AuthTest.made += 1
        wanted = {"email": f"user{AuthTest.made}@example.org", "full_name": "Ada Lovelace", "roles": list(roles)}
        user = self.api("POST", "/users", wanted, 201)
        link = self.api("POST", f"/users/{user['id']}/password-reset", expect=201)
        status, answer = self.call_as(
            None, "POST", "/auth/reset-password", {"token": link["token"], "new_password": password}
        )
        self.assertEqual(200, status, answer)
        return user

    def trail(self, **filters: str) -> list[dict]:
        query = "&".join(f"{name}={value}" for name, value in filters.items())
        return self.api("GET", f"/audit?limit=500&{query}")["entries"]


class SigningIn(AuthTest):
    def test_the_administrator_of_the_settings_signs_in(self):
        answer = self.tokens()
        self.assertEqual(("Bearer", 900), (answer["token_type"], answer["expires_in"]))
        self.assertEqual((ADMIN, ["admin"]), (answer["user"]["email"], answer["user"]["roles"]))
        self.assertNotIn("password_hash", answer["user"])
        status, me = self.call_as(answer["access_token"], "GET", "/auth/me")
        self.assertEqual(200, status, me)
        self.assertEqual((ADMIN, answer["session_id"]), (me["user"]["email"], me["session_id"]))
        self.assertIn("*:*", me["permissions"])
        self.assertEqual(200, self.call_as(answer["access_token"], "GET", "/agents")[0])

    def test_a_wrong_password_and_an_unknown_address_are_told_alike(self):
        user = self.new_user("viewer")
        wrong, unknown = self.login(user["email"], "x" * 12), self.login("nobody@example.org", "x" * 12)
        for status, problem in (wrong, unknown):
            self.assertEqual((401, "unauthenticated"), (status, problem["code"]))
            problem.pop("request_id")
        self.assertEqual(wrong, unknown)

    def test_five_failures_lock_known_and_unknown_names_alike(self):
        user = self.new_user("viewer")
        for email in (user["email"], "nobody-at-all@example.org"):
            for _ in range(5):
                self.assertEqual(401, self.login(email, "wrong password")[0])
            status, problem = self.login(email, PASSWORD)
            self.assertEqual((429, "too_many_requests"), (status, problem["code"]), "the right one is locked out too")
        refused = self.trail(action="login:refused", target=user["id"])
        self.assertEqual(5, len(refused))
        self.assertEqual(["refused"], list({entry["outcome"] for entry in refused}))
        self.assertIn("locked", refused[0]["details"]["reason"])

    def test_who_is_disabled_is_out_within_a_second(self):
        user = self.new_user("viewer")
        token = self.tokens(user["email"])["access_token"]
        self.assertEqual(200, self.call_as(token, "GET", "/agents")[0])
        self.api("PUT", f"/users/{user['id']}", {"status": "disabled"})
        time.sleep(REMEMBERED_S)
        self.assertEqual(401, self.call_as(token, "GET", "/agents")[0])
        status, problem = self.login(user["email"])
        self.assertEqual((403, "forbidden"), (status, problem["code"]))
        self.assertEqual(401, self.login(user["email"], "wrong password")[0], "only who proves himself learns it")

    def test_signing_out_ends_both_tokens(self):
        answer = self.tokens()
        self.assertEqual(200, self.call_as(answer["access_token"], "POST", "/auth/logout")[0])
        time.sleep(REMEMBERED_S)
        self.assertEqual(401, self.call_as(answer["access_token"], "GET", "/auth/me")[0])
        body = {"refresh_token": answer["refresh_token"]}
        self.assertEqual(401, self.call_as(None, "POST", "/auth/refresh", body)[0])

    def test_logins_are_listed_and_ended(self):
        user = self.new_user("viewer")
        first, second = self.tokens(user["email"]), self.tokens(user["email"])
        status, listed = self.call_as(first["access_token"], "GET", "/auth/logins")
        self.assertEqual(200, status)
        self.assertEqual([second["session_id"], first["session_id"]], [login["id"] for login in listed["logins"]])
        path = f"/auth/logins/{second['session_id']}"
        other = self.tokens(self.new_user("viewer")["email"])["access_token"]
        self.assertEqual(404, self.call_as(other, "DELETE", path)[0], "another one's is not there")
        self.assertEqual(200, self.call_as(first["access_token"], "DELETE", path)[0])
        time.sleep(REMEMBERED_S)
        self.assertEqual(401, self.call_as(second["access_token"], "GET", "/auth/me")[0])
        self.assertEqual(200, self.call_as(first["access_token"], "GET", "/auth/me")[0])

    def test_the_public_keys_are_published(self):
        status, keys = self.call_as(None, "GET", "/auth/jwks.json")
        self.assertEqual(200, status)
        self.assertEqual([("OKP", "Ed25519")], [(key["kty"], key["crv"]) for key in keys["keys"]])
        before = self.tokens()["access_token"]
        self.api("POST", "/auth/keys/rotate")
        self.assertEqual(2, len(self.call_as(None, "GET", "/auth/jwks.json")[1]["keys"]))
        self.assertEqual(200, self.call_as(before, "GET", "/auth/me")[0])
        self.assertEqual(200, self.call_as(self.tokens()["access_token"], "GET", "/auth/me")[0])


class Refreshing(AuthTest):
    def refresh(self, token: str):
        return self.call_as(None, "POST", "/auth/refresh", {"refresh_token": token})

    def test_a_refresh_token_is_good_once_and_its_login_goes_on(self):
        first = self.tokens()
        status, second = self.refresh(first["refresh_token"])
        self.assertEqual(200, status, second)
        self.assertEqual(first["session_id"], second["session_id"])
        self.assertEqual(200, self.call_as(second["access_token"], "GET", "/auth/me")[0])
        self.assertEqual(409, self.refresh(first["refresh_token"])[0], "a lost answer is no theft")
        self.assertEqual(200, self.refresh(second["refresh_token"])[0])
        self.assertEqual(401, self.refresh(first["refresh_token"])[0], "by now it is one")
        time.sleep(REMEMBERED_S)
        self.assertEqual(401, self.call_as(second["access_token"], "GET", "/auth/me")[0], "and the login has ended")
        self.assertTrue(self.trail(action="login:token_reused", target=first["session_id"]))

    def test_of_sixteen_at_once_one_wins_and_nobody_is_signed_out(self):
        for _ in range(5):
            tokens = self.tokens()
            with concurrent.futures.ThreadPoolExecutor(16) as pool:
                answers = list(pool.map(self.refresh, [tokens["refresh_token"]] * 16))
            self.assertEqual([200] + [409] * 15, sorted(status for status, _ in answers))
            (won,) = [answer for status, answer in answers if status == 200]
            self.assertEqual(200, self.refresh(won["refresh_token"])[0])

    def test_what_is_no_token_of_ours_is_refused(self):
        good = self.tokens()["refresh_token"]
        for wrong in (good[:-1], good + "A", good.replace("default", "another"), "alr_", "x" * 500):
            self.assertEqual(401, self.refresh(wrong)[0], wrong)
        access = self.tokens()["access_token"]
        self.assertEqual(401, self.refresh(access)[0], "an access token refreshes nothing")
        self.assertEqual(401, self.call_as(good, "GET", "/auth/me")[0], "and a refresh token opens nothing")


class Cookies(AuthTest):
    def sign_in(self):
        connection, response = self.open(
            "POST",
            "/api/v1/auth/login",
            f'{{"email": "{ADMIN}", "password": "{PASSWORD}", "cookie": true}}'.encode(),
            {"Content-Type": "application/json"},
        )
        self.assertEqual(200, response.status)
        body = response.read()
        self.assertNotIn(b"refresh_token", body)
        cookies = {}
        for header in response.headers.get_all("Set-Cookie"):
            for name, morsel in SimpleCookie(header).items():
                self.assertTrue(name.startswith("__Host-"))
                self.assertTrue(morsel["secure"])
                self.assertEqual(("Strict", "/", ""), (morsel["samesite"], morsel["path"], morsel["domain"]))
                self.assertEqual("csrf" not in name, bool(morsel["httponly"]), "a page must read the other one")
                cookies[name] = morsel.value
        connection.close()
        return cookies

    def refresh(self, cookies: dict[str, str], **headers: str):
        sent = {"Content-Type": "application/json", "Cookie": "; ".join(f"{n}={v}" for n, v in cookies.items())}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.server.call("POST", "/api/v1/auth/refresh", {}, sent)

    def test_a_page_refreshes_and_another_site_does_not(self):
        cookies = self.sign_in()
        origin, csrf = self.server.url, cookies["__Host-al_csrf"]
        for headers in (
            {},
            {"Origin": origin},
            {"Origin": origin, "X_CSRF_Token": csrf[:-1] + "_"},
            {"X_CSRF_Token": csrf},
            {"Origin": "https://evil.example", "X_CSRF_Token": csrf},
            {"Origin": "null", "X_CSRF_Token": csrf},
            {"Origin": origin + "1", "X_CSRF_Token": csrf},
            {"Origin": origin, "Sec_Fetch_Site": "cross-site", "X_CSRF_Token": csrf},
            {"Origin": origin, "Sec_Fetch_Site": "same-site", "X_CSRF_Token": csrf},
        ):
            status, problem = self.refresh(cookies, **headers)
            self.assertEqual((403, "forbidden"), (status, problem["code"]), headers)
        status, answer = self.refresh(cookies, Origin=origin, Sec_Fetch_Site="same-origin", X_CSRF_Token=csrf)
        self.assertEqual(200, status, answer)
        self.assertNotIn("refresh_token", answer)
        self.assertEqual(401, self.refresh({}, Origin=origin, X_CSRF_Token=csrf)[0])


class SecondFactor(AuthTest):
    def test_it_is_enrolled_asked_for_and_taken_away(self):
        user = self.new_user("viewer")
        token = self.tokens(user["email"])["access_token"]
        other = self.tokens(user["email"])["access_token"]
        status, begun = self.call_as(token, "POST", "/auth/mfa")
        self.assertEqual(200, status, begun)
        self.assertTrue(begun["otpauth_uri"].startswith("otpauth://totp/"))
        self.assertIn(begun["secret"], begun["otpauth_uri"])
        self.assertEqual(200, self.login(user["email"])[0], "it is not asked for before it is confirmed")
        self.assertEqual(422, self.call_as(token, "POST", "/auth/mfa/confirm", {"code": "000000"})[0])
        now = time.time()
        status, confirmed = self.call_as(token, "POST", "/auth/mfa/confirm", {"code": totp(begun["secret"], now)})
        self.assertEqual(200, status, confirmed)
        codes = confirmed["recovery_codes"]
        self.assertEqual(10, len(set(codes)))
        time.sleep(REMEMBERED_S)
        self.assertEqual(401, self.call_as(other, "GET", "/auth/me")[0], "logins without it have ended")
        self.assertEqual(200, self.call_as(token, "GET", "/auth/me")[0])

        status, problem = self.login(user["email"])
        self.assertEqual((401, "mfa_required"), (status, problem["code"]))
        self.assertEqual(401, self.login(user["email"], "wrong password", code=totp(begun["secret"]))[0])
        self.assertEqual(401, self.login(user["email"], code=totp(begun["secret"], now))[0], "its confirming used it")
        self.assertEqual(200, self.login(user["email"], code=totp(begun["secret"], now + 30))[0])
        self.assertEqual(401, self.login(user["email"], code=totp(begun["secret"], now + 30))[0], "good once")
        self.assertEqual(200, self.login(user["email"], code=codes[0].lower())[0])
        self.assertEqual(401, self.login(user["email"], code=codes[0])[0], "good once")

        wrong = self.call_as(token, "POST", "/auth/mfa/disable", {"password": "wrong password"})
        self.assertEqual((422, "password"), (wrong[0], wrong[1]["errors"][0]["path"]))
        self.assertEqual(200, self.call_as(token, "POST", "/auth/mfa/disable", {"password": PASSWORD})[0])
        self.assertEqual(200, self.login(user["email"])[0])
        actions = [entry["action"] for entry in self.trail(target=user["id"])]
        for action in ("user:mfa_begun", "user:mfa_enabled", "user:mfa_disabled"):
            self.assertIn(action, actions)

    def test_a_reset_of_the_password_keeps_it(self):
        user = self.new_user("viewer")
        token = self.tokens(user["email"])["access_token"]
        secret = self.call_as(token, "POST", "/auth/mfa")[1]["secret"]
        self.assertEqual(200, self.call_as(token, "POST", "/auth/mfa/confirm", {"code": totp(secret)})[0])
        link = self.api("POST", f"/users/{user['id']}/password-reset", expect=201)
        body = {"token": link["token"], "new_password": "another long password"}
        self.assertEqual(200, self.call_as(None, "POST", "/auth/reset-password", body)[0])
        status, problem = self.login(user["email"], "another long password")
        self.assertEqual((401, "mfa_required"), (status, problem["code"]))


class Passwords(AuthTest):
    def test_rules_are_explained(self):
        user = self.new_user("viewer")
        token = self.tokens(user["email"])["access_token"]
        for bad in ("short", "password123", user["email"]):
            body = {"current_password": PASSWORD, "new_password": bad}
            status, problem = self.call_as(token, "POST", "/auth/change-password", body)
            self.assertEqual((422, "password"), (status, problem["errors"][0]["path"]), bad)
            self.assertNotIn(bad, problem["errors"][0]["message"])
        wrong = {"current_password": "x", "new_password": "another long password"}
        status, problem = self.call_as(token, "POST", "/auth/change-password", wrong)
        self.assertEqual((422, "current_password"), (status, problem["errors"][0]["path"]))

    def test_a_change_ends_other_logins(self):
        user = self.new_user("viewer")
        mine, other = self.tokens(user["email"]), self.tokens(user["email"])
        body = {"current_password": PASSWORD, "new_password": "another long password"}
        self.assertEqual(200, self.call_as(mine["access_token"], "POST", "/auth/change-password", body)[0])
        time.sleep(REMEMBERED_S)
        self.assertEqual(200, self.call_as(mine["access_token"], "GET", "/auth/me")[0])
        self.assertEqual(401, self.call_as(other["access_token"], "GET", "/auth/me")[0])
        self.assertEqual(401, self.login(user["email"])[0])
        self.assertEqual(200, self.login(user["email"], "another long password")[0])

    def test_a_link_is_good_once_and_for_one(self):
        user = self.new_user("viewer")
        link = self.api("POST", f"/users/{user['id']}/password-reset", expect=201)
        for token, code in (("x" * 43, 401), ("", 422), (None, 422), ([], 422), ("null" * 10, 401)):
            body = {"token": token, "new_password": "another long password"}
            self.assertEqual(code, self.call_as(None, "POST", "/auth/reset-password", body)[0], token)
        weak = {"token": link["token"], "new_password": "short"}
        self.assertEqual(422, self.call_as(None, "POST", "/auth/reset-password", weak)[0])
        good = {"token": link["token"], "new_password": "another long password"}
        self.assertEqual(200, self.call_as(None, "POST", "/auth/reset-password", good)[0], "a weak one used nothing up")
        self.assertEqual(401, self.call_as(None, "POST", "/auth/reset-password", good)[0])

    def test_registration_waits_for_an_administrator_and_tells_nothing(self):
        body = {"email": "new@example.org", "full_name": "New", "password": PASSWORD}
        first = self.call_as(None, "POST", "/auth/register", body)
        again = self.call_as(None, "POST", "/auth/register", body | {"email": ADMIN})
        self.assertEqual(202, first[0], first)
        self.assertEqual(first, again, "that an address is taken is told to nobody")
        self.assertEqual(403, self.login("new@example.org")[0])
        (user,) = [user for user in self.api("GET", "/users")["users"] if user["email"] == "new@example.org"]
        self.assertEqual("pending", user["status"])
        self.api("PUT", f"/users/{user['id']}", {"status": "active"})
        self.assertEqual(200, self.login("new@example.org")[0])


class Rights(AuthTest):
    def test_users_are_searched(self):
        user = self.new_user("viewer")
        found = self.api("GET", f"/users?q={user['email'].split('@')[0].upper()}&count=total")
        self.assertEqual(([user["email"]], 1), ([one["email"] for one in found["users"]], found["total"]))
        self.assertEqual(0, self.api("GET", "/users?q=no%25body")["count"])
        for wrong in ("", "x" * 201):
            self.assertEqual("q", self.api("GET", f"/users?q={wrong}", expect=422)["errors"][0]["path"])

    def test_an_entry_of_the_trail_is_read(self):
        user = self.new_user("viewer")
        (entry,) = self.trail(target=user["id"], action="user:created")
        self.assertEqual(entry, self.api("GET", f"/audit/{entry['id']}"))
        for nobody in ("x", user["id"]):
            self.api("GET", f"/audit/{nobody}", expect=404)

    def test_roles_say_what_a_user_may(self):
        viewer = self.tokens(self.new_user("viewer")["email"])["access_token"]
        self.assertEqual(200, self.call_as(viewer, "GET", "/agents")[0])
        agent = {"id": "mine", "name": "Mine", "specialization": "x"}
        status, problem = self.call_as(viewer, "POST", "/agents", agent)
        self.assertEqual((403, "forbidden"), (status, problem["code"]))
        self.assertIn("agents:write", problem["detail"])
        self.assertEqual(403, self.call_as(viewer, "GET", "/users")[0])
        self.assertEqual(403, self.call_as(viewer, "GET", "/audit")[0])

    def test_a_role_of_ones_own_bites_within_a_second(self):
        self.api("POST", "/roles", {"id": "clerk", "permissions": ["tasks:read"]}, 201)
        clerk = self.tokens(self.new_user("clerk")["email"])["access_token"]
        self.assertEqual(200, self.call_as(clerk, "GET", "/tasks")[0])
        self.assertEqual(403, self.call_as(clerk, "GET", "/agents")[0])
        self.api("PUT", "/roles/clerk", {"permissions": ["agents:read"]})
        time.sleep(REMEMBERED_S)
        self.assertEqual(403, self.call_as(clerk, "GET", "/tasks")[0])
        self.assertEqual(200, self.call_as(clerk, "GET", "/agents")[0])
        self.api("DELETE", "/roles/clerk")
        self.api("PUT", "/roles/admin", {"permissions": []}, 409)

    def test_nobody_gives_what_he_has_not(self):
        self.api("POST", "/roles", {"id": "keeper", "permissions": ["users:*", "roles:*", "agents:read"]}, 201)
        keeper = self.tokens(self.new_user("keeper")["email"])["access_token"]
        admin = next(user for user in self.api("GET", "/users?limit=500")["users"] if user["email"] == ADMIN)
        wanted = {"email": "puppet@example.org", "full_name": "P", "roles": ["admin"]}
        self.assertEqual(403, self.call_as(keeper, "POST", "/users", wanted)[0])
        self.assertEqual(201, self.call_as(keeper, "POST", "/users", wanted | {"roles": ["keeper"]})[0])
        wide = {"id": "wide", "permissions": ["agents:*"]}
        self.assertEqual(403, self.call_as(keeper, "POST", "/roles", wide)[0])
        for method, path, body in (
            ("POST", f"/users/{admin['id']}/password-reset", None),
            ("PUT", f"/users/{admin['id']}", {"status": "disabled"}),
            ("DELETE", f"/users/{admin['id']}", None),
            ("POST", f"/users/{admin['id']}/mfa/disable", None),
        ):
            self.assertEqual(403, self.call_as(keeper, method, path, body)[0], path)
        self.assertEqual(422, self.call_as(keeper, "POST", "/users", wanted | {"roles": ["no-such"]})[0])

    def test_every_route_asks_who_calls_and_what_he_may(self):
        """A route whose table entry names no permission is open, and then it must stand in this list."""
        made = self.api("POST", "/auth/api-keys?owner=service", {"name": "n", "permissions": ["nothing:here"]}, 201)
        seen = set()
        for path, operations in self.api("GET", "/openapi.json")["paths"].items():
            bare = path.removeprefix("/api/v1")
            filled = re.sub(r"{\w+}", "00000000-0000-7000-8000-000000000009", bare)
            for method in operations:
                route = (method.upper(), bare)
                seen.add(route)
                if route in OPEN_ROUTES:
                    continue
                body = {} if method in ("post", "put", "patch") else None
                nobody = self.call_as(None, route[0], filled, body)
                self.assertEqual(401, nobody[0], f"{route} without a credential: {nobody[1]}")
                stranger = self.call_as(made["api_key"], route[0], filled, body)
                self.assertEqual(403, stranger[0], f"{route} without a permission: {stranger[1]}")
        self.assertLessEqual(OPEN_ROUTES, seen)
        self.assertGreater(len(seen), 80)

    def test_what_clients_may_not_set_is_refused(self):
        for key, value in (("tenant_id", "other"), ("id", "x"), ("version", 7), ("mfa_enabled", False)):
            wanted = {"email": "x@example.org", "full_name": "X", key: value}
            status, problem = self.server.call("POST", "/api/v1/users", wanted)
            self.assertEqual((422, key), (status, problem["errors"][0]["path"]))


class ApiKeys(AuthTest):
    def test_a_key_is_made_used_rotated_and_revoked(self):
        user = self.new_user("viewer")
        token = self.tokens(user["email"])["access_token"]
        wanted = {"name": "ci", "permissions": ["agents:*", "profile:read"]}
        status, made = self.call_as(token, "POST", "/auth/api-keys", wanted)
        self.assertEqual(201, status, made)
        key, id = made["api_key"], made["key"]["id"]
        self.assertRegex(key, "^al_[A-Za-z0-9_-]{43}$")
        self.assertTrue(key.startswith(made["key"]["prefix"]))
        self.assertEqual(200, self.call_as(key, "GET", "/agents")[0])
        self.assertEqual(403, self.call_as(key, "GET", "/tasks")[0], "it has not the permission")
        agent = {"id": "mine", "name": "Mine", "specialization": "x"}
        self.assertEqual(403, self.call_as(key, "POST", "/agents", agent)[0], "its user has not")
        listed = self.call_as(token, "GET", "/auth/api-keys")[1]["api_keys"]
        self.assertEqual([id], [one["id"] for one in listed])
        self.assertNotIn(key, str(listed))

        status, rotated = self.call_as(token, "POST", f"/auth/api-keys/{id}/rotate", {"grace_seconds": 60})
        self.assertEqual(200, status, rotated)
        time.sleep(REMEMBERED_S)
        self.assertEqual(200, self.call_as(key, "GET", "/agents")[0], "within the grace")
        self.assertEqual(200, self.call_as(rotated["api_key"], "GET", "/agents")[0])
        self.assertEqual(200, self.call_as(token, "POST", f"/auth/api-keys/{id}/rotate", {"grace_seconds": 0})[0])
        time.sleep(REMEMBERED_S)
        self.assertEqual(401, self.call_as(key, "GET", "/agents")[0])
        self.assertEqual(401, self.call_as(rotated["api_key"], "GET", "/agents")[0])
        self.assertEqual(200, self.call_as(token, "DELETE", f"/auth/api-keys/{id}")[0])
        self.assertEqual(404, self.call_as(token, "GET", f"/auth/api-keys/{id}")[0])
        actions = [entry["action"] for entry in self.trail(target=id)]
        self.assertEqual(["api_key:revoked", "api_key:rotated", "api_key:rotated", "api_key:created"], actions)

    def test_keys_of_others_are_not_there(self):
        owner = self.tokens(self.new_user("developer")["email"])["access_token"]
        made = self.call_as(owner, "POST", "/auth/api-keys", {"name": "k", "permissions": ["agents:read"]})[1]
        other = self.tokens(self.new_user("developer")["email"])["access_token"]
        path = f"/auth/api-keys/{made['key']['id']}"
        for method, suffix, body in (("GET", "", None), ("DELETE", "", None), ("POST", "/rotate", {})):
            self.assertEqual(404, self.call_as(other, method, path + suffix, body)[0])
        self.assertEqual(403, self.call_as(other, "GET", "/auth/api-keys?owner=all")[0])
        self.assertEqual(200, self.server.call("GET", "/api/v1" + path)[0], "who manages keys sees them")

    def test_a_key_makes_no_wider_one(self):
        developer = self.tokens(self.new_user("developer")["email"])["access_token"]
        narrow = {"name": "n", "permissions": ["profile:*", "agents:read"]}
        key = self.call_as(developer, "POST", "/auth/api-keys", narrow)[1]["api_key"]
        wide = {"name": "w", "permissions": ["*:*"]}
        self.assertEqual(403, self.call_as(key, "POST", "/auth/api-keys", wide)[0])
        self.assertEqual(403, self.call_as(key, "POST", "/auth/api-keys?owner=service", narrow)[0])
        self.assertEqual(201, self.call_as(key, "POST", "/auth/api-keys", narrow)[0])

    def test_a_service_has_a_key_without_a_user(self):
        wanted = {"name": "billing", "permissions": ["metrics:read"]}
        made = self.api("POST", "/auth/api-keys?owner=service", wanted, 201)
        self.assertIsNone(made["key"]["user_id"])
        self.assertEqual(403, self.call_as(made["api_key"], "GET", "/agents")[0])
        status, problem = self.call_as(made["api_key"], "GET", "/auth/me")
        self.assertEqual((403, "forbidden"), (status, problem["code"]))
        past = wanted | {"expires_at": "2020-01-01T00:00:00Z"}
        self.api("POST", "/auth/api-keys?owner=service", past, 422)


class Tenants(AuthTest):
    def test_an_organisation_sees_nothing_of_another(self):
        self.api("POST", "/organisations", {"id": "acme", "name": "Acme"}, 201)
        wanted = {"email": "boss@acme.example", "full_name": "Boss", "roles": ["admin"]}
        made = self.api("POST", "/organisations/acme/users", wanted, 201)
        body = {"token": made["password_reset"]["token"], "new_password": PASSWORD}
        self.assertEqual(200, self.call_as(None, "POST", "/auth/reset-password", body)[0])
        boss = self.tokens("boss@acme.example")["access_token"]
        me = self.call_as(boss, "GET", "/auth/me")[1]
        self.assertEqual(("acme", "Acme"), (me["tenant"], me["organisation"]))
        self.assertEqual([made["user"]["id"]], [user["id"] for user in self.call_as(boss, "GET", "/users")[1]["users"]])
        own = self.api("GET", "/users")["users"][0]
        for method, path, sent in (
            ("GET", f"/users/{own['id']}", None),
            ("PUT", f"/users/{own['id']}", {"full_name": "X"}),
            ("DELETE", f"/users/{own['id']}", None),
            ("POST", f"/users/{own['id']}/password-reset", None),
        ):
            self.assertEqual(404, self.call_as(boss, method, path, sent)[0], path)
        for method, path, sent in (
            ("GET", "/organisations", None),
            ("POST", "/organisations", {"id": "evil", "name": "E"}),
            ("PUT", "/organisations/default", {"name": "E"}),
            ("POST", "/organisations/default/users", wanted),
            ("POST", "/auth/keys/rotate", None),
        ):
            self.assertEqual(403, self.call_as(boss, method, path, sent)[0], path)
        targets = {entry["target"] for entry in self.call_as(boss, "GET", "/audit?limit=500")[1]["entries"]}
        self.assertNotIn(own["id"], targets)
        self.api("PUT", "/organisations/acme", {"status": "suspended"})
        time.sleep(REMEMBERED_S)
        self.assertEqual(401, self.call_as(boss, "GET", "/auth/me")[0])
        self.assertEqual(403, self.login("boss@acme.example")[0])


class Audit(AuthTest):
    def verify(self, query: str = "") -> dict:
        return self.api("GET", "/audit/verify" + query)

    def test_the_trail_is_chained_within_a_second_and_whole(self):
        self.new_user("viewer")
        limit = time.monotonic() + 10
        while (found := self.verify())["pending"]:
            self.assertLess(time.monotonic(), limit)
            time.sleep(0.1)
        self.assertTrue(found["intact"], found)
        self.assertGreater(found["links"], 3)
        self.assertTrue(self.verify(f"?seq={found['links']}&hash={found['head']}")["intact"])
        self.assertFalse(self.verify(f"?seq={found['links']}&hash={'0' * 64}")["intact"])
        self.assertFalse(self.verify(f"?seq={found['links'] + 100}&hash={'0' * 64}")["intact"])
        self.api("GET", "/audit/verify?seq=1", expect=422)


class CommandLine(AuthTest):
    def cli(self, home: str, *arguments: str, text: str | None = None, expect: int = 0) -> str:
        environment = {"HOME": home, "XDG_CONFIG_HOME": "", "AGENT_LIGHTNING_TOKEN": "", "AGENT_LIGHTNING_DATA": home}
        done = self.server.run(*arguments, environment=environment, text=text)
        self.assertEqual(expect, done.returncode, done.stderr)
        return done.stdout + done.stderr

    def test_a_user_signs_in_acts_and_signs_out(self):
        user = self.new_user("developer")
        with tempfile.TemporaryDirectory() as home:
            self.cli(home, "agent", "list", expect=1)
            self.cli(home, "login", user["email"], "--password-file", "-", text="a wrong password\n", expect=1)
            said = self.cli(home, "login", user["email"], "--password-file", "-", text=PASSWORD + "\n")
            self.assertIn(user["email"], said)
            (kept,) = [path for path in pathlib.Path(home, ".config/agent-lightning").iterdir()]
            self.assertEqual(0o600, kept.stat().st_mode & 0o777)
            key = kept.read_text().strip()
            self.assertNotIn(key, said)
            self.assertIn("security_expert", self.cli(home, "agent", "list"))
            self.assertIn(user["email"], self.cli(home, "whoami"))
            self.assertIn("users:read", self.cli(home, "user", "list", expect=1))
            self.cli(home, "logout")
            self.assertEqual([], list(kept.parent.iterdir()))
            time.sleep(REMEMBERED_S)
            self.assertEqual(401, self.call_as(key, "GET", "/agents")[0])

    def test_an_administrator_does_everything_from_the_shell(self):
        run = self.server.run
        made = run("user", "create", "shell@example.org", "--name", "Shell", "--role", "viewer", "--json")
        self.assertEqual(0, made.returncode, made.stderr)
        listed = run("user", "list").stdout
        self.assertIn("shell@example.org", listed)
        id = next(line.split()[0] for line in listed.splitlines() if "shell@example.org" in line)
        self.assertEqual(0, run("user", "set", id, "--status", "disabled").returncode)
        self.assertIn("disabled", run("user", "list").stdout)
        self.assertEqual(0, run("role", "create", "shelled", "--permission", "tasks:read").returncode)
        self.assertIn("tasks:read", run("role", "list").stdout)
        self.assertEqual(0, run("role", "remove", "shelled").returncode)
        key = run("apikey", "create", "ci", "--permission", "agents:read", "--service").stdout.splitlines()[-1]
        self.assertEqual(200, self.call_as(key, "GET", "/agents")[0])
        self.assertIn("user:created", run("audit", "list", "--all").stdout)
        verified = run("audit", "verify")
        self.assertEqual(0, verified.returncode, verified.stdout + verified.stderr)
        head = verified.stdout.splitlines()[-1].split()[1]
        self.assertEqual(0, run("audit", "verify", "--noted", head).returncode)
        self.assertEqual(1, run("audit", "verify", "--noted", "1:" + "0" * 64).returncode)
        self.assertEqual(0, run("user", "remove", id).returncode)


class FirstStart(ServerTest):
    def test_a_password_is_made_up_shown_once_and_must_be_changed(self):
        said = self.server.log.read_text()
        (line,) = [line for line in said.splitlines() if "Sign in as" in line]
        password = line.split("with the password ")[1].split()[0]
        body = {"email": "admin@localhost", "password": password}
        status, answer = self.server.call("POST", "/api/v1/auth/login", body)
        self.assertEqual(200, status, answer)
        self.assertTrue(answer["user"]["must_change_password"])
        headers = {"Authorization": "Bearer " + answer["access_token"], "Content-Type": "application/json"}
        self.assertEqual(403, self.server.call("GET", "/api/v1/agents", headers=headers)[0])
        change = {"current_password": password, "new_password": PASSWORD}
        self.assertEqual(200, self.server.call("POST", "/api/v1/auth/change-password", change, headers)[0])
        time.sleep(REMEMBERED_S)
        self.assertEqual(200, self.server.call("GET", "/api/v1/agents", headers=headers)[0])
        self.server.stop()
        self.server.start()
        self.assertEqual(1, self.server.log.read_text().count("Sign in as"), "a later start makes nobody")


if __name__ == "__main__":
    unittest.main()
