"""One load into a stub: mappings are checked when they are loaded and imported at the commit, where WireMock may still refuse one; what
was there before is put back then."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from seeder.engines import _stub_client, _stub_content
from seeder.engines._stub_content import Content
from seeder.errors import Collector, DefinitionError, Mark
from seeder.frozen import frozen
from seeder.passed.content import Mappings, Records, StubMapping
from seeder.passed.target import Target
from seeder.protocols import Finality


@frozen
class _Loaded:
    mapping: Mapping[str, Any]
    mark: Mark


class StubSession:
    """A mapping whose id is there already, with something else, is refused, unless the load is an upsert. The latest in the order of the
    files is asked first."""

    finality = Finality.REVOCABLE

    def __init__(self, target: Target, *, upsert: bool) -> None:
        self._target, self._upsert = target, upsert
        self._loaded: dict[str, _Loaded] = {}
        self._before: Content | None = None

    def load(self, records: Sequence[Records]) -> Mapping[str, int]:
        problems = Collector()
        counts: dict[str, int] = {}
        for file in (item for item in records if isinstance(item, Mappings)):
            for mapping in file.mappings:
                self._add(mapping, Mark(file.part.path, mapping.line), problems)
            if file.mappings:
                counts[file.part.name] = len(file.mappings)
        if not self._upsert:
            self._compare(problems)
        problems.raise_if_any()
        return counts

    def verify(self) -> None:
        """All was checked that can be without the server; what it holds now is kept."""
        with _stub_client.connect(self._target) as admin:
            self._before = _stub_content.read(admin)

    def commit(self) -> None:
        """Raises DefinitionError with the place of a mapping that the server does not take."""
        loaded = list(self._loaded.values())[::-1]  # the first of an import is asked first
        with _stub_client.connect(self._target) as admin:
            try:
                admin.ask("POST", "/mappings/import", {"mappings": [dict(one.mapping) for one in loaded]})
            except _stub_client.Refused as error:
                blamed = [loaded[number] for number in _numbers(error.pointers) if number < len(loaded)]
                raise DefinitionError(
                    self._target.store, error.problems[0].cause, "correct the mapping", blamed[0].mark if blamed else None
                ) from error

    def rollback(self) -> None:
        self._loaded = {}
        if self._before is not None:
            with _stub_client.connect(self._target) as admin:
                _stub_content.write_mappings(admin, self._before)
            self._before = None

    def _add(self, mapping: StubMapping, mark: Mark, problems: Collector) -> None:
        id_ = str(mapping.mapping["id"])
        first = self._loaded.setdefault(id_, _Loaded(mapping.mapping, mark))
        if first.mark is not mark:
            problems.add(id_, f"a mapping of this id stands in {first.mark} already", "give one of the two another id", mark)

    def _compare(self, problems: Collector) -> None:
        with _stub_client.connect(self._target) as admin:
            there = {str(mapping["id"]): mapping for mapping in _stub_content.read(admin).mappings}
        for id_, one in self._loaded.items():
            if id_ in there and _stub_content.meaning(there[id_]) != _stub_content.meaning(dict(one.mapping)):
                remedy = "take it out of one of the two datasets; reference and config data may replace mappings"
                problems.add(id_, "a mapping of this id is there already, and says something else", remedy, one.mark)


def _numbers(pointers: Sequence[str]) -> list[int]:
    """Which of the mappings that were sent the server names."""
    return [int(found[1]) for pointer in pointers if (found := re.match(r"/?mappings/(\d+)", pointer))]
