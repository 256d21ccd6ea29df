"""Secrets out of what is kept: values that are named like secrets, passwords in URLs, and whatever the stack itself calls one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from seeder.definition.extension import Auth
    from seeder.definition.service import Mount, Service
    from seeder.definition.stack import Stack
    from seeder.passed.operation import Plan

HIDDEN = "***"
WORDS = (
    r"passw|passphrase|requirepass|secret|token|credential|private|api_?-?key|access_?-?key|auth(?!or)|authori[sz]ation|cookie|dsn"
    r"|_pw\b|\bpw\b|_pass\b"
)
SECRET_NAME = re.compile(rf"(?i)(?:{WORDS})")
PATH_NAME = re.compile(r"(?i)[_-](file|path)$")  # POSTGRES_PASSWORD_FILE tells where a secret is, not what it is
URL_PASSWORD = re.compile(r"(?P<before>[a-zA-Z][\w+.-]*://[^\s:/@\"']*:)(?P<value>[^\s/@\"']+)(?=@)")
URL_QUERY = re.compile(rf"(?i)(?P<before>[?&][\w.%-]*(?:{WORDS}|signature)[\w.%-]*=)(?P<value>[^\s&#\"'<>]+)")
# `password: x` and `"token" = "x"` of configurations, `--password x`, `--requirepass=x` and `requirepass x` of commands
ASSIGNED = re.compile(
    rf"(?im)(?P<before>(?P<name>[\w.-]*(?:{WORDS})[\w.-]*)[\"']?\s*[:=]\s*[\"']?"
    rf"|(?P<option>--[\w.-]*(?:{WORDS})[\w.-]*|^\s*(?:requirepass|masterauth))\s+[\"']?)(?P<value>[^\s\"',;}}{{]+)"
)
SHORTEST = 8  # a shorter secret is an ordinary word; replacing it everywhere would spoil the evidence
LARGEST = 1 << 16  # bytes of a mounted file; a larger one holds data, not a secret
# below these, keys are names that someone gave to things: a service called `auth` is no secret
NAMES = frozenset({"services", "stores", "configs", "secrets", "networks", "volumes", "depends_on", "datasets", "images", "migrations"})
ABOUT_SECRETS = frozenset({"source", "target", "file", "name", "environment", "external", "uid", "gid", "mode"})


def text(given: str, secrets: Iterable[str] = ()) -> str:
    """Without passwords and other secrets in URLs, and without the given secrets."""
    result = given
    for pattern in (URL_PASSWORD, URL_QUERY):
        result = pattern.sub(rf"\g<before>{HIDDEN}", result)
    for secret in sorted(secrets, key=len, reverse=True):
        result = result.replace(secret, HIDDEN)
    return result


def texts(given: Any, secrets: Iterable[str] = ()) -> Any:
    """The same for every text in a value of mappings, lists and tuples, whatever it is named."""
    known = tuple(secrets)
    if isinstance(given, Mapping):
        return {key: texts(value, known) for key, value in given.items()}
    if isinstance(given, list | tuple):
        return type(given)(texts(item, known) for item in given)
    return text(given, known) if isinstance(given, str) else given


def tree(given: Any, secrets: Iterable[str] = (), *, below: str = "") -> Any:
    """The same for a JSON value; every value under a name like a secret's is hidden, and so is what is mounted as a secret."""
    known = tuple(secrets)
    if isinstance(given, Mapping):
        return {key: _value(str(key), value, given, known, below) for key, value in given.items()}
    if isinstance(given, list | tuple):
        return _items(given, known)
    return text(given, known) if isinstance(given, str) else given


def hidden(given: Any) -> Iterator[Any]:
    """Every value that `tree` would not leave as it is, in the order of their names: what cannot be told from what is left."""
    yield from _lost(given, tree(given))


def unhidden(given: Mapping[str, Any], secrets: Iterable[str] = ()) -> dict[str, Any]:
    """Those of the values that `tree` leaves as they are."""
    left = tree(given, secrets)
    return {name: value for name, value in given.items() if left[name] == value}


def _lost(given: Any, left: Any) -> Iterator[Any]:
    if isinstance(given, Mapping):
        for key in sorted(given, key=str):
            yield from _lost(given[key], left[key])
    elif isinstance(given, list | tuple):
        for item, shown in zip(given, left, strict=True):
            yield from _lost(item, shown)
    elif given != left:
        yield given


def _value(key: str, value: Any, beside: Mapping[Any, Any], known: tuple[str, ...], below: str) -> Any:
    if key == "content" and isinstance(value, str):
        return HIDDEN if beside.get("kind") == "secret" else text(_without_assigned(value), known)
    if key in NAMES or below in NAMES:
        return _about_secrets(value, known) if "secrets" in (key, below) else tree(value, known, below=key)
    return _hidden(value) if is_secret(key) else tree(value, known, below=key)


