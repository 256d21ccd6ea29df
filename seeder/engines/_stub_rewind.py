"""Takes a stub back to its mark: its mappings, the states of its scenarios, and what its journal held."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from seeder.engines import _stub_client, _stub_content, _stub_state
from seeder.engines._stub_content import Content
from seeder.errors import EnvironmentFailed
from seeder.passed.rewound import NO_MARK, UNTOUCHED, Rewound, Way
from seeder.passed.target import Target


class StubRewinder:
    def __init__(self, target: Target, folder: Path) -> None:
        self._folder = folder
        self._admin = _stub_client.Admin(target)
        self._mark: Content | None = None

    def mark(self) -> str:
        self._keep(_stub_content.read(self._admin))
        return ""

    def rewind(self, way: Way) -> Rewound:
        """What came after the mark is taken out of the journal; where something of before is missing, it is sent again."""
        mark = self._marked()
        here = _stub_content.read(self._admin)
        parts = {
            "mappings": here.mappings != mark.mappings,
            "scenarios": here.scenarios != mark.scenarios,
            "requests": _ids(here) != _ids(mark),
        }
        changed = tuple(part for part, differs in parts.items() if differs)
        if not changed:
            return UNTOUCHED
        anew = way == "swap" or _ids(here)[: len(mark.entries)] != _ids(mark)
        if anew:
            _stub_content.write(self._admin, mark)
            self._keep(replace(mark, entries=_stub_content.read(self._admin).entries))
            return Rewound("anew", changed)
        if parts["mappings"] or parts["scenarios"]:
            _stub_content.write_mappings(self._admin, mark)
        self._forget(_ids(here)[len(mark.entries) :], everything=not mark.entries)
        return Rewound("in place", changed)

    def close(self) -> None:
        self._admin.close()

    def _forget(self, entries: list[str], *, everything: bool) -> None:
        if everything:
            self._admin.ask("DELETE", "/requests")
            return
        for entry in entries:
            self._admin.ask("DELETE", f"/requests/{entry}")

    def _marked(self) -> Content:
        if self._mark is None:
            try:
                self._mark = _stub_state.read(self._folder)
            except EnvironmentFailed as error:
                raise EnvironmentFailed(str(self._folder), f"no state was marked there: {error.problems[0].cause}", NO_MARK) from error
        return self._mark

    def _keep(self, content: Content) -> None:
        self._mark = content
        _stub_state.write(self._folder, content)


def _ids(content: Content) -> list[str]:
    return [entry.id for entry in content.entries]
