"""Mappings of a stub, in WireMock's format: files below `mappings/`, and the bodies that they name below `__files/`."""

from __future__ import annotations

import base64
import datetime
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from seeder.definition.dataset import Part, PartKind
from seeder.definition.stub_mappings import Written, read
from seeder.errors import Problem
from seeder.loaders import _mistakes
from seeder.passed.content import Mappings, StubMapping

FILES: Final = "__files"
_NAMESPACE: Final = uuid.UUID("6f0b5d6e-93f5-5a3c-9b7e-3a4f6d1c2b80")  # of ids that mappings without one are given


class MappingsLoader:
    kind: PartKind = "mappings"

    def read(self, part: Part, as_of: datetime.datetime) -> Mappings:  # noqa: ARG002  (nothing in a mapping counts from it)
        """A mapping without an id gets one that is a function of its place; a body that it names is put into it. A file below `__files`
        holds no mappings. Raises DefinitionError with all that is wrong."""
        if part.name.startswith(f"{FILES}/"):
            return Mappings(part, ())
        written = read(part.path)
        _mistakes.refuse(part.path, [problem for one in written for problem in _wrong(part, one)])
        return Mappings(part, tuple(_mapping(part, number, one) for number, one in enumerate(written)))


def _mapping(part: Part, number: int, written: Written) -> StubMapping:
    given = written.mapping
    id_ = given.get("id") or given.get("uuid") or str(uuid.uuid5(_NAMESPACE, f"{part.owner}/{part.name}#{number}"))
    kept = {name: value for name, value in given.items() if name not in ("uuid", "persistent", "$schema")}
    response = _with_body(part, given.get("response") or {})
    return StubMapping(written.mark(()).line, {**kept, "id": str(id_), "response": response})


def _wrong(part: Part, written: Written) -> Iterator[Problem]:
    given = written.mapping
    for name in ("request", "response"):
        if not isinstance(given.get(name), dict):
            yield Problem(name, "the mapping has no such object", f'write "{name}": {{...}}', written.mark((name,)))
    if id_ := given.get("id") or given.get("uuid"):
        try:
            uuid.UUID(str(id_))
        except ValueError:
            yield Problem("id", f"{id_!r} is no UUID", "leave it out, or write one", written.mark(("id",)))
    file = _body_file(given.get("response"))
    if file and not (_files(part) / file).is_file():
        place = written.mark(("response", "bodyFileName"))
        yield Problem(file, "the dataset has no such file for the stub", f"put it into {part.owner}/{FILES}", place)


def _body_file(response: Any) -> str | None:
    """The body that is read from a file; a name that is a template is the server's to fill in."""
    name = response.get("bodyFileName") if isinstance(response, dict) else None
    return name if isinstance(name, str) and "{{" not in name else None


def _files(part: Part) -> Path:
    return part.path.parents[part.name.count("/")] / FILES


def _with_body(part: Part, response: dict[str, Any]) -> dict[str, Any]:
    name = _body_file(response)
    if name is None:
        return response
    content = (_files(part) / name).read_bytes()
    rest = {key: value for key, value in response.items() if key != "bodyFileName"}
    try:
        return {**rest, "body": content.decode("utf-8")}
    except UnicodeDecodeError:
        return {**rest, "base64Body": base64.b64encode(content).decode()}
