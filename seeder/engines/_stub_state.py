"""A stub's digest and its portable form, and the calls that it received.

The digest counts what mappings say, whatever their ids and their order; of a request it counts method, URL, body, and the status or fault
that answered it, not the headers, which hold the caller's port and version; the order in which several callers came is nobody's promise.
Volatile entries of a stub are its parts: mappings, scenarios, requests.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from seeder.engines import _saved_store, _stub_client, _stub_content
from seeder.engines._stub_content import Content, Entry, Mapped
from seeder.engines.stubserver.state import PRIORITY
from seeder.handles import matching
from seeder.passed.content import Received, StoreDigest
from seeder.passed.target import Target

_FORM = _saved_store.Form("stub", 1)
_MAPPINGS, _REQUESTS = "mappings.jsonl", "requests.jsonl"
PARTS: Final = ("mappings", "scenarios", "requests")


def digest(target: Target, volatile: Sequence[str]) -> StoreDigest:
    with _stub_client.connect(target) as admin:
        content = _stub_content.read(admin)
    lines = {
        "mappings": [_line(_stub_content.meaning(mapping)) for mapping in content.mappings],
        "scenarios": [_line([name, state]) for name, state in content.scenarios.items()],
        "requests": [_line([e.method, e.url, e.body, e.stub is not None, *_outcome(e)]) for e in content.entries],
    }
    return StoreDigest.of({part: _sum(lines[part]) for part in PARTS if lines[part] and part not in volatile})


def _outcome(entry: Entry) -> tuple[Any, Any]:
    return entry.answer.get("status"), entry.answer.get("fault")


def _sum(lines: list[bytes]) -> tuple[int, str]:
    return len(lines), hashlib.sha256(b"".join(sorted(lines))).hexdigest()


def _line(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def save(target: Target, folder: Path) -> None:
    with _stub_client.connect(target) as admin:
        write(folder, _stub_content.read(admin))


def write(folder: Path, content: Content) -> None:
    """One mapping and one request to a line, in their order."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = {
        "mappings": _written(folder / _MAPPINGS, content.mappings),
        "requests": _written(folder / _REQUESTS, [dataclasses.asdict(entry) for entry in content.entries]),
    }
    _FORM.write(folder, {**entries, "scenarios": dict(content.scenarios)})


def _written(path: Path, values: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    with _saved_store.writing(path) as file:
        for value in values:
            file.write(_line(value))
    return {"count": file.count, **file.entry}


def read(folder: Path) -> Content:
    """What was saved. Raises EnvironmentFailed when it is not whole."""
    index = _FORM.read(folder, "mappings", "requests", "scenarios")
    mappings, entries = (list(_lines(folder, index[name])) for name in ("mappings", "requests"))
    return Content(tuple(mappings), index["scenarios"], tuple(_entry(saved) for saved in entries))


def _lines(folder: Path, entry: Mapping[str, Any]) -> Iterator[Any]:
    return (json.loads(line) for line in _saved_store.file(folder, entry).read_bytes().splitlines())


def _entry(saved: Mapping[str, Any]) -> Entry:
    stub, headers = saved["stub"], tuple((name, value) for name, value in saved["headers"])
    return Entry(**{**saved, "headers": headers, "stub": tuple(stub) if stub else None})


def restore(target: Target, folder: Path) -> str:
    """Clients may go on: none waits for anything."""
    content = read(folder)
    with _stub_client.connect(target) as admin:
        _stub_content.write(admin, content)
    return ""


def empty(target: Target) -> None:
    with _stub_client.connect(target) as admin:
        _stub_content.empty(admin)


def calls(target: Target) -> list[Received]:
    with _stub_client.connect(target) as admin:
        return [_received(event["request"], matched=bool(event["wasMatched"])) for event in _stub_content.events(admin)]


def _received(request: Mapped, *, matched: bool) -> Received:
    headers = {name.lower(): ", ".join(value) if isinstance(value, list) else value for name, value in request["headers"].items()}
    return Received(request["method"], request["url"], headers, matching.read(request.get("body") or ""), matched)


def answer(target: Target, mapping: Mapping[str, Any]) -> None:
    """One with its id is replaced where it stands, so that it stays when this one is refused; where others of its priority are asked before
    it, this one is then made anew, to be the latest."""
    id_ = str(mapping.get("id", ""))
    with _stub_client.connect(target) as admin:
        if _of_id(admin, id_):
            admin.ask("PUT", f"/mappings/{id_}", dict(mapping))
            if _is_first(admin, id_):
                return
            admin.ask("DELETE", f"/mappings/{id_}")
        admin.ask("POST", "/mappings", dict(mapping))


def _of_id(admin: _stub_client.Admin, id_: str) -> list[Mapped]:
    return [one for one in admin.ask("GET", "/mappings")["mappings"] if one["id"] == id_]


def _is_first(admin: _stub_client.Admin, id_: str) -> bool:
    """Whether it is asked before the others of its priority."""
    ordered = {one["id"]: one.get("priority") or PRIORITY for one in admin.ask("GET", "/mappings")["mappings"]}
    first = next(other for other, priority in ordered.items() if priority == ordered[id_])
    return bool(first == id_)


def forget(target: Target, mapping: str) -> None:
    with _stub_client.connect(target) as admin:
        found = _of_id(admin, mapping)
        _stub_content.let_go(admin, found)
        for one in found:
            admin.ask("DELETE", f"/mappings/{one['id']}")
