"""Every route times every class of bad input: each answer is a 4xx problem with the right code, none is a 5xx.

The routes come from /openapi.json, so a new route is in the table without anyone writing it down.
"""

import json
import re
import unittest
from urllib.parse import quote

from support.server import Server

SOME_UUID = "01890a5d-ac96-774b-bcce-b302099a8057"
PATH_VALUES = {
    "agent_id": "security_expert",
    "task_id": SOME_UUID,
    "knowledge_id": "sql_injection_prevention",
    "session_id": SOME_UUID,
    "provider_id": "nobody",
    "dead_letter_id": SOME_UUID,
    "consumer": "nobody",
    "backup_id": "none",
    "id": "none",  # of a model
    "user_id": SOME_UUID,
    "login_id": SOME_UUID,
    "key_id": SOME_UUID,
    "role_id": "nobody",
    "organisation_id": "nobody",
    "identity_id": SOME_UUID,
    "instance_id": SOME_UUID,
    "service": "nobody",
    "entry_id": SOME_UUID,
}
# Their errors are in the words of the protocol that they pass through; test_gateway_passthrough has them.
PASSED_THROUGH = "/api/v1/v1/"
TAKES_AN_EMPTY_OBJECT = {
    "/api/v1/sessions",
    "/api/v1/auth/refresh",
    "/api/v1/auth/api-keys/{key_id}/rotate",
    "/api/v1/instances/{instance_id}/heartbeat",
}
OPEN_PATHS = {
    "/health",
    "/ready",
    "/openapi.json",
    "/auth/login",
    "/auth/refresh",
    "/auth/register",
    "/auth/reset-password",
    "/auth/jwks.json",
    "/auth/ways",
    "/auth/provider",
    "/auth/provider/callback",
    "/ws",
}
HOSTILE_IDS = [
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e",
    "a%00b",
    "%ff%fe",
    "x" * 5000,
    "'%20OR%201=1--",
    "%0d%0aX-Evil:1",
    "%7B%7B7*7%7D%7D",
    "%F0%9F%92%A3",
    "-",
    "A B".replace(" ", "%20"),
]
BAD_TOKENS = {
    "none": None,
    "empty": "Bearer ",
    "wrong": "Bearer al_wrong",
    "basic": "Basic YTpi",
    "no scheme": "al_wrong",
    "twice": "Bearer a Bearer b",
    "long": "Bearer " + "a" * 4000,
    "quote": "Bearer ' OR '1'='1",
}


def deep(levels):
    return "[" * levels + "]" * levels


def bodies():
    """Class of bad body -> (raw bytes, statuses and codes that are right)."""
    parse = {(400, "bad_request")}
    either = {(400, "bad_request"), (422, "invalid")}
    return {
        "bad JSON": (b'{"a": ', parse),
        "empty": (b"", parse),
        "trailing text": (b"{} x", parse),
        "duplicate key": (b'{"id": "a", "id": "b"}', parse),
        "NUL in a string": (b'{"name": "a\\u0000b"}', parse),
        "raw NUL": (b'{"name": "a\x00b"}', parse),
        "bad UTF-8": (b'{"name": "\xff\xfe"}', parse),
        "lone surrogate": (b'{"name": "\\ud800"}', parse),
        "deep nesting": (('{"config": ' + deep(100) + "}").encode(), parse),
        "very deep nesting": (deep(100000).encode(), parse),
        "number too large": (b'{"limit": 1e400}', parse),
        "unknown key": (b'{"no_such_key": 1}', {(422, "invalid")}),
        "missing": (b"{}", {(422, "invalid")}),
        "array for object": (b"[]", either),
        "string for object": (b'"text"', either),
        "null": (b"null", either),
    }


