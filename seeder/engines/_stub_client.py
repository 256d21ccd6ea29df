"""WireMock's admin API. https://wiremock.org/docs/standalone/admin-api-reference/"""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from seeder.errors import EnvironmentFailed, in_words
from seeder.passed.target import Target

ROOT: Final = "/__admin"
_UNAUTHORISED: Final = 401
_REFUSED: Final = 400
_SECONDS: Final = 30.0


class Refused(EnvironmentFailed):
    """The server does not take what was sent. `pointers` are the places that it names."""

    pointers: tuple[str, ...] = ()


class Admin:
    """One connection, which is opened when there is something to ask, and again where the server had closed it."""

    def __init__(self, target: Target, *, timeout: float = _SECONDS) -> None:
        self._target = target
        self._connection = http.client.HTTPConnection(target.address.host, target.address.port, timeout=timeout)

    def close(self) -> None:
        self._connection.close()

    def ask(self, method: str, path: str, given: Any = None) -> Any:
        """What it answers, as JSON. Raises Refused with its words, EnvironmentFailed where it does not answer."""
        headers = {"Content-Type": "application/json", **_login(self._target)}
        body = None if given is None else json.dumps(given).encode()
        status, text = self._sent(method, f"{ROOT}{path}", headers, body)
        if status == _UNAUTHORISED:
            raise EnvironmentFailed(self._target.store, f"the stub at {self._target.address} does not know this password")
        if status >= _REFUSED:
            raise _refusal(self._target, status, text)
        return json.loads(text) if text else None

    def replay(self, method: str, url: str, headers: Sequence[Sequence[str]], body: bytes) -> None:
        """Send a request as it was received once. That the answer is broken off may be what the stub was told to do."""
        connection = http.client.HTTPConnection(self._target.address.host, self._target.address.port, timeout=_SECONDS)
        try:
            connection.putrequest(method, url, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            if body:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body or None)
            connection.getresponse().read()
        except (http.client.HTTPException, ConnectionError):
            return
        except OSError as error:
            raise self._failed(error) from error
        finally:
            connection.close()

    def _sent(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> tuple[int, bytes]:
        try:
            try:
                return self._once(method, path, headers, body)
            except (http.client.HTTPException, ConnectionError):
                self._connection.close()
                return self._once(method, path, headers, body)
        except (http.client.HTTPException, OSError) as error:
            raise self._failed(error) from error

    def _once(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> tuple[int, bytes]:
        self._connection.request(method, path, body, dict(headers))
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def _failed(self, error: Exception) -> EnvironmentFailed:
        self._connection.close()
        return EnvironmentFailed(self._target.store, f"the stub at {self._target.address}: {in_words(error)}")


@contextmanager
def connect(target: Target, *, timeout: float = _SECONDS) -> Iterator[Admin]:
    admin = Admin(target, timeout=timeout)
    try:
        yield admin
    finally:
        admin.close()


def status(target: Target, path: str, *, timeout: float) -> int:
    """What a GET is answered with, asked once. Raises OSError or HTTPException."""
    connection = http.client.HTTPConnection(target.address.host, target.address.port, timeout=timeout)
    try:
        connection.request("GET", f"{ROOT}{path}", headers=_login(target))
        return connection.getresponse().status
    finally:
        connection.close()


def _login(target: Target) -> dict[str, str]:
    if target.user is None:
        return {}
    words = f"{target.user}:{target.password or ''}"
    return {"Authorization": f"Basic {base64.b64encode(words.encode()).decode()}"}


def _refusal(target: Target, status: int, text: bytes) -> Refused:
    errors = _errors(text)
    said = "; ".join(dict.fromkeys(_words(error) for error in errors)) or text.decode("utf-8", "replace")[:300] or "no reason"
    refused = Refused(target.store, f"the stub at {target.address} answers {status}: {said}")
    refused.pointers = tuple(str((error.get("source") or {}).get("pointer") or "") for error in errors)
    return refused


def _errors(text: bytes) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = json.loads(text)["errors"]
    except (ValueError, KeyError, TypeError):
        return []
    return found


def _words(error: Mapping[str, Any]) -> str:
    pointer = (error.get("source") or {}).get("pointer") or ""
    return " ".join(part for part in (pointer, error.get("detail") or error.get("title") or "") if part)
