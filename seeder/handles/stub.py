"""A stub, in the hands of a program: what it answers to calls, and which it received."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from seeder.definition.references import as_words
from seeder.errors import EnvironmentFailed
from seeder.handles import matching
from seeder.handles.plainly import plainly
from seeder.passed.content import Received
from seeder.passed.target import Target
from seeder.protocols import Stands
from seeder.registry import ENGINES


class Stub:
    """A stub of what is outside of the stack. What it is told to answer is part of its state: it goes with the next reset."""

    def __init__(self, target: Target, named: Callable[[], str] | None = None, wrote: Callable[[str], None] = lambda _: None) -> None:
        """`named` gives a mapping without an id the text that its id is made of; else it is like no other. `wrote` is told before each
        thing that changes something."""
        engine = ENGINES.get(target.engine)
        if not isinstance(engine, Stands):
            raise EnvironmentFailed(target.store, f"{engine.name} stands for nobody, and receives no calls", "name a store of engine stub")
        self._engine, self._target, self._named, self._wrote = engine, target, named, wrote

    @plainly
    def answer(self, mapping: Mapping[str, Any]) -> str:
        """From now on answer calls as the mapping says (WireMock's format), before others of its priority, and in place of the one with
        its id; answers the id. Raises EnvironmentFailed with the server's words where it does not take it."""
        id_ = mapping.get("id") or str(uuid.uuid5(uuid.NAMESPACE_URL, f"seeder:{self._named()}") if self._named else uuid.uuid4())
        self._wrote(f"a mapping of {self._target.store}")
        self._engine.answer(self._target, {**mapping, "id": id_})
        return str(id_)

    @plainly
    def forget(self, mapping: str) -> None:
        """Answer no more as the mapping of this id says; one that is gone stays so."""
        self._wrote(f"a mapping of {self._target.store}")
        self._engine.forget(self._target, mapping)

    @plainly
    def calls(
        self,
        *,
        method: str | None = None,
        path: str | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> list[Received]:
        """The calls that it received, oldest first: all, or those that are as is said. `body` is a part of a JSON body, or a text."""
        said = {"method": method, "path": path, "query": query, "headers": headers, "body": body}
        where = {name: value for name, value in said.items() if value is not None}
        return [call for call in self._engine.calls(self._target) if fits(call, where)]


def fits(call: Received, where: Mapping[str, Any]) -> bool:
    """Whether the call is as is said of its `method`, `path`, `query`, `headers` and `body` (a part of a JSON body, or a text)."""
    return (
        ("method" not in where or where["method"].upper() == call.method)
        and ("path" not in where or where["path"] == call.path)
        and all(as_words(value) in call.query.get(name, ()) for name, value in (where.get("query") or {}).items())
        and all(call.headers.get(name.lower()) == as_words(value) for name, value in (where.get("headers") or {}).items())
        and ("body" not in where or matching.within(where["body"], call.body))
    )