def wrong_types(schema):
    """A body in which every member has a type that it does not take."""
    out = {}
    for name, member in schema.get("properties", {}).items():
        if member.get("readOnly"):
            continue
        kinds = member.get("type", "object")
        kinds = kinds if isinstance(kinds, list) else [kinds]
        out[name] = 5 if "string" in kinds or "object" in kinds or "array" in kinds else "text"
        if "integer" in kinds or "number" in kinds:
            out[name] = "text"
        if "boolean" in kinds:
            out[name] = "text"
    return out


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server())
        cls.api = json.loads(cls.call("GET", "/openapi.json", token=None)[1])
        cls.operations = [
            (method.upper(), path, operation)
            for path, methods in cls.api["paths"].items()
            for method, operation in methods.items()
            if method in ("get", "post", "put", "delete") and not path.startswith(PASSED_THROUGH)
        ]

    @classmethod
    def call(cls, method, path, body=None, token="valid", headers=None):
        connection = cls.server.connect(timeout_s=20)
        all_headers = dict(headers or {})
        if token == "valid":
            all_headers["Authorization"] = "Bearer " + cls.server.token
        elif token is not None:
            all_headers["Authorization"] = token
        if body is not None:
            all_headers.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path, body=body, headers=all_headers)
            response = connection.getresponse()
            if "event-stream" in (response.getheader("Content-Type") or ""):
                return response.status, b"", response
            return response.status, response.read(), response
        finally:
            connection.close()

    @staticmethod
    def fill(path, values=None):
        return re.sub(r"{(\w+)}", lambda m: (values or PATH_VALUES)[m.group(1)], path)

    def check(self, what, answer, allowed):
        status, body, response = answer
        self.assertLess(status, 500, f"{what}: {status} {body[:300]!r}")
        self.assertGreaterEqual(status, 400, f"{what}: was taken, {status} {body[:300]!r}")
        self.assertEqual("application/problem+json", response.getheader("Content-Type"), what)
        problem = json.loads(body)
        self.assertIn((status, problem["code"]), allowed, f"{what}: {problem}")
        self.assertEqual(status, problem["status"], what)
        for key in ("title", "detail", "request_id"):
            self.assertTrue(problem.get(key), f"{what}: no {key} in {problem}")
        return problem

    def with_bodies(self):
        return [o for o in self.operations if "requestBody" in o[2]]

    def request_schema(self, operation):
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        while "$ref" in schema:
            schema = self.api["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        return schema

    def test_there_are_routes_of_every_kind(self):
        self.assertGreater(len(self.operations), 25)
        self.assertGreater(len(self.with_bodies()), 8)

    def test_tokens(self):
        for method, path, _ in self.operations:
            bare = path.removeprefix("/api/v1")
            if bare in OPEN_PATHS:
                continue
            for name, token in BAD_TOKENS.items():
                for form in {path, bare}:
                    with self.subTest(route=f"{method} {form}", token=name):
                        self.check(
                            f"{method} {form} token {name}",
                            self.call(method, self.fill(form), token=token),
                            {(401, "unauthenticated")},
                        )

    def test_bodies(self):
        for method, path, _ in self.with_bodies():
            for name, (raw, allowed) in bodies().items():
                with self.subTest(route=f"{method} {path}", body=name):
                    if name == "missing" and (method == "PUT" or path in TAKES_AN_EMPTY_OBJECT):
                        continue  # nothing to change is not a fault of a partial PUT
                    self.check(f"{method} {path} {name}", self.call(method, self.fill(path), raw), allowed)

    def test_wrong_types(self):
        for method, path, operation in self.with_bodies():
            body = wrong_types(self.request_schema(operation))
            if not body:
                continue
            with self.subTest(route=f"{method} {path}"):
                problem = self.check(
                    f"{method} {path} wrong types",
                    self.call(method, self.fill(path), json.dumps(body)),
                    {(422, "invalid")},
                )
                named = {error["path"] for error in problem["errors"]}
                self.assertTrue(set(body) <= named, f"{method} {path}: not all faults are named: {set(body) - named}")

    def test_content_type(self):
        for method, path, _ in self.with_bodies():
            for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml", "nonsense"):
                with self.subTest(route=f"{method} {path}", content_type=kind):
                    answer = self.call(method, self.fill(path), b"{}", headers={"Content-Type": kind})
                    self.check(f"{method} {path} as {kind}", answer, {(415, "unsupported_media_type")})

    def test_ten_megabytes(self):
        large = b'{"name": "' + b"a" * (10 << 20) + b'"}'
        larger = b'{"name": "' + b"a" * (17 << 20) + b'"}'
        for method, path, _ in self.with_bodies():
            takes_more = path.endswith(("/bulk", "/import"))
            with self.subTest(route=f"{method} {path}"):
                try:
                    answer = self.call(method, self.fill(path), larger if takes_more else large)
                except (BrokenPipeError, ConnectionResetError):
                    continue  # the server refused and hung up before all was sent
                self.check(f"{method} {path} 10 MB", answer, {(413, "payload_too_large")})

    def test_hostile_ids(self):
        for method, path, operation in self.operations:
            if "{" not in path:
                continue
            for hostile in HOSTILE_IDS:
                values = {name: hostile for name in PATH_VALUES}
                body = b"{}" if "requestBody" in operation else None
                with self.subTest(route=f"{method} {path}", id=hostile[:40]):
                    status, text, _ = self.call(method, self.fill(path, values), body)
                    self.assertIn(
                        status, (400, 404, 405, 413, 414, 422, 431), f"{method} {path} {hostile[:40]}: {text[:200]!r}"
                    )

    def test_query_parameters(self):
        for method, path, operation in self.operations:
            if method != "GET" or path.removeprefix("/api/v1") in OPEN_PATHS:
                continue
            cases = ["no_such=1", "limit=0&no_such=1"]
            declared = {p["name"] for p in operation.get("parameters", []) if p["in"] == "query"}
            if "limit" in declared:
                cases += ["limit=0", "limit=-1", "limit=1e3", "limit=99999999999999999999", "limit=abc", "limit="]
            for case in cases:
                with self.subTest(route=f"{method} {path}", query=case):
                    self.check(
                        f"{method} {path}?{case}",
                        self.call(method, self.fill(path) + "?" + case),
                        {(422, "invalid"), (400, "bad_request")},
                    )

    def test_methods(self):
        for path in {path for _, path, _ in self.operations}:
            for method in ("PATCH", "TRACE", "CONNECT", "BREW"):
                with self.subTest(route=f"{method} {path}"):
                    status = self.call(method, self.fill(path))[0]
                    self.assertIn(status, (400, 404, 405, 501), f"{method} {path}")

    def test_conditional_and_idempotency_headers(self):
        for value in ('"abc"', "7", 'W/"', '"' + "9" * 40 + '"'):
            with self.subTest(if_match=value):
                answer = self.call(
                    "PUT", "/api/v1/agents/security_expert", b'{"name": "x"}', headers={"If-Match": value}
                )
                self.check(f"If-Match {value}", answer, {(400, "bad_request"), (412, "version_mismatch")})
        for key in ("", "a" * 300):
            with self.subTest(idempotency_key=key[:10]):
                answer = self.call(
                    "POST",
                    "/api/v1/agents/security_expert/tasks",
                    b'{"description": "x"}',
                    headers={"Idempotency-Key": key},
                )
                self.check("Idempotency-Key", answer, {(400, "bad_request")})

    def test_the_server_still_works(self):
        status, body, _ = self.call("GET", "/api/v1/agents?limit=1")
        self.assertEqual(200, status)
        self.assertEqual(1, json.loads(body)["count"])
        self.assertEqual(404, self.call("GET", "/api/v1/agents/" + quote("no such agent"))[0])


if __name__ == "__main__":
    unittest.main()
