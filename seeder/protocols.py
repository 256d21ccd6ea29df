"""All that can be extended, on one page: Runtime, Engine, Migrator, Loader, Gate, and the optional capabilities beside them.

Required protocols are small. What more a plug can do is a capability, a protocol of its own, looked for once, at plan time.
The records that travel between plugs stand here too; they are frozen and hold no behaviour.
"""

from __future__ import annotations

import datetime
import signal
import urllib.parse
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from seeder.definition.dataset import Part, PartKind
from seeder.definition.extension import Gates
from seeder.definition.scenario import Expectation
from seeder.definition.stack import Reference, Service, Stack, Store
from seeder.errors import Problem
from seeder.process import Completed
from seeder.wait import Verdict

if TYPE_CHECKING:
    import httpx

    from seeder.events import Emit

# -- what is passed along ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Address:
    """Where something can be reached from where seeder runs."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Target:
    """One store as it can be reached now. `password` never appears in the text form; `url` holds it."""

    store: str
    engine: str
    scheme: str
    address: Address
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    database: str | None = None

    def url(self, driver: str | None = None) -> str:
        """`scheme[+driver]://user:password@host:port/database`, credentials percent-encoded."""
        quote = urllib.parse.quote
        login = ""
        if self.user is not None or self.password is not None:
            login = quote(self.user or "", safe="")
            login += f":{quote(self.password, safe='')}" if self.password is not None else ""
            login += "@"
        path = f"/{quote(self.database, safe='')}" if self.database is not None else ""
        return f"{self.scheme}{f'+{driver}' if driver else ''}://{login}{self.address}{path}"


@dataclass(frozen=True)
class Run:
    """Who owns what is created: one run of one stack of one project.

    `folder` is the run's own folder, mode 0700, outside the checkout; `kept` environments live until `expires`.
    """

    id: str
    project: str
    stack: str
    runtime: str
    folder: Path
    checkout: Path
    as_of: datetime.datetime
    seed: int
    expires: datetime.datetime

    @property
    def moment(self) -> str:
        """`as_of` as it is written everywhere: 2026-01-15T12:00:00Z."""
        return self.as_of.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")

    @property
    def told(self) -> dict[str, str]:
        """What services, tasks and the wrapped command are told, so that what they make up comes out the same again."""
        return {"SEEDER_AS_OF": self.moment, "SEEDER_SEED": str(self.seed)}

    @property
    def model(self) -> Path:
        """Where a runtime that uses compose keeps the resolved model that it gave to it; holds passwords, mode 0600."""
        return self.folder / "compose.resolved.json"

    @property
    def name(self) -> str:
        """The compose project's name on docker."""
        return f"seeder-{self.stack}-{self.id}"


@dataclass(frozen=True)
class Task:
    """A program that is run once inside the environment, as a service would run it: its image or folder, its environment
    with addresses that are right where it runs. `environment` is added to it; `host` runs it on the machine that runs
    seeder, with addresses as seen from there, in `cwd`."""

    label: str  # names its log
    command: tuple[str, ...]
    service: str
    environment: Mapping[str, str] = field(default_factory=dict)
    host: bool = False
    cwd: Path | None = None
    timeout: float = 600.0
    remedy: str = "see its log"  # when the time limit is reached


@dataclass(frozen=True)
class Overlay:
    """What config datasets add to one service before it starts: variables, and files (absolute path as the service sees it
    -> file on this machine)."""

    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)


NO_OVERLAYS: Mapping[str, Overlay] = {}


@dataclass(frozen=True)
class Swept:
    """What a sweep removed, and what it could not (each as a sentence)."""

    removed: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


@dataclass(frozen=True)
class Notice:
    """What a runtime says of a service before anything starts: refused (the plan ends) or noted (the plan names it)."""

    subject: str
    message: str
    remedy: str = ""
    refused: bool = False


