"""What all presets share: a tool whose rules are known is run by a program or a service of which nothing is known. It goes on where the
store stands, and always to the end of its history; it cannot be told to halt on the way."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from seeder import fingerprint
from seeder.definition.stack import Stack, Store
from seeder.errors import Collector, DefinitionError, EnvironmentFailed, Mark, counted
from seeder.frozen import frozen
from seeder.migrators import _inputs, _pins
from seeder.migrators.command import Command
from seeder.migrators.service import OneShot
from seeder.passed.fitness import Revision
from seeder.protocols import Inspects, Queries, World

Row = tuple[Any, ...]


@frozen
class History:
    """What files say: the revisions in the order in which they apply; the files `apart`, which do nothing else on the way up (those of
    the revisions, their undoing); and what decides all revisions beside the files that are left, by name."""

    revisions: tuple[Revision, ...]
    apart: frozenset[Path]
    shared: Mapping[str, Any] = field(default_factory=dict)


class Preset(ABC):
    tool: ClassVar[str]
    stepwise = True
    folders: ClassVar[tuple[str, ...]] = ()  # where the tool itself looks when nobody says where: the first that is there counts
    libraries: ClassVar[tuple[str, ...] | None] = ()  # packages whose version the project's own files tell; None: all that Python has
    table: ClassVar[str]  # what the tool calls its list of revisions
    columns: ClassVar[frozenset[str]]  # by these the list is known, whatever it is called
    filled: ClassVar[tuple[str, ...]] = ()  # of that list what comes from a clock, or from how often the tool was run

    @abstractmethod
    def read(self, files: Mapping[str, Path], stack: Stack, problems: Collector) -> History:
        """The history of these files, by their path from the compose file's folder; what is wrong goes to `problems`."""

    @abstractmethod
    def difference(self, rows: Sequence[Row], revisions: Sequence[Revision], known: History) -> str | None:
        """How the rows of the tool's list differ from the revisions, as a sentence."""

    @abstractmethod
    def select(self, table: str) -> str:
        """The statement that reads the list, oldest first."""

    def revisions(self, store: Store, stack: Stack) -> tuple[Revision, ...]:
        """Raises DefinitionError with every breach of the tool's rules that files show, and when there are no revisions."""
        _way(store).revisions(store, stack)  # the services that it names are there
        return self._history(store, stack).revisions

    def basis(self, store: Store, stack: Stack) -> Mapping[str, Any]:
        """How the program or service is run, versions that the project writes down, and every file of `inputs` that is no revision."""
        history, files = self._history(store, stack), self._files(store, stack)
        folders = {stack.project_dir, *(path.parent for path in files.values())}
        return {
            **_way(store).program(store, stack),
            "inputs": {place: fingerprint.content(path) for place, path in files.items() if path not in history.apart},
            "versions": _pins.declared(folders, self.libraries),
            "shared": dict(history.shared),
        }

    def migrate(self, store: Store, revisions: Sequence[Revision], world: World) -> None:
        """Run it, and see that the store stands at the last revision then: what is kept of it is found by these revisions."""
        _way(store).migrate(store, revisions, world)
        difference = self.drift(store, revisions, world)
        if difference:
            cause = f"`{_words(store)}` ended well, but {difference}"
            remedy = f"does it bring {store.name} to the end of what `inputs` name? It takes its address from the environment"
            raise EnvironmentFailed(store.name, cause, remedy)

    def drift(self, store: Store, revisions: Sequence[Revision], world: World) -> str | None:
        engine, target = world.engine(store.name), world.target(store.name)
        if not isinstance(engine, Inspects) or not isinstance(engine, Queries):
            return f"{engine.name} cannot be asked for its tables"
        alike = [name for name, table in engine.tables(target).items() if self.columns <= {c.name.lower() for c in table.columns}]
        tables = [name for name in alike if name.split(".")[-1] == self.table] or alike
        if not tables:
            return f"there is no table like {self.table}, in which {self.tool} lists what it applied"
        rows = [row for table in sorted(tables) for row in engine.query(target, self.select(_quoted(table)))]
        return self.difference(rows, revisions, self._history(store, world.stack))

    def _history(self, store: Store, stack: Stack) -> History:
        problems, files = Collector(), self._files(store, stack)
        history = self.read(files, stack, problems)
        problems.raise_if_any(DefinitionError)
        if not history.revisions:
            cause = f"none of {counted(len(files), 'file')} below {', '.join(self._globs(store, stack))} is a revision of {self.tool}"
            raise DefinitionError(f"{store.name}: inputs", cause, "correct `inputs`", stack.services[store.service].mark)
        return history

    def _files(self, store: Store, stack: Stack) -> dict[str, Path]:
        return _inputs.files(store, stack, self._globs(store, stack))

    def _globs(self, store: Store, stack: Stack) -> Sequence[str]:
        migrate = store.migrate
        service = stack.services.get(migrate.service or "") if migrate else None
        given = (migrate.inputs if migrate else None) or (service.x.inputs if service else None)
        found = given or [folder for folder in self.folders if any(stack.project_dir.glob(folder))][:1]
        if not found:
            where = f"none of {', '.join(self.folders)} is there" if self.folders else f"{self.tool} has no folder of its own"
            cause = f"preset {self.tool} needs `inputs`: {where}"
            raise DefinitionError(
                f"{store.name}: preset", cause, "name the folder of its revisions: `inputs: [FOLDER]`", stack.services[store.service].mark
            )
        return found


def digest(*parts: str) -> str:
    """Of several texts as one (SHA-256, hex)."""
    return fingerprint.text("\0".join(parts))


def compared(held: Collection[str], wanted: Sequence[str], known: Collection[str], optional: Collection[str] = ()) -> str | None:
    """What is missing among the held ids, or is of a file that is gone. The `optional` ones may be missing."""
    missing = [id_ for id_ in wanted if id_ not in held and id_ not in optional]
    if missing:
        return f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not applied"
    gone = sorted(id_ for id_ in held if id_ not in known)
    return f"{', '.join(gone)} was applied, and its file is gone" if gone else None


def refuse(tool: str, subject: str, cause: str, mark: Mark) -> NoReturn:
    """For a history that files do not tell."""
    raise DefinitionError(subject, cause, f"write it out, or remove `preset: {tool}`: all of it is one step then", mark)


def _way(store: Store) -> Command | OneShot:
    return OneShot() if store.migrate and store.migrate.service else Command()


def _words(store: Store) -> str:
    migrate = store.migrate
    return (migrate.service or " ".join(migrate.command or ())) if migrate else ""


def _quoted(table: str) -> str:
    return ".".join('"' + part.replace('"', '""') + '"' for part in table.split("."))
