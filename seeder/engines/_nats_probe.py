"""One look at a NATS server on the wire: its greeting, our credentials, a ping. Needs no driver and never retries."""

from __future__ import annotations

import json
import socket
from typing import Any

from seeder.passed.target import Target
from seeder.wait import READY, Verdict, never, not_yet

_LIMIT = 1.5  # seconds


def look(target: Target) -> Verdict:
    try:
        with socket.create_connection((target.address.host, target.address.port), timeout=_LIMIT) as wire:
            return _greet(target, wire)
    except OSError as error:
        return not_yet(error.strerror or str(error) or "no answer")


def _greet(target: Target, wire: socket.socket) -> Verdict:
    wire.settimeout(_LIMIT)
    with wire.makefile("rb") as lines:
        verb, _, rest = lines.readline().partition(b" ")
        if verb != b"INFO":
            return not_yet("it closed the connection" if not verb else "it does not greet like a NATS server")
        if json.loads(rest).get("tls_required"):
            return never("it demands TLS, which seeder does not speak with NATS")
        wire.sendall(b"CONNECT " + json.dumps(_credentials(target)).encode() + b"\r\nPING\r\n")
        answer = lines.readline().decode("utf-8", "replace").strip()
    if answer == "PONG":
        return READY
    reason = answer.removeprefix("-ERR").strip(" '") or "it closed the connection"
    return never(reason) if "authorization" in reason.lower() else not_yet(reason)


def _credentials(target: Target) -> dict[str, Any]:
    hello: dict[str, Any] = {"verbose": False, "pedantic": False, "lang": "python", "version": "1", "protocol": 1, "name": "seeder"}
    if target.user is not None and target.password is None:
        return hello | {"auth_token": target.user}
    return hello | ({"user": target.user, "pass": target.password} if target.user is not None else {})
