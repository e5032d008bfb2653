"""The web application, as the program serves it: its page, its files, and the API beside them."""

import gzip
import re
import unittest

from support.server import Server


class Dashboard(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server(roles=("gateway", "dashboard", "agent-designer", "operations")))

    def get(self, path, headers=None, method="GET"):
        connection, response = self.server.open(method, path, None, headers or {}, role="dashboard")
        body = response.read()
        connection.close()
        return response, body

    def page(self, path="/", headers=None):
        response, body = self.get(path, headers)
        self.assertEqual(200, response.status)
        self.assertEqual("text/html; charset=utf-8", response.headers["Content-Type"])
        return response.headers, body.decode()

    def test_deep_links_are_the_page(self):
        for path in ("/", "/agents", "/tasks/some/thing?status=failed", "/index.html"):
            headers, text = self.page(path)
            self.assertIn('<div id="root">', text)
            self.assertEqual("no-store", headers["Cache-Control"])
            self.assertEqual("DENY", headers["X-Frame-Options"])
            self.assertEqual("nosniff", headers["X-Content-Type-Options"])

    def test_the_policy_allows_what_the_page_has_and_no_more(self):
        first, text = self.page()
        second, _ = self.page()
        policy = first["Content-Security-Policy"]
        self.assertNotEqual(policy, second["Content-Security-Policy"])
        nonce = re.search(r"style-src 'self' 'nonce-([\w-]{22})'", policy).group(1)
        self.assertNotIn("__CSP_NONCE__", text)
        self.assertEqual({nonce}, set(re.findall(r'nonce="([^"]*)"', text)) or {nonce})
        self.assertNotIn("unsafe", policy)
        self.assertIn(f"connect-src 'self' ws://{first_host(self.server)}", policy)
        self.assertEqual([], re.findall(r"<script(?![^>]*\bsrc=)", text), "no script in the page itself")

    def test_every_file_of_the_page_is_there(self):
        _, text = self.page()
        files = re.findall(r'(?:src|href)="(/[^"]+)"', text)
        self.assertTrue(any(file.startswith("/assets/") for file in files), files)
        for file in files:
            with self.subTest(file):
                packed, body = self.get(file, {"Accept-Encoding": "gzip"})
                plain, text = self.get(file, {"Accept-Encoding": "identity"})
                self.assertEqual((200, 200), (packed.status, plain.status))
                self.assertEqual("gzip", packed.headers["Content-Encoding"])
                self.assertEqual(text, gzip.decompress(body))
                kept = "immutable" if file.startswith("/assets/") else "no-cache"
                self.assertIn(kept, packed.headers["Cache-Control"])
                tag = {"If-None-Match": plain.headers["ETag"], "Accept-Encoding": "identity"}
                self.assertEqual(304, self.get(file, tag)[0].status)

    def test_what_is_no_page_is_refused(self):
        for path in ("/assets/none.js", "/robots.txt", "/assets/..%2findex.html"):
            response, _ = self.get(path)
            self.assertEqual(404, response.status, path)
            self.assertEqual("application/problem+json", response.headers["Content-Type"])
        self.assertEqual(400, self.get("/assets/../index.html")[0].status)
        self.assertEqual(405, self.get("/agents", method="POST")[0].status)
        self.assertEqual(404, self.get("/agents", {"Accept": "application/json"})[0].status)

    def test_the_api_is_beside_it(self):
        self.assertEqual(200, self.server.call("GET", "/api/v1/agents", role="dashboard")[0])
        self.assertEqual("dashboard", self.server.call("GET", "/health", role="dashboard")[1]["service"])
        status, overview = self.server.call("GET", "/api/v1/gateway/services", role="dashboard")[:2]
        self.assertEqual(200, status)
        self.assertIn("agent-designer", [service["name"] for service in overview["services"]])


def first_host(server):
    return server.urls["dashboard"].split("://", 1)[1]


if __name__ == "__main__":
    unittest.main()
