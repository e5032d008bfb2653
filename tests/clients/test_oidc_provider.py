"""Signing in with an identity provider: the npm package oidc-provider, unmodified, through a browser of a few lines.

The package is fetched once, in a fixed version, into build/clients. Without a registry the tests are skipped and say
so.
"""

import contextlib
import http.client
import json
import shutil
import subprocess
import unittest
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

from packages import BUILD, HERE, installed
from support.postgres import free_port
from support.server import Server

FOLDER = BUILD / "oidc"
VERSIONS = (json.loads((HERE / "oidc" / "package.json").read_text())["dependencies"]["oidc-provider"],)
CLIENT = {"OIDC_CLIENT_ID": "platform", "OIDC_CLIENT_SECRET": "a secret: of 100% & more"}
REDIRECTS_MAX = 12


class Browser:
    """Follows redirects and keeps cookies by host, as one person with one program does."""

    def __init__(self, person: str = "jane"):
        self.person = person
        self.cookies: dict[str, dict[str, str]] = {}
        self.visited: list[str] = []

    def request(self, method: str, url: str, body: Any = None, headers: dict[str, str] | None = None):
        """Status, headers and text of one request."""
        place = urlsplit(url)
        kept = self.cookies.setdefault(place.netloc, {})
        sent = {"X-Person": self.person, "Cookie": "; ".join(f"{k}={v}" for k, v in kept.items())} | (headers or {})
        connection = http.client.HTTPConnection(place.netloc, timeout=30)
        with contextlib.closing(connection):
            content = None if body is None else json.dumps(body)
            if content is not None:
                sent["Content-Type"] = "application/json"
            connection.request(method, place.path + ("?" + place.query if place.query else ""), content, sent)
            response = connection.getresponse()
            for line in response.headers.get_all("Set-Cookie") or []:
                for name, cookie in SimpleCookie(line).items():
                    if cookie["max-age"] == "0" or not cookie.value:
                        kept.pop(name, None)
                    else:
                        kept[name] = cookie.value
            return response.status, response.headers, response.read().decode()

    def follow(self, url: str, until: str = ""):
        """Goes on through redirects; stops before a URL that begins with `until`."""
        origin = url
        for _ in range(REDIRECTS_MAX):
            if until and url.startswith(until):
                return 0, {}, url
            self.visited.append(url)
            status, headers, text = self.request("GET", url)
            if status not in (302, 303):
                return status, headers, text
            target = headers["Location"]
            if target.startswith("/"):
                place = urlsplit(url)
                target = f"{place.scheme}://{place.netloc}{target}"
            url = target
        raise AssertionError(f"too many redirects from {origin}")