class World(Protocol):
    """What plugs may ask of a running environment."""

    @property
    def run(self) -> Run: ...
    @property
    def stack(self) -> Stack: ...
    @property
    def emit(self) -> Emit: ...
    def target(self, store: str) -> Target:
        """The store as reached from here, never through a proxy."""

    def engine(self, store: str) -> Engine: ...
    def http(self, service: str) -> httpx.Client:
        """A client of the service: base address, authentication as declared, time limits. The environment closes it."""

    def execute(self, task: Task) -> Completed:
        """Run a program inside the environment."""

    def look(self, service: str, condition: Literal["started", "healthy", "completed"]) -> Verdict:
        """One observation of a service against a depends_on condition."""

    def run_service(self, name: str, *, within: float, remedy: str) -> None:
        """Start a one-shot service and wait until it has completed, at most `within` seconds; `remedy`: what to do when it does not.
        Raises EnvironmentFailed with its last log lines."""

    def variables(self) -> dict[str, str]:
        """What the wrapped command gets: SEEDER_* and the stack's exports."""


# -- runtimes ---------------------------------------------------------------------------------------------------------


class Runtime(Protocol):
    """Where a stack runs. Everything it creates carries the run's label; `sweep` acts on labels and ids only."""

    name: str

    def available(self) -> Problem | None:
        """None when it can be used on this machine; else why not, and what to do."""

    def survey(self, stack: Stack, images: Collection[str] = ()) -> Sequence[Notice]:
        """What it refuses and what it cannot honour, from the definition alone. `images`: services whose image the caller asked for."""

    def open(
        self, run: Run, stack: Stack, emit: Emit, overlays: Mapping[str, Overlay] = NO_OVERLAYS, *, isolate_binds: bool = False
    ) -> Deployment:
        """Reserve what the run needs (ports, folders). Creates nothing that `sweep(run.id)` would not remove.

        `overlays` are added to services by name. `isolate_binds`: services write into copies of the host folders that are
        mounted into them; refused (EnvironmentFailed) by a runtime that cannot.
        """

    def sweep(self, run: str) -> Swept:
        """Remove everything that carries this run's label, whoever created it. Safe to repeat and to race with itself."""

    def owners(self) -> Mapping[str, datetime.datetime | None]:
        """Run ids that own something here, with their expiry where the label tells it."""


class Deployment(Protocol):
    """One stack of one run on a runtime."""

    def prepare(self, images: Mapping[str, str]) -> Mapping[tuple[str, int], Address]:
        """Get images or programs, create what can be created before the start; answer the address of every service and
        container port. `images` replaces a service's image. The mapping stays true: an address that had to be redrawn
        because another program took its port appears in it."""

    def start(self, service: str) -> None:
        """Start one service; returns at once. A finished one-shot stays finished."""

    def look(self, service: str, condition: Literal["started", "healthy", "completed"]) -> Verdict:
        """One observation against a depends_on condition. `never`, with its last log lines, when it exited, restarts or was killed."""

    def execute(self, task: Task) -> Completed:
        """Run a task to its end, within its time limit."""

    def logs(self, service: str, lines: int | None = None) -> str:
        """What the service (or a task, by its label) wrote so far; the last `lines` of it."""


@runtime_checkable
class Rejoins(Protocol):
    """The runtime can take up an environment that another process started."""

    def rejoin(self, run: Run, stack: Stack, addresses: Mapping[tuple[str, int], Address], emit: Emit) -> Deployment:
        """Its services can be looked at, their logs read and programs run beside them. Reserves, creates and starts nothing.
        Raises EnvironmentFailed when nothing of the run is there."""


@dataclass(frozen=True)
class Diagnosis:
    """One thing that a runtime needs of this machine, and how it stands."""

    subject: str
    state: Literal["ok", "warn", "fail"]
    finding: str
    remedy: str = ""


@runtime_checkable
class Diagnoses(Protocol):
    """The runtime can say what it finds and misses on this machine."""

    def diagnose(self) -> Iterable[Diagnosis]: ...


# -- engines ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Launch:
    """What a container runtime must know of an engine: its port, and the paths where the image keeps state."""

    port: int
    data: tuple[str, ...]


