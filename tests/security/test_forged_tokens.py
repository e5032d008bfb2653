"""Access tokens that nobody signed, or not for this: each is refused in the same words.

The good one has just been used, so whatever remembers it is warm. `jwt_test.cpp` has every rule by itself; these go
over HTTP.
"""

import base64
import hashlib
import hmac
import json
import time
import unittest
from collections.abc import Iterator
from typing import Any, ClassVar

from people import ADMIN, PASSWORD, PeopleTest, ask, told
from support.server import Server

HS256 = {"alg": "HS256", "typ": "at+jwt"}


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def part(value: Any) -> str:
    return encode(json.dumps(value, separators=(",", ":")).encode())


def by_hmac(header: dict, claims: dict, key: bytes) -> str:
    """Signed with what is no secret: a public key in one of its writings."""
    text = f"{part(HS256 | header)}.{part(claims)}"
    return f"{text}.{encode(hmac.new(key, text.encode(), hashlib.sha256).digest())}"


class ForgedTokens(PeopleTest):
    environment: ClassVar = PeopleTest.environment | {"LOG_LEVEL": "debug"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        answer = cls.tokens()
        cls.good, cls.refresh_token = answer["access_token"], answer["refresh_token"]
        cls.head, cls.body, cls.signature = cls.good.split(".")
        cls.header, cls.claims = json.loads(decode(cls.head)), json.loads(decode(cls.body))
        cls.jwk = cls.server.api("GET", "/auth/jwks.json")["keys"][0]

    def ask_as(self, token: str) -> Any:
        return self.ask("GET", "/auth/me", token=token)

    def assert_refused(self, name: str, token: str) -> None:
        with self.subTest(token=name):
            self.assertEqual(200, self.ask_as(self.good).status)
            self.assertEqual(401, self.ask_as(token).status, token)

    def signed_again(self, header: dict | str | None = None, claims: dict | str | None = None) -> str:
        """Other parts under the signature of the good one."""
        head = header if isinstance(header, str) else part(self.header if header is None else header)
        body = claims if isinstance(claims, str) else part(self.claims if claims is None else claims)
        return f"{head}.{body}.{self.signature}"

    def test_it_is_what_it_should_be(self):
        self.assertEqual(("EdDSA", "at+jwt"), (self.header["alg"], self.header["typ"]))
        self.assertEqual(self.jwk["kid"], self.header["kid"])
        self.assertEqual(900, self.claims["exp"] - self.claims["iat"])
        self.assertFalse({"permissions", "roles", "scope", "password", "email"} & set(self.claims), "looked up instead")

    def test_without_a_signature(self):
        for algorithm in ("none", "None", "nOnE", "NONE", "", None, ["EdDSA"], 0, {"alg": "none"}):
            header = self.header | {"alg": algorithm}
            for signature in ("", self.signature):
                self.assert_refused(f"alg {algorithm!r}", f"{part(header)}.{self.body}.{signature}")
        self.assert_refused("no alg", self.signed_again({key: v for key, v in self.header.items() if key != "alg"}))
        self.assert_refused("no signature", f"{self.head}.{self.body}.")
        self.assert_refused("no third part", f"{self.head}.{self.body}")

    def test_signed_with_what_everybody_knows(self):
        raw = decode(self.jwk["x"])
        spki = bytes.fromhex("302a300506032b6570032100") + raw  # RFC 8410, section 4
        pem = b"-----BEGIN PUBLIC KEY-----\n" + base64.b64encode(spki) + b"\n-----END PUBLIC KEY-----\n"
        keys = {"raw": raw, "DER": spki, "PEM": pem, "PEM without its end": pem[:-1], "x": self.jwk["x"].encode()}
        keys |= {"JWK": json.dumps(self.jwk).encode(), "kid": self.jwk["kid"].encode()}
        keys |= {"nothing": b"", "zeros": bytes(32)}
        for name, key in keys.items():
            self.assert_refused(f"HS256 with {name}", by_hmac({"kid": self.jwk["kid"]}, self.claims, key))
            self.assert_refused(f"HS256 with {name}, and no kid", by_hmac({}, self.claims, key))

    def test_a_key_that_it_brings_along_or_names(self):
        own = {"kty": "oct", "k": encode(b"mine" * 8)}
        for extra in (
            {"jwk": own},
            {"jwk": self.jwk | {"x": encode(bytes(32))}},
            {"jku": "http://127.0.0.1:1/jwks.json"},
            {"x5u": "http://127.0.0.1:1/cert.pem"},
            {"x5c": ["MIIB"]},
        ):
            self.assert_refused(f"{extra}", by_hmac({"kid": self.jwk["kid"]} | extra, self.claims, b"mine" * 8))
        odd = ("../../../../dev/null", "' OR '1'='1", "|id", "x" * 10_000, "", None, 0, ["a"], "\u0000", "unknown")
        for kid in odd:
            self.assert_refused(f"kid {str(kid)[:30]!r}", self.signed_again(self.header | {"kid": kid}))
            self.assert_refused(f"kid {str(kid)[:30]!r} by hmac", by_hmac({"kid": kid}, self.claims, b""))

    def test_other_words_under_a_good_signature(self):
        later = int(time.time()) + 10**6
        for change in (
            {"sub": "00000000-0000-7000-8000-000000000001"},
            {"tenant": "other"},
            {"sid": "00000000-0000-7000-8000-000000000001"},
            {"exp": later},
            {"permissions": ["*:*"]},
            {"aud": "other"},
            {"iss": "Agent-Lightning"},
        ):
            self.assert_refused(f"{change}", self.signed_again(claims=self.claims | change))
        for change in ({"crit": ["exp"]}, {"b64": False}, {"typ": "JWT"}, {"zip": "DEF"}, {"alg": "EdDSA "}):
            self.assert_refused(f"{change}", self.signed_again(self.header | change))

    def test_other_forms(self):
        deep = encode(b'{"a":' * 400 + b"1" + b"}" * 400)
        for name, token in {
            "four parts": self.good + ".x",
            "five parts, as of a JWE": self.good + ".x.y",
            "an empty head": f".{self.body}.{self.signature}",
            "an empty body": f"{self.head}..{self.signature}",
            "dots": "..",
            "deep": self.signed_again(claims=deep),
            "two keys of a name": self.signed_again(claims=encode(b'{"sub":"a",' + decode(self.body)[1:])),
            "not JSON": self.signed_again(claims=encode(b"{")),
            "padded": f"{self.head}.{self.body}.{self.signature}==",
            "a refresh token": self.refresh_token,
            "a refresh token between dots": f"{self.head}.{encode(self.refresh_token.encode())}.{self.signature}",
        }.items():
            self.assert_refused(name, token)

    def neighbours(self) -> Iterator[tuple[str, str]]:
        """Tokens with the same beginning, the same end, or the same middle."""
        for at in (len(self.good) - 1, len(self.good) - 2, len(self.good) - 40, len(self.head) + 5, 3):
            for letter in "AZaz09-_":
                if letter != self.good[at] and self.good[at] != ".":
                    yield f"{letter} at {at}", self.good[:at] + letter + self.good[at + 1 :]
        for at in (1, 10, 43, 85):
            yield f"cut by {at}", self.good[:-at]
        for more in ("A", "AA", "AAAA"):
            yield f"{more} more", self.good + more

    def test_a_token_is_known_by_all_of_it(self):
        """A cache that goes by a part of it would take these for the good one."""
        for name, token in self.neighbours():
            self.assert_refused(name, token)

    def test_one_of_another_installation(self):
        """Made by the same program, for an administrator of the same address."""
        with Server(self.environment) as other:
            theirs = ask(other, "POST", "/auth/login", {"email": ADMIN, "password": PASSWORD}).body
            self.assertEqual(200, ask(other, "GET", "/auth/me", token=theirs["access_token"]).status)
            self.assert_refused("as it is", theirs["access_token"])
            head, body, signature = theirs["access_token"].split(".")
            self.assert_refused("under our key's name", f"{self.head}.{body}.{signature}")
            self.assert_refused("with our body", f"{head}.{self.body}.{signature}")
            status = self.ask("POST", "/auth/refresh", {"refresh_token": theirs["refresh_token"]}).status
            self.assertEqual(401, status)

    def test_all_are_refused_in_the_same_words(self):
        tokens = ("al_" + "x" * 43, f"{self.head}.{self.body}.{self.signature[::-1]}", "a.b.c", self.refresh_token)
        self.assertEqual(1, len({told(self.ask_as(token)) for token in tokens}))

    def test_no_token_gets_into_the_log(self):
        for token in (self.good, self.good[:-1], self.refresh_token):
            self.ask_as(token)
        log = self.server.log.read_text()
        for secret in (self.signature, self.body, self.refresh_token, self.server.token, PASSWORD):
            self.assertNotIn(secret, log)

    def test_two_credentials_are_none(self):
        for headers in (
            {"Authorization": f"Bearer {self.good}", "X-Api-Key": self.server.token},
            {"Authorization": f"Bearer {self.good}, Bearer {self.server.token}"},
            {"Authorization": f"Basic {base64.b64encode(f'{ADMIN}:{PASSWORD}'.encode()).decode()}"},
            {"Authorization": self.good},
            {"Cookie": f"access_token={self.good}"},
            {"X-Access-Token": self.good},
        ):
            with self.subTest(headers=sorted(headers)):
                self.assertEqual(401, self.ask("GET", "/auth/me", headers=headers).status)


if __name__ == "__main__":
    unittest.main()
