"""Plans of the small project, and what may change in it between two of them."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path

from seeder.definition.checksums import lock
from seeder.definition.manifest import read_project
from seeder.definition.request import Request, resolve
from seeder.passed.operation import Plan
from seeder.plan import make
from seeder.registry import RUNTIMES, traits
from tests.scenarios.failing import change

NOW = datetime.datetime(2026, 1, 15, tzinfo=datetime.UTC)


def planned(
    project: Path, runtime: str = "local", *, inputs: Mapping[str, str] | None = None, images: Mapping[str, str] | None = None
) -> Plan:
    request = Request(scenario="ready", inputs=inputs or {}, images=images or {})
    definition = resolve(read_project(project / "manifest.yaml"), request, traits(), {})
    return make(definition, RUNTIMES.get(runtime), "asked for", NOW)


def relock(project: Path) -> None:
    """Its datasets are as their checksums say again."""
    for versions in read_project(project / "manifest.yaml").datasets.values():
        for dataset in versions:
            lock(dataset)


def by_program(project: Path, *words: str) -> None:
    """Its lookups come with a program, so that something acts through services."""
    (project / "tools").mkdir()
    (project / "tools/fill.py").write_text("print()\n")
    command = ", ".join(("python, tools/fill.py", *words))
    program = f'path: testdata/reference/kinds, seed: {{command: [{command}], inputs: ["tools/*.py"]}}}}'
    change(project, "manifest.yaml", "path: testdata/reference/kinds}", program)
    service_apart(project)


def service_apart(project: Path) -> None:
    """The service runs in a folder of its own: what else the project holds is no part of its program."""
    change(project, "compose.yaml", '{command: ["{python}", "web/web.py",', '{cwd: web, command: ["{python}", "web.py",')


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


def edit_old_migration(project: Path) -> None:
    append(project / "migrations/0001_notes.sql", "-- edited\n")


def edit_new_migration(project: Path) -> None:
    append(project / "migrations/0002_pinned.sql", "-- edited\n")


def add_migration(project: Path) -> None:
    (project / "migrations/0003_more.sql").write_text("create table more (id int primary key);\n")


def squash(project: Path) -> None:
    files = sorted((project / "migrations").glob("*.sql"))
    files[-1].write_text("".join(file.read_text() for file in files))
    files[0].unlink()


def change_dataset(project: Path) -> None:
    rows = project / "testdata/golden/notes/db/notes.csv"
    last = rows.read_text().splitlines()[-1]
    append(rows, last.replace(last.split(",")[0], "99", 1) + "\n")


def change_key(project: Path) -> None:
    append(project / "testdata/golden/notes/cache/keys.jsonl", '{"key": "another", "type": "string", "value": "1"}\n')


def comment(project: Path) -> None:
    """Before all else, so that every line has another number."""
    (project / "compose.yaml").write_text("# a comment\n" + (project / "compose.yaml").read_text())


def other_image(project: Path) -> None:
    change(project, "compose.yaml", "postgres:17", "postgres:16")


def other_secret(project: Path) -> None:
    (project / "compose.yaml").write_text((project / "compose.yaml").read_text().replace("correct-horse-battery", "another-password-here"))


def other_port(project: Path) -> None:
    change(project, "compose.yaml", "18080:8000", "18081:8000")


def service_code(project: Path) -> None:
    append(project / "web/web.py", "# changed\n")


def as_of(project: Path) -> None:
    change(project, "manifest.yaml", "2026-01-15T12:00:00Z", "2026-02-15T12:00:00Z")
