"""Who has a few rights and wants more: by a key, a role, a user, or a route that forgot to ask."""

import re
import time
import unittest
from typing import ClassVar
from urllib.parse import urlsplit

from people import ADMIN, NOBODY, PASSWORD, REMEMBERED_S, PeopleTest
from raw_http import Asker, request
from support.sign_in import OPEN_ROUTES

# Of the installation as a whole: an organisation's administrator has every permission, but over his organisation.
OF_OPERATORS = {
    ("GET", "/configuration"): None,
    ("GET", "/metrics"): None,
    ("GET", "/backups"): None,
    ("POST", "/backups"): None,
    ("GET", "/backups/none"): None,
    ("GET", "/consumers"): None,
    ("GET", "/consumers/task-metrics"): None,
    ("POST", "/consumers/task-metrics/replay"): {"from": "tip"},
    ("GET", "/organisations"): None,
    ("POST", "/organisations"): {"id": "evil", "name": "Evil"},
    ("GET", "/organisations/default"): None,
    ("PUT", "/organisations/default"): {"name": "Evil"},
    ("PUT", "/organisations/guests"): {"name": "Evil"},
    ("POST", "/organisations/default/users"): {"email": "evil@al.test", "full_name": "E", "roles": ["admin"]},
    ("POST", "/auth/keys/rotate"): None,
    ("GET", "/services"): None,
    ("GET", "/topology"): None,
    ("GET", "/instances"): None,
    ("POST", "/instances"): {"name": "evil", "host": "evil.example", "port": 80},
    ("GET", "/gateway/services"): None,
}
IS_FOR_A_PERMISSION = "This needs the permission"


class DenyByDefault(PeopleTest):
    """Every route times every permission."""

    def test_a_permission_opens_its_routes_and_no_others(self):
        routes = self.operations()
        needs = {route: operation.get("x-permission", "") for route, operation in routes.items()}
        self.assertEqual(OPEN_ROUTES, {route for route, permission in needs.items() if not permission})
        self.assertGreater(len(routes), 100)
        port = urlsplit(self.server.url).port
        for permission in sorted(set(needs.values()) - {""}):
            key = self.service_key(permission)
            with Asker(port) as asker:
                for (method, path), needed in needs.items():
                    if not needed or (needed == permission and path.endswith("/stream")):
                        continue
                    target = "/api/v1" + re.sub(r"{\w+}", NOBODY, path)
                    body = b"{}" if "requestBody" in routes[method, path] else None
                    answer = asker.ask(request(method, target, key, body=body))
                    said = IS_FOR_A_PERMISSION in answer.body.decode()
                    if (answer.status, said) != (403, True) if needed != permission else said:
                        with self.subTest(route=f"{method} {path}", permission=permission):
                            self.fail(f"{answer.status}: {answer.body[:200]}")

    def test_only_whole_words_are_wild(self):
        key = self.service_key("agents:*")
        self.assertEqual(200, self.ask("GET", "/agents", token=key).status)
        self.assertEqual(403, self.ask("GET", "/tasks", token=key).status)
        odd = ("*", "*:", ":*", "*:read", "agent*:read", "agents:r*", "agents", "agents:read:x", "AGENTS:read", "")
        for wrong in odd:
            with self.subTest(permission=wrong):
                wanted = {"name": "k", "permissions": [wrong]}
                self.api("POST", "/auth/api-keys?owner=service", wanted, 422)
                self.api("POST", "/roles", {"id": "odd", "permissions": [wrong]}, 422)

    def test_the_permission_is_asked_for_before_the_body_is_read(self):
        """Else a caller without rights could use the parsers, and learn what is valid."""
        key = self.service_key("metrics:read")
        for (method, path), operation in self.operations().items():
            if "requestBody" not in operation or not operation.get("x-permission"):
                continue
            target = re.sub(r"{\w+}", NOBODY, path)
            for token, status in (("", 401), ("al_wrong", 401), (key, 403)):
                with self.subTest(route=f"{method} {path}", status=status):
                    self.assertEqual(status, self.ask(method, target, b"{no JSON", token).status)


