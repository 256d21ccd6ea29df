"""Flyway: `V1.2__name.sql` in the order of versions, then `R__name.sql` in the order of their descriptions.

Rules: https://documentation.red-gate.com/flyway/flyway-concepts/migrations"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from seeder import fingerprint
from seeder.definition.stack import Stack
from seeder.errors import Collector, Mark
from seeder.migrators.presets._preset import History, Preset, Row, compared, digest, refuse
from seeder.passed.fitness import Revision

_NAME: Final = re.compile(r"(?P<kind>[VURB])(?P<version>.*?)(?:__(?P<title>.*))?\.(?:sql|java|kt)")
_VERSION: Final = re.compile(r"\d+(?:[._]\d+)*")
_LIKE_ONE: Final = re.compile(r"[VURB]\d.*\.sql")  # what nobody would call a file that is meant for something else


class Flyway(Preset):
    tool = "flyway"
    folders = ("sql", "db/migration", "src/main/resources/db/migration")
    table = "flyway_schema_history"
    columns = frozenset({"installed_rank", "version", "description", "script", "checksum", "success"})
    filled = ("flyway_schema_history.installed_on", "flyway_schema_history.execution_time")

    def read(self, files: Mapping[str, Path], stack: Stack, problems: Collector) -> History:  # noqa: ARG002  (names tell it all)
        versioned: dict[tuple[int, ...], Revision] = {}
        repeatable: dict[str, Revision] = {}
        apart = set()
        for path in files.values():
            kind, version, title = _parts(path, problems)
            if kind in ("V", "R"):
                revision = _revision(path, version.replace("_", ".") or f"R__{title}", title.replace("_", " "))
                same = versioned.setdefault(_numbers(version), revision) if kind == "V" else repeatable.setdefault(title, revision)
                if same is not revision:
                    named = f"version {same.id}" if kind == "V" else f"description {title}"
                    problems.add(path.name, f"{same.file.name} has {named} as well", "give one of them another", Mark(path, 1))
            if kind:
                apart |= {path, _beside(path)}
        in_order = (*(versioned[key] for key in sorted(versioned)), *(repeatable[key] for key in sorted(repeatable, key=_described)))
        return History(in_order, frozenset(apart))

    def select(self, table: str) -> str:
        return f"select version, description, type, success from {table} order by installed_rank"  # noqa: S608  (quoted)

    def difference(self, rows: Sequence[Row], revisions: Sequence[Revision], known: History) -> str | None:
        failed = [version or described for version, described, _, success in rows if not success]
        if failed:
            return f"{', '.join(failed)} failed"
        ids = {_key(revision): revision.id for revision in known.revisions}
        held = {_numbers(version) if version else described: kind for version, described, kind, _ in rows if kind != "SCHEMA"}
        below = max((key for key, kind in held.items() if kind == "BASELINE" and isinstance(key, tuple)), default=())
        passed = [revision.id for revision in revisions if below and isinstance(key := _key(revision), tuple) and key <= below]
        applied = [ids.get(key, _shown(key)) for key, kind in held.items() if kind == "SQL" or key in ids]  # others are no files of ours
        return compared(applied, [revision.id for revision in revisions], list(ids.values()), passed)


def _parts(path: Path, problems: Collector) -> tuple[str, str, str]:
    """Kind, version and description; no kind where Flyway takes the file for none of its own."""
    match = _NAME.fullmatch(path.name)
    version, title = (match["version"], match["title"] or "") if match else ("", "")
    if match and match["kind"] == "R" and match["title"] is not None and not version:
        return "R", "", title
    if match and match["kind"] != "R" and _VERSION.fullmatch(version):
        if match["kind"] == "B":
            refuse("flyway", path.name, "which versions a baseline stands for is decided when Flyway runs", Mark(path, 1))
        return match["kind"], version, title
    if _LIKE_ONE.fullmatch(path.name):
        shape = "R__name.sql" if path.name.startswith("R") else f"{path.name[0]}1.2__name.sql"
        problems.add(path.name, "Flyway would pass over it: its name has another form", f"call it {shape}", Mark(path, 1))
    return "", "", ""


def _revision(path: Path, id_: str, summary: str) -> Revision:
    beside = _beside(path)
    content = digest(fingerprint.content(path), fingerprint.content(beside)) if beside.is_file() else ""
    return Revision(id_, path, summary, content)


def _beside(path: Path) -> Path:
    """The settings of this one script."""
    return path.with_name(f"{path.name}.conf")


def _numbers(version: str) -> tuple[int, ...]:
    """As Flyway compares them: part by part, and 1.0 is 1."""
    numbers = [int(part) for part in re.split("[._]", version)] if version else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _described(title: str) -> str:
    return title.replace("_", " ")


def _key(revision: Revision) -> tuple[int, ...] | str:
    return revision.summary if revision.id.startswith("R__") else _numbers(revision.id)


def _shown(key: tuple[int, ...] | str) -> str:
    return f"R__{key.replace(' ', '_')}" if isinstance(key, str) else ".".join(map(str, key))
