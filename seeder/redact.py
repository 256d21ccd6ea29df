"""Secrets out of what is kept: values of variables that are named like secrets, and passwords in URLs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

HIDDEN = "***"
SECRET_NAME = re.compile(r"(?i)(passw|passphrase|secret|token|credential|private|api_?key|access_?key|auth|cookie|dsn|_pw$|^pw$|_pass$)")
URL_PASSWORD = re.compile(r"(?P<before>[a-zA-Z][\w+.-]*://[^\s:/@\"']*:)[^\s/@\"']+(?=@)")
SHORTEST = 8  # a shorter secret is an ordinary word; replacing it everywhere would spoil the evidence


def text(given: str, secrets: Iterable[str] = ()) -> str:
    """Without passwords in URLs, and without the given secrets."""
    result = URL_PASSWORD.sub(rf"\g<before>{HIDDEN}", given)
    for secret in sorted(secrets, key=len, reverse=True):
        result = result.replace(secret, HIDDEN)
    return result


def tree(given: Any, secrets: Iterable[str] = ()) -> Any:
    """The same for a JSON value; values under a name like a secret's are hidden whole."""
    known = tuple(secrets)
    if isinstance(given, Mapping):
        return {key: HIDDEN if _hides(key, value) else tree(value, known) for key, value in given.items()}
    if isinstance(given, list | tuple):
        return [_assignment(item, known) for item in given]
    return text(given, known) if isinstance(given, str) else given


def secrets_of(environments: Iterable[Mapping[str, str]]) -> set[str]:
    """Values long enough to be told apart from ordinary words, of variables that are named like secrets."""
    return {value for e in environments for key, value in e.items() if SECRET_NAME.search(key) and len(value) >= SHORTEST}


def _hides(key: Any, value: Any) -> bool:
    return isinstance(key, str) and isinstance(value, str | int) and bool(value) and bool(SECRET_NAME.search(key))


def _assignment(item: Any, known: tuple[str, ...]) -> Any:
    """`NAME=value` in a list is an assignment too."""
    if isinstance(item, str) and "=" in item:
        name, _, value = item.partition("=")
        if value and SECRET_NAME.search(name):
            return f"{name}={HIDDEN}"
    return tree(item, known)