class Keys(PeopleTest):
    def key(self, token: str, *permissions: str, owner: str = "me") -> dict:
        wanted = {"name": "k", "permissions": list(permissions)}
        reply = self.ask("POST", f"/auth/api-keys?owner={owner}", wanted, token)
        self.assertEqual(201, reply.status, reply)
        return reply.body

    def rotate(self, id: str, token: str) -> int:
        return self.ask("POST", f"/auth/api-keys/{id}/rotate", {}, token).status

    def test_a_narrow_key_does_not_take_over_a_wider_one(self):
        """Rotating answers the new key, so it is a way to have what the other one may do."""
        login = self.access_token("developer")
        wide = self.key(login, "agents:*", "profile:*")
        narrow = self.key(login, "profile:*")["api_key"]
        self.assertEqual(403, self.ask("GET", "/agents", token=narrow).status)
        self.assertEqual(403, self.rotate(wide["key"]["id"], narrow))
        self.assertEqual(200, self.ask("GET", "/agents", token=wide["api_key"]).status)
        self.assertEqual(200, self.rotate(wide["key"]["id"], login), "its owner may, as he may do more")

    def test_a_key_makes_no_wider_one(self):
        narrow = self.key(self.access_token("developer"), "profile:*", "agents:read")["api_key"]
        for wide in (["*:*"], ["agents:*"], ["agents:read", "tasks:read"]):
            with self.subTest(permissions=wide):
                wanted = {"name": "w", "permissions": wide}
                self.assertEqual(403, self.ask("POST", "/auth/api-keys", wanted, narrow).status)
        self.key(narrow, "agents:read")

    def test_who_manages_keys_does_not_become_another(self):
        self.api("POST", "/roles", {"id": "keys_only", "permissions": ["api_keys:*"]}, 201)
        keeper = self.access_token("keys_only")
        admins = self.key(self.tokens()["access_token"], "*:*")["key"]["id"]
        services = self.key(self.server.token, "agents:write", owner="service")["key"]["id"]
        listed = self.ask("GET", "/auth/api-keys?owner=all", token=keeper).body["api_keys"]
        bootstrap = next(key["id"] for key in listed if key["name"] == "bootstrap")
        for name, id in (("admin", admins), ("service", services), ("bootstrap", bootstrap)):
            with self.subTest(whose=name):
                self.assertEqual(403, self.rotate(id, keeper))
        self.assertEqual(200, self.ask("GET", "/agents", token=self.server.token).status)

    def test_a_key_is_no_sign_in(self):
        user = self.new_user("developer")
        key = self.key(self.tokens(user["email"])["access_token"], "*:*")["api_key"]
        change = {"current_password": PASSWORD, "new_password": "another long password"}
        for path, body in (
            ("/auth/change-password", change),
            ("/auth/mfa", None),
            ("/auth/mfa/confirm", {"code": "123456"}),
            ("/auth/mfa/disable", {"password": PASSWORD}),
            ("/auth/logout", None),
        ):
            with self.subTest(path=path):
                self.assertEqual(403, self.ask("POST", path, body, key).status)
        self.tokens(user["email"])

    def test_a_key_ends_with_its_user(self):
        for change in ({"status": "disabled"}, {"roles": []}, None):
            user = self.new_user("developer")
            token = self.tokens(user["email"])["access_token"]
            key = self.key(token, "agents:read")["api_key"]
            self.assertEqual(200, self.ask("GET", "/agents", token=key).status)
            if change:
                self.api("PUT", f"/users/{user['id']}", change)
            else:
                self.api("DELETE", f"/users/{user['id']}")
            time.sleep(REMEMBERED_S)
            status = 403 if change == {"roles": []} else 401
            with self.subTest(change=change):
                self.assertEqual(status, self.ask("GET", "/agents", token=key).status)
                self.assertEqual(status, self.ask("GET", "/agents", token=token).status)


