"""Who may call: three schemes, each checked against a credential from the service's own environment."""

from __future__ import annotations

from collections.abc import Callable
from secrets import compare_digest

from fastapi import Depends
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBasic, HTTPBasicCredentials, HTTPBearer

from shopkit.problems import Problem
from shopkit.settings import setting

Check = Callable[..., None]


def bearer(token: str) -> Check:
    """Ask for `Authorization: Bearer <value of the setting `token`>`."""
    expected = setting(token)

    def check(given: HTTPAuthorizationCredentials | None = Depends(HTTPBearer(auto_error=False))) -> None:
        if given is None or not same(given.credentials, expected):
            raise unauthorised("Bearer")

    return check


def basic(username: str, password: str) -> Check:
    """Ask for HTTP basic authentication; both parts are names of settings."""
    expected = setting(username), setting(password)

    def check(given: HTTPBasicCredentials | None = Depends(HTTPBasic(auto_error=False))) -> None:
        if given is None or not (same(given.username, expected[0]) & same(given.password, expected[1])):
            raise unauthorised('Basic realm="shop"')

    return check


def api_key(key: str) -> Check:
    """Ask for `X-API-Key: <value of the setting `key`>`."""
    expected = setting(key)

    def check(given: str | None = Depends(APIKeyHeader(name="X-API-Key", auto_error=False))) -> None:
        if given is None or not same(given, expected):
            raise unauthorised("ApiKey")

    return check


def same(given: str, expected: str) -> bool:
    return compare_digest(given.encode(), expected.encode())


def unauthorised(challenge: str) -> Problem:
    return Problem(401, "unauthorised", "the credentials are missing or wrong", headers={"WWW-Authenticate": challenge})
