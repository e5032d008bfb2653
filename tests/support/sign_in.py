"""What tests of signing in share."""

import base64
import hashlib
import hmac
import struct
import time

PASSWORD = "correct horse battery staple"
# The only routes that ask for no permission, by method and path under /api/v1.
OPEN_ROUTES = {
    ("GET", "/health"),
    ("GET", "/ready"),
    ("GET", "/openapi.json"),
    ("GET", "/auth/jwks.json"),
    ("GET", "/auth/ways"),
    ("GET", "/auth/provider"),
    ("GET", "/auth/provider/callback"),
    ("POST", "/auth/login"),
    ("POST", "/auth/refresh"),
    ("POST", "/auth/register"),
    ("POST", "/auth/reset-password"),
    ("GET", "/ws"),  # asks by itself, since pages cannot send headers there: the first message may carry the credential
}


def totp(secret: str, at: float | None = None) -> str:
    """RFC 6238 with SHA-1, six digits and 30 seconds: as authenticator apps compute it."""
    step = int((time.time() if at is None else at) // 30)
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1).digest()
    begin = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[begin : begin + 4])[0] & 0x7FFFFFFF) % 10**6:06}"
