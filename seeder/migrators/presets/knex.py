"""Knex: the files of the migrations folders, in the order of their names.

Rules: https://knexjs.org/guide/migrations.html"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from seeder.definition.stack import Stack
from seeder.errors import Collector, Mark
from seeder.migrators.presets._preset import History, Preset, Row, compared
from seeder.passed.fitness import Revision

_ENDINGS: Final = frozenset({".co", ".coffee", ".eg", ".iced", ".js", ".cjs", ".mjs", ".litcoffee", ".ls", ".ts"})


class Knex(Preset):
    """`knex migrate:make` begins a name with a number. Where there is one such file, Knex takes all others beside it for migrations."""

    tool = "knex"
    folders = ("migrations",)
    libraries = ("knex", "pg")
    table = "knex_migrations"
    columns = frozenset({"id", "name", "batch", "migration_time"})
    filled = ("knex_migrations.batch", "knex_migrations.migration_time")

    def read(self, files: Mapping[str, Path], stack: Stack, problems: Collector) -> History:  # noqa: ARG002  (names tell it all)
        scripts = [path for path in files.values() if path.suffix in _ENDINGS]
        folders = {path.parent for path in scripts if path.name[0].isdigit()}
        found: dict[str, Path] = {}
        for path in sorted((path for path in scripts if path.parent in folders), key=lambda path: path.name):
            same = found.setdefault(path.name, path)
            if same is not path:
                problems.add(path.name, f"{same} has the same name", "give one of them another", Mark(path, 1))
        return History(tuple(Revision(path.name, path) for path in found.values()), frozenset(found.values()))

    def select(self, table: str) -> str:
        return f"select name from {table} order by id"  # noqa: S608  (quoted)

    def difference(self, rows: Sequence[Row], revisions: Sequence[Revision], known: History) -> str | None:
        return compared([str(name) for (name,) in rows], [r.id for r in revisions], [r.id for r in known.revisions])
