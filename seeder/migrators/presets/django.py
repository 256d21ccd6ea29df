"""Django: the files of every app's `migrations` folder, read without running them, and the order in which they apply.

Rules: https://docs.djangoproject.com/en/stable/topics/migrations/"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from seeder.definition.stack import Stack
from seeder.errors import Collector, DefinitionError
from seeder.migrators.presets import _django_files as reader
from seeder.migrators.presets._django_files import Key, Script
from seeder.migrators.presets._preset import History, Preset, Row, compared
from seeder.order import Cycle, sort
from seeder.passed.fitness import Revision


class Django(Preset):
    tool = "django"
    folders = ("*/migrations", "*/*/migrations")
    libraries = None  # any package may be an app with migrations of its own
    table = "django_migrations"
    columns = frozenset({"id", "app", "name", "applied"})
    filled = ("django_migrations.id", "django_migrations.applied")

    def read(self, files: Mapping[str, Path], stack: Stack, problems: Collector) -> History:  # noqa: ARG002  (files tell it all)
        scripts: dict[Key, Script] = {}
        for path in files.values():
            if path.suffix == ".py" and path.parent.name == "migrations" and path.name[0] not in "_~":
                script = reader.script(path, problems)
                same = scripts.setdefault(script.key, script) if script else None
                if script and same and same is not script:
                    problems.add(script.id, f"{same.file} is of an app of this name too", "name the apps apart", script.mark)
        problems.raise_if_any(DefinitionError)
        apart = frozenset(script.file for script in scripts.values())
        graph = reader.graph(scripts, problems)
        problems.raise_if_any(DefinitionError)
        _refuse_leaves(scripts, graph, problems)
        return History(tuple(_revision(scripts[key]) for key in _ordered(scripts, graph)), apart)

    def steps(self, revisions: Sequence[Revision]) -> Iterator[Sequence[Revision]]:
        """When it is done, Django numbers content types and permissions of models that are new. Where there were some, whoever goes on
        gets other numbers than who did all at once: up to the last of such revisions the history is one step."""
        numbering = {one.file for one in reader.scripts(revision.file for revision in revisions) if one.numbers}
        last = max((place for place, one in enumerate(revisions, 1) if one.file in numbering), default=0)
        yield from ([revisions[:last]] if last else [])
        yield from ([revision] for revision in revisions[last:])

    def select(self, table: str) -> str:
        return f"select app, name from {table} order by id"  # noqa: S608  (quoted)

    def difference(self, rows: Sequence[Row], revisions: Sequence[Revision], known: History) -> str | None:
        """Of apps that are no files of the project nothing is known."""
        scripts = list(reader.scripts(known.apart))
        names = {script.id for script in scripts}
        replaced = {".".join(key) for script in scripts for key in script.replaces}
        apps = {name.partition(".")[0] for name in names}
        held = [f"{app}.{name}" for app, name in rows if app in apps]
        return compared(held, [revision.id for revision in revisions], names | replaced)


def _revision(script: Script) -> Revision:
    return Revision(script.id, script.file, script.summary)


def _refuse_leaves(scripts: Mapping[Key, Script], graph: Mapping[Key, set[Key]], problems: Collector) -> None:
    """One app has one last revision; dependencies across apps make none of another app follow."""
    followed = {parent for key, parents in graph.items() for parent in parents if parent[0] == key[0]}
    for app in sorted({key[0] for key in graph}):
        leaves = sorted(key for key in graph if key[0] == app and key not in followed)
        if len(leaves) > 1:
            named = " and ".join(scripts[key].id for key in leaves)
            cause = f"app {app} has {len(leaves)} last revisions: {named}"
            problems.add(scripts[leaves[-1]].id, cause, "join them: python manage.py makemigrations --merge", scripts[leaves[-1]].mark)


def _ordered(scripts: Mapping[Key, Script], graph: Mapping[Key, set[Key]]) -> list[Key]:
    """Each after all it depends on; among those that are free, by when they were generated, as their first line tells: what is new
    comes last in whichever app it is, so that the history before it is the one that was kept."""
    names = {scripts[key].id: key for key in graph}
    written: dict[Key, str] = {}
    depth: dict[Key, int] = {}  # how many stand below it, at most
    try:
        for id_ in sort({scripts[key].id: [scripts[parent].id for parent in parents] for key, parents in graph.items()}):
            key = names[id_]
            written[key] = max([scripts[key].written, *(written[parent] for parent in graph[key])])
            depth[key] = max((depth[parent] + 1 for parent in graph[key]), default=0)
    except Cycle as cycle:
        first = scripts[names[cycle.path[0]]]
        raise DefinitionError(first.id, f"revisions depend on each other in a circle: {cycle}", "correct one", first.mark) from None
    return sorted(graph, key=lambda key: (written[key], depth[key], key))