class OidcProvider(unittest.TestCase):
    """Against a provider that signs with RS256; the unit tests have the other algorithms."""

    @classmethod
    def setUpClass(cls) -> None:
        if not shutil.which("npm"):
            raise unittest.SkipTest("there is no npm here")
        if not installed(
            BUILD / "oidc.installed",
            VERSIONS,
            ["npm", "install", "--silent", "--prefix", str(FOLDER), f"oidc-provider@{VERSIONS[0]}"],
        ):
            raise unittest.SkipTest("the package oidc-provider cannot be had from npm here")
        shutil.copy(HERE / "oidc" / "provider.mjs", FOLDER)
        port = free_port()
        cls.callback = f"http://127.0.0.1:{port}/api/v1/auth/provider/callback"
        cls.provider = subprocess.Popen(
            ["node", str(FOLDER / "provider.mjs"), cls.callback, "RS256"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # it warns of what does not matter here
            text=True,
        )
        cls.addClassCleanup(cls.end_provider)
        cls.issuer = cls.provider.stdout.readline().strip()
        settings = CLIENT | {
            "OIDC_ISSUER": cls.issuer,
            "OIDC_REDIRECT_URI": cls.callback,
            "GATEWAY_PORT": str(port),
            "LOG_LEVEL": "error",
        }
        cls.server = cls.enterClassContext(Server(settings))
        cls.start = cls.server.url + "/api/v1/auth/provider"

    @classmethod
    def end_provider(cls) -> None:
        cls.provider.terminate()
        cls.provider.wait(timeout=10)
        cls.provider.stdout.close()

    def have_user(self, email: str) -> dict:
        """Whom an administrator has made, and who has no password."""
        wanted = {"email": email, "full_name": email, "roles": ["viewer"]}
        status, user = self.server.call("POST", "/api/v1/users", wanted)
        self.assertEqual(201, status, user)
        self.addCleanup(self.server.call, "DELETE", f"/api/v1/users/{user['id']}")
        return user

    def refreshed(self, browser: Browser) -> dict:
        """What a page gets with the cookies of this browser."""
        cookies = browser.cookies[urlsplit(self.server.url).netloc]
        headers = {"Origin": self.server.url, "X-CSRF-Token": cookies["__Host-al_csrf"]}
        status, _, text = browser.request("POST", self.server.url + "/api/v1/auth/refresh", {}, headers)
        self.assertEqual(200, status, text)
        return json.loads(text)

    def me(self, access_token: str) -> dict:
        return self.server.api("GET", "/auth/me", headers={"Authorization": "Bearer " + access_token})

    def refusal(self, answer: tuple) -> tuple[int, str]:
        status, _, text = answer
        return status, json.loads(text)["detail"]

    def test_whom_an_administrator_has_made_signs_in_and_stays_himself(self):
        user = self.have_user("jane@example.com")
        browser = Browser()
        browser.follow(self.start + "?return_to=/welcome")
        self.assertTrue(browser.visited[-1].endswith("/welcome"), browser.visited)
        me = self.me(self.refreshed(browser)["access_token"])
        self.assertEqual(user["id"], me["user"]["id"])
        logins = self.server.api("GET", f"/users/{user['id']}/logins")["logins"]
        self.assertEqual(["oidc"], [login["method"] for login in logins])
        actions = [entry["action"] for entry in self.server.api("GET", "/audit?limit=50")["entries"]]
        self.assertIn("user_identity:linked", actions)

        again = Browser()
        again.follow(self.start)
        self.assertEqual(user["id"], self.me(self.refreshed(again)["access_token"])["user"]["id"])

    def test_an_address_that_goes_to_another_person_opens_nothing(self):
        user = self.have_user("jane@example.com")
        browser = Browser()
        browser.follow(self.start)
        own = {"Authorization": "Bearer " + self.refreshed(browser)["access_token"]}
        status, detail = self.refusal(Browser("jan").follow(self.start))
        self.assertEqual(403, status)
        self.assertIn("another person", detail)
        linked = self.server.api("GET", "/auth/identities", headers=own)["identities"]
        self.server.api("DELETE", f"/auth/identities/{linked[0]['id']}", headers=own)
        for person in ("jan", "jane"):
            self.assertEqual(403, Browser(person).follow(self.start)[0], "nor after the first one is unlinked")
        self.assertEqual([], self.server.api("GET", f"/users/{user['id']}/logins")["logins"])

    def test_who_is_not_known_is_refused(self):
        status, detail = self.refusal(Browser("ann").follow(self.start))
        self.assertEqual(403, status)
        self.assertIn("no account", detail)

    def test_an_address_that_is_not_verified_opens_nothing(self):
        status, detail = self.refusal(Browser("joe").follow(self.start))
        self.assertEqual(403, status)
        self.assertIn("not verified", detail)

    def test_the_address_of_who_has_a_password_opens_nothing(self):
        status, detail = self.refusal(Browser("max").follow(self.start))
        self.assertEqual(403, status)
        self.assertIn("link the provider there", detail)

    def test_a_disabled_user_is_refused(self):
        user = self.have_user("ann@example.com")
        browser = Browser("ann")
        browser.follow(self.start)
        self.refreshed(browser)
        self.server.api("PUT", f"/users/{user['id']}", {"status": "disabled"})
        status, detail = self.refusal(Browser("ann").follow(self.start))
        self.assertEqual(403, status)
        self.assertIn("disabled", detail)

    def test_an_answer_is_good_in_the_browser_that_asked(self):
        self.have_user("jane@example.com")
        _, _, url = Browser().follow(self.start, until=self.callback)
        status, detail = self.refusal(Browser().request("GET", url))
        self.assertEqual(401, status)
        self.assertIn("not begun in this browser", detail)

    def test_an_answer_is_good_once_and_only_as_it_was_given(self):
        self.have_user("jane@example.com")
        browser = Browser()
        _, _, url = browser.follow(self.start, until=self.callback)
        host = urlsplit(self.server.url).netloc
        cookies = dict(browser.cookies[host])
        state = parse_qs(urlsplit(url).query)["state"][0]
        forged = url.replace(state, "A" * len(state))
        self.assertEqual(401, browser.request("GET", forged)[0])
        self.assertEqual(401, browser.request("GET", url.replace("iss=", "iss=https%3A%2F%2Fevil.example%2F"))[0])
        self.assertEqual(401, browser.request("GET", url + "&state=" + state)[0], "twice the same parameter")
        self.assertEqual(303, browser.request("GET", url)[0])
        self.assertNotIn("__Host-al_provider", browser.cookies[host])
        browser.cookies[host] = cookies
        self.assertEqual(401, browser.request("GET", url)[0], "the provider takes a code once")

    def test_a_user_links_the_provider_himself(self):
        password = "correct horse battery staple"
        user = self.have_user("bob@example.org")
        reset = self.server.api("POST", f"/users/{user['id']}/password-reset", expect=201)
        self.server.api("POST", "/auth/reset-password", {"token": reset["token"], "new_password": password})
        login = self.server.api("POST", "/auth/login", {"email": "bob@example.org", "password": password})
        own = {"Authorization": "Bearer " + login["access_token"]}
        browser = Browser("max")
        status, _, text = browser.request("POST", self.start + "/link?return_to=/profile", headers=own)
        self.assertEqual(200, status, text)
        browser.follow(json.loads(text)["authorization_url"])
        self.assertTrue(browser.visited[-1].endswith("/profile"), browser.visited)

        browser = Browser("max")
        browser.follow(self.start)
        self.assertEqual(user["id"], self.me(self.refreshed(browser)["access_token"])["user"]["id"])
        linked = self.server.api("GET", "/auth/identities", headers=own)["identities"]
        self.assertEqual([("max", self.issuer)], [(one["subject"], one["issuer"]) for one in linked])
        self.server.api("DELETE", f"/auth/identities/{linked[0]['id']}", headers=own)
        self.assertEqual(403, Browser("max").follow(self.start)[0])

    def test_a_link_is_made_while_who_began_it_is_signed_in(self):
        self.have_user("ann@example.com")
        browser = Browser("ann")
        browser.follow(self.start)
        own = {"Authorization": "Bearer " + self.refreshed(browser)["access_token"]}
        thief = Browser("max")
        _, _, text = thief.request("POST", self.start + "/link", headers=own)
        _, _, answer = thief.follow(json.loads(text)["authorization_url"], until=self.callback)
        self.server.api("POST", "/auth/logout", headers=own)
        status, detail = self.refusal(thief.request("GET", answer))
        self.assertEqual(401, status)
        self.assertIn("signed out", detail)
        self.assertEqual(403, Browser("max").follow(self.start)[0])

    def test_nobody_is_sent_elsewhere(self):
        for wrong in ("https://evil.example/", "//evil.example", "/\\evil.example", "evil", "/%0d%0aSet-Cookie:x=y"):
            status, headers, _ = Browser().request("GET", self.start + "?return_to=" + wrong)
            self.assertIn(status, (400, 422), wrong)
            self.assertIsNone(headers["Location"], wrong)

    def test_where_people_sign_in_learns_of_the_provider(self):
        ways = self.server.api("GET", "/auth/ways", headers={"Authorization": ""})
        self.assertEqual(
            {
                "password": True,
                "registration": False,
                "provider": {"name": "Single sign-on", "start": "/api/v1/auth/provider"},
            },
            ways,
        )


if __name__ == "__main__":
    unittest.main()