@dataclass(frozen=True)
class LocalLaunch:
    """How an engine runs as a process. `{host} {port} {data}` are filled in in commands and files, other braces stay; paths in
    `files` are relative to the data folder, written (mode 0600) before `prepare` and anew before the start. `prepare` depends on
    nothing but `program`: the folder after it may be kept and copied for the next server of the same `program`."""

    program: str  # what runs, with its version and origin; shown in the plan
    command: tuple[str, ...]
    prepare: tuple[tuple[str, ...], ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    reads: tuple[Path, ...] = ()  # folders that the process must be able to read
    refuses_root: bool = False
    stop: signal.Signals = signal.SIGTERM
    notes: tuple[str, ...] = ()  # what of the service's definition this process does not honour; the plan names it


class Engine(Protocol):
    """How one kind of store is started and reached."""

    name: str

    def launch(self, service: Service) -> Launch: ...

    def target(self, store: Store, service: Service, address: Address) -> Target:
        """The store behind the address, with the credentials that the service's definition gives it."""

    def probe(self, target: Target) -> Verdict:
        """One look on the wire: does the server accept this store's clients? Gives up within two seconds. A database of
        several in one server that does not exist yet counts as ready."""


@runtime_checkable
class Embedded(Protocol):
    """The engine runs without containers."""

    def local(self, service: Service) -> LocalLaunch:
        """The smallest version at hand not below the image's. Raises EnvironmentFailed with what to install."""


@runtime_checkable
class Initialises(Protocol):
    """The engine has work to do once, after the server's first start."""

    def initialise(self, service: Service, stores: Sequence[Store], address: Address, *, image: bool) -> None:
        """Make what the stores need: databases beyond the image's own. Where no image's entrypoint ran (`image` false), also
        what it would have done: roles, database, init scripts. Repeating it changes nothing."""


@dataclass(frozen=True)
class Row:
    """One record of a table file; values are text, None, numbers, booleans, or lists and dicts for structured columns."""

    line: int
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Table:
    """A table's file. `rows()` may be called again and reads the file anew."""

    part: Part
    columns: tuple[str, ...]
    source: Any = field(repr=False)  # a callable that returns an iterator of Row

    @property
    def name(self) -> str:
        return self.part.name

    def rows(self) -> Iterator[Row]:
        result: Iterator[Row] = self.source()
        return result


@dataclass(frozen=True)
class Script:
    part: Part


@dataclass(frozen=True)
class Key:
    """A key with its type (string, hash, list, set, zset), value and time to live in seconds (None: for ever)."""

    line: int
    key: str
    type: str
    value: Any
    ttl: float | None = None


@dataclass(frozen=True)
class Keys:
    part: Part
    keys: tuple[Key, ...]


@dataclass(frozen=True)
class Message:
    line: int
    subject: str
    headers: Mapping[str, str]
    payload: Any  # JSON, or text


@dataclass(frozen=True)
class Messages:
    part: Part
    messages: tuple[Message, ...]


Records = Table | Script | Keys | Messages


class Session(Protocol):
    """An open load into one store. Nothing of it is visible to others before `commit`, as far as the engine can."""

    def load(self, records: Sequence[Records]) -> Mapping[str, int]:
        """Load all in an order that their constraints allow; answer the records per name. Raises DefinitionError that names
        file, line, column, value and constraint of a bad record."""

    def commit(self) -> None:
        """Verify constraints, set sequences after the highest value, refresh materialised views, make it last."""

    def rollback(self) -> None: ...


@runtime_checkable
class Loads(Protocol):
    """The engine takes records."""

    accepts: frozenset[PartKind]

    def begin(self, target: Target, *, upsert: bool, natural_keys: Mapping[str, tuple[str, ...]]) -> Session:
        """`upsert`: records may be there already and are brought to the file's values, by primary key or by
        `natural_keys` (table -> columns)."""


@runtime_checkable
class Queries(Protocol):
    """The engine answers SQL."""

    def query(self, target: Target, sql: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Rows of one statement, `:name` parameters bound by the driver. Raises EnvironmentFailed with the database's words."""

    def client(self, target: Target) -> tuple[list[str], dict[str, str]]:
        """Command and extra environment of an interactive client (psql); secrets in the environment, never in the command."""


@dataclass(frozen=True)
class ColumnInfo:
    """`filled`: a default, an identity or a generated expression gives the value when a row does not say."""

    name: str
    type: str
    nullable: bool
    filled: bool = False


@dataclass(frozen=True)
class TableInfo:
    """A table as the database sees it; `name` carries the schema unless it is the default one."""

    name: str
    columns: tuple[ColumnInfo, ...]
    key: tuple[str, ...]  # primary key columns


@runtime_checkable
class Inspects(Protocol):
    """The engine has a schema."""

    def tables(self, target: Target) -> Mapping[str, TableInfo]: ...

    def count(self, target: Target, table: str) -> int: ...

    def missing(self, target: Target, table: str, column: str) -> list[tuple[Any, ...]]:
        """Keys (and the column itself) of rows whose column is null, ten at most."""

    def values(self, target: Target, table: str, column: str) -> Iterator[tuple[Any, tuple[Any, ...]]]:
        """Every distinct non-null value of the column as text, with the primary key of one row that holds it; in C order."""


@dataclass(frozen=True)
class StoreDigest:
    """SHA-256 (hex) over the store's content as text, as architecture.md defines it, and over its parts: table, key type or
    stream -> (records, digest)."""

    digest: str
    parts: Mapping[str, tuple[int, str]]


@runtime_checkable
class Digests(Protocol):
    def digest(self, target: Target, volatile: Sequence[str]) -> StoreDigest: ...


@runtime_checkable
class Saves(Protocol):
    """The engine's portable form: files in a folder that any runtime can read back."""

    def save(self, target: Target, folder: Path) -> None: ...

    def restore(self, target: Target, folder: Path) -> None:
        """Replace the store's content by the saved one. Raises EnvironmentFailed when it does not fit."""


@runtime_checkable
class Resets(Protocol):
    def reset(self, target: Target) -> None:
        """Empty the store: as just started, before migrations. Clients may stay connected."""


@runtime_checkable
class Settles(Protocol):
    """The engine can tell whether background work on the store is done."""

    def settled(self, target: Target, store: Store) -> Verdict: ...


@runtime_checkable
class LooksUp(Protocol):
    """The engine holds keys."""

    def lookup(self, target: Target, key: str) -> Any:
        """The key's value (text, list, dict by type), or None."""


@runtime_checkable
class Streams(Protocol):
    """The engine holds messages."""

    def messages(self, target: Target, subject: str) -> list[Message]:
        """Stored messages of the subject (wildcards as in the broker), oldest first."""


# -- migrators --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Revision:
    """One step of a migration history."""

    id: str
    file: Path
    summary: str = ""


class Migrator(Protocol):
    """How one migration tool lists and applies its revisions."""

    tool: str

    def revisions(self, store: Store, stack: Stack) -> tuple[Revision, ...]:
        """In the order in which they apply, read from files alone. Raises DefinitionError (cycles, several heads, missing files)."""

    def migrate(self, store: Store, revisions: Sequence[Revision], world: World) -> None:
        """Bring the store to the last revision. Raises EnvironmentFailed naming the revision, its file, the database's
        message and the statement."""


@runtime_checkable
class Remembers(Protocol):
    """The tool keeps a record of its revisions in the store."""

    def drift(self, store: Store, revisions: Sequence[Revision], world: World) -> str | None:
        """How the store's own record differs from the files, as a sentence; None when they agree."""


# -- loaders ----------------------------------------------------------------------------------------------------------


class Loader(Protocol):
    """Where records at rest come from: reads one file of a dataset."""

    kind: PartKind

    def read(self, part: Part, as_of: datetime.datetime) -> Records:
        """Relative dates count from `as_of`. Raises DefinitionError with all bad lines of the file."""


class Caller(Protocol):
    """Loads through services, once they are ready."""

    kind: PartKind

    def read(self, part: Part, as_of: datetime.datetime) -> int:
        """How many calls the file holds. Raises DefinitionError with all that are badly written."""

    def call(self, part: Part, world: World) -> int:
        """Make the calls in order; answer how many. Raises EnvironmentFailed naming file, line, request and answer."""


# -- gates ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LoadedTable:
    """A table file that was loaded: the rows and columns it should have left in its store."""

    dataset: str
    store: str
    table: str
    columns: tuple[str, ...]
    rows: int
    file: Path


@dataclass(frozen=True)
class Fitness:
    """What gates check a world against."""

    revisions: Mapping[str, tuple[Revision, ...]]  # store -> its history
    tables: tuple[LoadedTable, ...] = ()
    gates: tuple[tuple[str, Gates], ...] = ()  # (who declared it, what)
    references: tuple[Reference, ...] = ()
    expectations: tuple[Expectation, ...] = ()


class Gate(Protocol):
    """When an environment is fit for the test."""

    name: str

    def check(self, fitness: Fitness, world: World) -> Iterable[Problem]:
        """Every finding with its subject, the keys of offending rows and the remedy; nothing when all is well."""