def _about_secrets(value: Any, known: tuple[str, ...]) -> Any:
    """Compose's `secrets`, of a service or of the whole model: where they come from and go to stays."""
    if isinstance(value, Mapping):
        return {
            k: tree(v, known) if k in ABOUT_SECRETS and not isinstance(v, Mapping) else _about_secrets(v, known) for k, v in value.items()
        }
    return [_about_secrets(item, known) for item in value] if isinstance(value, list | tuple) else _hidden(value)


def _hidden(value: Any) -> Any:
    """Its shape stays, and so does what says nothing: no value, yes or no."""
    if isinstance(value, Mapping):
        return {key: _hidden(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(item) for item in value]
    return value if value in ("", None) or isinstance(value, bool) else HIDDEN


def _items(given: Sequence[Any], known: tuple[str, ...]) -> list[Any]:
    """`NAME=value` in a list is an assignment too, and `--password` speaks of the word that follows it."""
    found: list[Any] = []
    for before, item in zip((None, *given), given, strict=False):
        if isinstance(item, str):
            after_option = isinstance(before, str) and before.startswith("-") and "=" not in before and is_secret(before)
            found.append(HIDDEN if after_option and not item.startswith("-") else text(_without_assigned(item), known))
        else:
            found.append(tree(item, known))
    return found


def is_secret(name: str) -> bool:
    """Whether a value of this name is a secret."""
    return bool(SECRET_NAME.search(name)) and not PATH_NAME.search(name)


def _without_assigned(given: str) -> str:
    if not SECRET_NAME.search(given):  # most texts hold none, and are looked through faster so
        return given
    return ASSIGNED.sub(lambda found: found["before"] + (HIDDEN if _names_secret(found) else found["value"]), given)


def _names_secret(found: re.Match[str]) -> bool:
    return is_secret(found["name"] or found["option"])


def secrets_of(stack: Stack, environments: Iterable[Mapping[str, str]] = ()) -> set[str]:
    """What must not be seen anywhere: secrets of the stack and of these variables, long enough to be told apart from ordinary words,
    as they are and as URLs and JSON spell them."""
    given = list(of_environments(environments))
    for service in stack.services.values():
        given += of_service(service)
    if stack.shared:
        given += of_environments([stack.shared.stores, stack.shared.urls])
        given += [claim.key for claim in stack.shared.claims.values()]
    plain = {line for value in given for line in (value.strip(), *value.splitlines()) if len(line.strip()) >= SHORTEST}
    return {spelled for value in plain for spelled in (value, quote(value, safe=""), json.dumps(value)[1:-1])}


def of_plan(plan: Plan) -> set[str]:
    """The same, with what config datasets add to the services."""
    return secrets_of(plan.stack, [operation.environment for operation in plan.additions])


def of_service(service: Service) -> Iterator[str]:
    """Every secret that the stack gives a service, as it stands there, in the order of the file."""
    x, build = service.x, service.build
    local, migrates = x.local, [x.migrate, *(database.migrate for database in x.databases.values())]
    mine = [service.environment, build.args if build else {}, local.environment if local else {}]
    yield from of_environments([*mine, *(migrate.environment for migrate in migrates if migrate)])
    commands = [migrate.command for migrate in migrates if migrate]
    words = [service.entrypoint or (), service.command or (), local.command if local else (), *(each or () for each in commands)]
    for line in words:
        yield from _of_words(list(line))
    for mount in service.mounts:
        yield from _of_mount(mount)
    yield from _of_auth(x.auth)


def of_environments(environments: Iterable[Mapping[str, str]]) -> Iterator[str]:
    """Every secret among variables, in their order: by its name, or in a URL."""
    for name, value in (pair for each in environments for pair in each.items()):
        if is_secret(name):
            yield value
        yield from _of_urls(value)


def _of_words(words: Sequence[str]) -> Iterator[str]:
    for before, word in zip(("", *words), words, strict=False):
        if before.startswith("-") and "=" not in before and is_secret(before) and not word.startswith("-"):
            yield word
        yield from _assigned(word)


def _of_mount(mount: Mount) -> Iterator[str]:
    if mount.kind in ("secret", "config"):
        content = mount.content if mount.content is not None else _content(mount.source)
        yield from [content] if mount.kind == "secret" else _assigned(content)


def _content(source: str | None) -> str:
    try:
        if source and Path(source).stat().st_size <= LARGEST:
            return Path(source).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""  # what cannot be read cannot be told either
    return ""


def _assigned(given: str) -> Iterator[str]:
    yield from (found["value"] for found in ASSIGNED.finditer(given) if _names_secret(found))
    yield from _of_urls(given)


def _of_urls(given: str) -> Iterator[str]:
    yield from (unquote(found["value"]) for pattern in (URL_PASSWORD, URL_QUERY) for found in pattern.finditer(given))


def _of_auth(auth: Auth | None) -> Iterator[str]:
    if auth:
        yield from (auth.bearer.token if auth.bearer else "", auth.basic.password if auth.basic else "")
        yield auth.api_key.value if auth.api_key else ""
