"""What /openapi.json says is what the server answers: clients' types are generated from it."""

import unittest

from support.server import Server

# Their answers are no JSON of ours: streams, text, other protocols, and documents with a standard of their own.
NOT_DESCRIBED = {
    "/api/v1/tasks/{task_id}/stream",
    "/api/v1/events/stream",
    "/api/v1/auth/jwks.json",
    "/api/v1/metrics",
    "/api/v1/openapi.json",
}
PASSED_THROUGH = "/api/v1/v1/"
KINDS = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
# With what each of these needs in its query.
QUERIES = {
    "/api/v1/metrics/series": "?name=task.seconds&from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00Z",
    "/api/v1/auth/api-keys": "?owner=all",
    "/api/v1/events/replay": "?kind=agent&aggregate_id=security_expert",
}


class OpenApi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server())
        cls.document = cls.server.call("GET", "/openapi.json")[1]
        agent = cls.server.call("POST", "/agents/security_expert/tasks", {"description": "What is SQL injection?"})
        cls.names = {
            "agent_id": "security_expert",
            "task_id": agent[1]["id"],
            "knowledge_id": cls.server.call("GET", "/knowledge?limit=1")[1]["knowledge"][0]["id"],
            "role_id": "viewer",
            "organisation_id": "default",
            "consumer": "cache-upkeep",
            "entry_id": cls.server.call("GET", "/audit?limit=1")[1]["entries"][0]["id"],
        }

    def operations(self):
        for path, methods in self.document["paths"].items():
            if not path.startswith(PASSED_THROUGH):
                for method, operation in methods.items():
                    yield path, method, operation

    def faults(self, value, schema, place=""):
        """Where `value` is not what `schema` says, members that it does not name among them."""
        if "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        if "anyOf" in schema:
            tried = [list(self.faults(value, one, place)) for one in schema["anyOf"]]
            yield from min(tried, key=len)
            return
        kinds = schema.get("type", list(KINDS))
        kinds = kinds if isinstance(kinds, list) else [kinds]
        fits = [kind for kind in kinds if isinstance(value, KINDS[kind])]
        if isinstance(value, bool) and "boolean" not in kinds or not fits:
            yield f"{place}: {value!r} is none of {kinds}"
        if "enum" in schema and value not in schema["enum"]:
            yield f"{place}: {value!r} is none of {schema['enum']}"
        if isinstance(value, list):
            for i, element in enumerate(value):
                yield from self.faults(element, schema.get("items", {}), f"{place}[{i}]")
        if isinstance(value, dict) and "properties" in schema:
            for name in schema.get("required", []):
                if name not in value:
                    yield f"{place}: has no {name}"
            for name, member in value.items():
                if name not in schema["properties"]:
                    yield f"{place}.{name} is not described"
                else:
                    yield from self.faults(member, schema["properties"][name], f"{place}.{name}")

    def test_every_answer_is_described(self):
        for path, method, operation in self.operations():
            for status, response in operation["responses"].items():
                if status in ("200", "201", "202") and path not in NOT_DESCRIBED:
                    with self.subTest(f"{method} {path}"):
                        self.assertIn("application/json", response.get("content", {}))

    def test_every_body_is_described(self):
        for path, method, operation in self.operations():
            if "requestBody" in operation:
                with self.subTest(f"{method} {path}"):
                    schema = operation["requestBody"]["content"]["application/json"]["schema"]
                    self.assertIn("$ref", schema)

    def test_answers_are_as_described(self):
        asked = 0
        for path, method, operation in self.operations():
            names = {name: self.names.get(name) for name in path.split("{")[1:] for name in [name.split("}")[0]]}
            if method != "get" or path in NOT_DESCRIBED or None in names.values():
                continue
            if "200" not in operation["responses"]:
                continue
            with self.subTest(path):
                status, body = self.server.call("GET", path.format(**names) + QUERIES.get(path, ""))[:2]
                if status in (400, 403, 404, 409, 426):
                    continue  # for a person, of a backup that is not there, ...
                self.assertEqual(status, 200, body)
                asked += 1
                schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
                self.assertEqual(list(self.faults(body, schema)), [])
        self.assertGreater(asked, 30)

    def test_forms_find_limits_and_defaults(self):
        schemas = self.document["components"]["schemas"]
        task = schemas["TaskCreate"]
        self.assertEqual(task["required"], ["description"])
        self.assertEqual(task["properties"]["description"]["maxLength"], 10000)
        self.assertEqual(task["properties"]["priority"]["enum"], ["low", "normal", "high", "urgent"])
        self.assertEqual(task["properties"]["priority"]["default"], "normal")
        self.assertEqual(task["properties"]["max_attempts"]["maximum"], 20)
        self.assertEqual(schemas["Task"]["properties"]["result"]["type"], ["object", "null"])
        self.assertEqual(set(schemas["Task"]["required"]), set(schemas["Task"]["properties"]))


if __name__ == "__main__":
    unittest.main()
