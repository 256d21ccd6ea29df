"""A claim of a JSON Web Token: by it a service of a shared system knows the tenant, where it takes nobody's word for a header."""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from seeder.frozen import frozen

LASTS: Final = datetime.timedelta(days=1)  # a client is made anew for each command; none is at work for longer


@frozen
class Claim:
    """`name` carries the tenant; `key`, which the service knows too, signs it; `beside` are the claims that never change."""

    name: str
    key: str = field(repr=False)
    beside: Mapping[str, Any] = field(default_factory=dict)

    def token(self, tenant: str, now: datetime.datetime) -> str:
        """In compact form, signed by HMAC with SHA-256: RFC 7519, RFC 7515 section 7.1, RFC 7518 section 3.2."""
        issued = int(now.timestamp())
        claims = {**self.beside, self.name: tenant, "iat": issued, "exp": issued + int(LASTS.total_seconds())}
        return signed(claims, self.key)


def signed(claims: Mapping[str, Any], key: str) -> str:
    text = ".".join(_base64(json.dumps(part, separators=(",", ":")).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return f"{text}.{_base64(hmac.digest(key.encode(), text.encode(), hashlib.sha256))}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