class Roles(PeopleTest):
    """A keeper of users and roles, who may read agents besides."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        held = ["users:*", "roles:*", "agents:read"]
        cls.server.api("POST", "/roles", {"id": "keeper", "permissions": held}, 201)
        cls.server.api("POST", "/roles", {"id": "wide", "permissions": ["agents:*"]}, 201)
        cls.user = cls.new_user("keeper")
        cls.token = cls.tokens(cls.user["email"])["access_token"]
        cls.admin = next(user for user in cls.server.api("GET", "/users?limit=500")["users"] if user["email"] == ADMIN)
        cls.wider = cls.new_user("wide")

    def test_no_way_leads_to_more(self):
        own, admin, wider = (f"/users/{user['id']}" for user in (self.user, self.admin, self.wider))
        puppet = {"email": "puppet@al.test", "full_name": "P"}
        before = self.api("GET", "/roles"), self.api("GET", "/users?limit=500")
        for method, path, body in (
            ("PUT", "/roles/keeper", {"permissions": ["users:*", "roles:*", "agents:read", "agents:write"]}),
            ("PUT", "/roles/keeper", {"permissions": ["*:*"]}),
            ("PUT", "/roles/keeper", {"permissions": ["agents:*"]}),
            ("PUT", "/roles/wide", {"permissions": ["agents:read"]}),  # nor less for others
            ("PUT", "/roles/wide", {"description": "mine"}),
            ("DELETE", "/roles/wide", None),
            ("POST", "/roles", {"id": "new", "permissions": ["tasks:read"]}),
            ("POST", "/roles", {"id": "new", "permissions": ["agents:read", "*:*"]}),
            ("PUT", own, {"roles": ["keeper", "admin"]}),
            ("PUT", own, {"roles": ["wide"]}),
            ("POST", "/users", puppet | {"roles": ["wide"]}),
            ("POST", "/users", puppet | {"roles": ["keeper", "admin"]}),
            ("PUT", admin, {"status": "disabled"}),
            ("PUT", admin, {"email": "mine@al.test"}),
            ("PUT", wider, {"roles": []}),
            ("POST", admin + "/password-reset", None),
            ("POST", wider + "/password-reset", None),
            ("POST", admin + "/mfa/disable", None),
            ("DELETE", admin, None),
            ("DELETE", wider, None),
            ("POST", "/auth/api-keys?owner=service", {"name": "k", "permissions": ["agents:read"]}),
        ):
            with self.subTest(way=f"{method} {path} {body}"):
                self.assertEqual(403, self.ask(method, path, body, self.token).status)
        self.assertEqual(before, (self.api("GET", "/roles"), self.api("GET", "/users?limit=500")))

    def test_nobody_ends_logins_of_who_may_do_more(self):
        self.api("POST", "/roles", {"id": "signed_in", "permissions": ["users:write", "profile:write"]}, 201)
        keeper = self.tokens(self.new_user("signed_in")["email"])
        for name, other in (("admin", self.tokens()), ("wider", self.tokens(self.wider["email"]))):
            with self.subTest(whose=name):
                reply = self.ask("DELETE", f"/auth/logins/{other['session_id']}", token=keeper["access_token"])
                self.assertEqual(403, reply.status, reply)
                time.sleep(REMEMBERED_S)
                self.assertEqual(200, self.ask("GET", "/agents?limit=1", token=other["access_token"]).status)
        for name, other in (("equal", self.tokens(self.new_user("signed_in")["email"])), ("own", keeper)):
            with self.subTest(whose=name):
                path = f"/auth/logins/{other['session_id']}"
                self.assertEqual(200, self.ask("DELETE", path, token=keeper["access_token"]).status)

    def test_a_role_that_is_gone_hides_none_behind_it(self):
        self.api("POST", "/roles", {"id": "former", "permissions": ["agents:read"]}, 201)
        boss = f"/users/{self.new_user('former', 'admin')['id']}"
        self.assertEqual(200, self.ask("DELETE", "/roles/former", token=self.token).status)
        for method, path, body in (
            ("POST", boss + "/password-reset", None),
            ("POST", boss + "/mfa/disable", None),
            ("PUT", boss, {"status": "disabled"}),
            ("PUT", boss, {"roles": ["former", "admin", "keeper"]}),
            ("DELETE", boss, None),
        ):
            with self.subTest(way=f"{method} {path} {body}"):
                self.assertEqual(403, self.ask(method, path, body, self.token).status)
        self.assertEqual(["former", "admin"], self.api("GET", boss)["roles"])

    def test_built_in_roles_stay_as_they_are(self):
        for id in ("admin", "developer", "operator", "viewer", "guest"):
            with self.subTest(role=id):
                self.api("PUT", f"/roles/{id}", {"permissions": ["*:*"]}, 409)
                self.api("DELETE", f"/roles/{id}", expect=409)
                self.api("POST", "/roles", {"id": id, "permissions": ["agents:read"]}, 409)

    def test_a_role_that_is_gone_gives_nothing(self):
        self.api("POST", "/roles", {"id": "brief", "permissions": ["agents:read"]}, 201)
        token = self.access_token("brief")
        self.assertEqual(200, self.ask("GET", "/agents", token=token).status)
        self.api("DELETE", "/roles/brief")
        time.sleep(REMEMBERED_S)
        self.assertEqual(403, self.ask("GET", "/agents", token=token).status)


class Operators(PeopleTest):
    def test_an_organisations_administrator_runs_no_installation(self):
        self.api("POST", "/organisations", {"id": "guests", "name": "Guests"}, 201)
        boss = self.new_organisation("acme")
        made = self.ask("POST", "/auth/api-keys?owner=service", {"name": "k", "permissions": ["*:*"]}, boss).body
        for (method, path), body in OF_OPERATORS.items():
            for name, token in (("login", boss), ("key", made["api_key"])):
                with self.subTest(route=f"{method} {path}", credential=name):
                    reply = self.ask(method, path, body, token)
                    self.assertEqual(403, reply.status, str(reply.body)[:200])
        self.assertEqual([], self.api("GET", "/backups")["backups"])
        self.assertEqual("Guests", self.api("GET", "/organisations/guests")["name"])

    def test_its_users_give_roles_of_their_own_only(self):
        self.api("POST", "/roles", {"id": "house", "permissions": ["agents:read"]}, 201)
        boss = self.new_organisation("other")
        wanted = {"email": "clerk@other.test", "full_name": "C", "roles": ["house"]}
        self.assertEqual(422, self.ask("POST", "/users", wanted, boss).status)
        self.assertEqual(404, self.ask("GET", "/roles/house", token=boss).status)
        wanted = {"email": "second@other.test", "full_name": "C", "roles": ["house"]}
        self.assertEqual(422, self.ask("POST", "/organisations/other/users", wanted, self.server.token).status)


class FirstSignIn(PeopleTest):
    environment: ClassVar = {key: value for key, value in PeopleTest.environment.items() if "PASSWORD" not in key}

    def test_a_password_that_was_made_up_opens_only_its_own_change(self):
        """It is printed, so it is good for nothing but another one."""
        said = self.server.log.read_text()
        found = re.search(r"password (\S{16,})", said)
        self.assertIsNotNone(found, said)
        token = self.tokens(ADMIN, found[1])["access_token"]
        for (method, path), operation in self.operations().items():
            needed = operation.get("x-permission", "")
            if needed and needed not in ("profile:read", "profile:password", "profile:logout"):
                body = {} if "requestBody" in operation else None
                with self.subTest(route=f"{method} {path}"):
                    self.assertEqual(403, self.ask(method, re.sub(r"{\w+}", NOBODY, path), body, token).status)
        change = {"current_password": found[1], "new_password": PASSWORD}
        self.assertEqual(200, self.ask("POST", "/auth/change-password", change, token).status)
        self.assertEqual(200, self.ask("GET", "/agents", token=self.tokens()["access_token"]).status)


if __name__ == "__main__":
    unittest.main()
