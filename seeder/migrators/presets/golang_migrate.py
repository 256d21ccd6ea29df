"""golang-migrate: `{version}_{title}.up.{extension}` of one folder, in the order of their numbers.

Rules: https://github.com/golang-migrate/migrate/blob/master/MIGRATIONS.md"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from seeder.definition.stack import Stack
from seeder.errors import Collector, Mark
from seeder.migrators.presets._preset import History, Preset, Row
from seeder.passed.fitness import Revision

_NAME: Final = re.compile(r"(?P<version>\d+)_(?P<title>.*)\.(?P<way>up|down)\..+")
_LIKE_ONE: Final = re.compile(r".+\.(?:up|down)\.[^.]+")
_MOST: Final = 2**64 - 1


class GolangMigrate(Preset):
    tool = "golang-migrate"
    table = "schema_migrations"
    columns = frozenset({"version", "dirty"})

    def read(self, files: Mapping[str, Path], stack: Stack, problems: Collector) -> History:  # noqa: ARG002  (names tell it all)
        ways: dict[str, dict[int, Path]] = {"up": {}, "down": {}}
        for path in files.values():
            match = _NAME.fullmatch(path.name)
            if match and int(match["version"]) <= _MOST:
                same = ways[match["way"]].setdefault(int(match["version"]), path)
                if same is not path:
                    cause = f"{same.name} is number {match['version']} as well"
                    problems.add(path.name, cause, "give one of them another number", Mark(path, 1))
            elif _LIKE_ONE.fullmatch(path.name):
                cause = "golang-migrate would pass over it: its name begins with no number and underscore"
                problems.add(path.name, cause, "call it NUMBER_title.up.sql", Mark(path, 1))
        for number in sorted(ways["down"].keys() - ways["up"].keys()):
            path = ways["down"][number]
            problems.add(path.name, f"there is no way up to {number}, only down from it", "add the .up. file", Mark(path, 1))
        found = tuple(_revision(ways["up"][number]) for number in sorted(ways["up"]))
        return History(found, frozenset([*ways["up"].values(), *ways["down"].values()]))

    def select(self, table: str) -> str:
        return f"select version, dirty from {table}"  # noqa: S608  (quoted)

    def difference(self, rows: Sequence[Row], revisions: Sequence[Revision], known: History) -> str | None:  # noqa: ARG002
        """The table tells the last one alone."""
        held, wanted = sorted(int(version) for version, _ in rows), [int(revision.id) for revision in revisions[-1:]]
        failed = [str(version) for version, dirty in rows if dirty]
        if failed:
            return f"{', '.join(failed)} failed on the way: {self.table} is dirty"
        last = revisions[-1].id if revisions else "none"
        return None if held == wanted else f"{self.table} holds {', '.join(map(str, held)) or 'none'}, the files end with {last}"


def _revision(path: Path) -> Revision:
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise ValueError(path.name)
    return Revision(match["version"], path, match["title"].replace("_", " "))
