"""All that can be extended, on one page: Runtime, Engine, Migrator, Loader, Gate, and the optional capabilities beside them.

Required protocols are small. What more a plug can do is a capability, a protocol of its own, looked for once, at plan time.
What is passed along stands in modules of its own: run, target, launch, notice, content, fitness; all frozen. Signatures alone
name them, so that who asks for a protocol is not brought what only some plugs pass.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from seeder.passed.run import NO_ADDITIONS

if TYPE_CHECKING:
    import httpx

    from seeder.definition.dataset import Part, PartKind
    from seeder.definition.service import Condition, Service
    from seeder.definition.stack import Stack, Store
    from seeder.definition.stores import Traits
    from seeder.errors import Problem
    from seeder.events import Emit
    from seeder.machine.process import Completed
    from seeder.passed.capability import Asked, Capability
    from seeder.passed.content import Answer, Held, Message, Post, Received, Records, RowKeys, StoreDigest, TableInfo
    from seeder.passed.fitness import Fitness, Revision
    from seeder.passed.launch import Launch, LocalLaunch
    from seeder.passed.layer import Layer
    from seeder.passed.notice import Diagnosis, Notice
    from seeder.passed.rewound import Rewound, Way
    from seeder.passed.run import Addition, Place, Run, Swept, Task
    from seeder.passed.target import Address, Target
    from seeder.wait import Verdict


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

    def client(self, service: str) -> httpx.Client:
        """The same, one of its own, which whoever asks closes."""

    def reach(self, name: str, reader: str | None = None) -> str:
        """The URL of a service, or of a store with its credentials, at which `reader` reaches it: a service of the stack, or this
        machine (None)."""

    def credentials(self, service: str) -> Mapping[str, str]:
        """The headers by which clients of the service prove who they are, as the stack declares it."""

    def execute(self, task: Task) -> Completed:
        """Run a program inside the environment."""

    def look(self, service: str, condition: Condition) -> Verdict:
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
        self, run: Run, stack: Stack, emit: Emit, additions: Mapping[str, Addition] = NO_ADDITIONS, *, isolate_binds: bool = False
    ) -> Deployment:
        """Reserve what the run needs (ports, folders). Creates nothing that `sweep(run.id)` would not remove.

        `additions` are added to services by name. `isolate_binds`: services write into copies of the host folders that are
        mounted into them; refused (EnvironmentFailed) by a runtime that cannot.
        """

    def sweep(self, run: str) -> Swept:
        """Remove everything of it that carries this run's label, whoever created it. Safe to repeat and to race with itself. Processes
        of this machine are ended before, and the run's folder goes after it: no runtime sees to these."""

    def owners(self) -> Mapping[str, datetime.datetime | None]:
        """Run ids that own something here, with their expiry where the label tells it."""


@runtime_checkable
class Placed(Protocol):
    """What the runtime creates lives at one of several places; which one is meant may be another at the next command."""

    def place(self) -> Place:
        """The one that is meant now. Raises EnvironmentFailed when it does not answer."""


class Deployment(Protocol):
    """One stack of one run on a runtime."""

    def prepare(self, images: Mapping[str, str], states: Mapping[str, str] | None = None) -> Mapping[tuple[str, int], Address]:
        """Get images or programs, create what can be created before the start; answer the address of every service and
        container port. `images` replaces a service's image, `states` are places of kept states at which servers begin; None
        when no state of this run will be kept. The mapping stays true: an address that had to be redrawn because another program
        took its port appears in it."""

    def start(self, service: str) -> None:
        """Start one service; returns at once. A finished one-shot stays finished."""

    def look(self, service: str, condition: Condition) -> Verdict:
        """One observation against a depends_on condition. `never`, with its last log lines, when it exited, restarts or was killed."""

    def execute(self, task: Task) -> Completed:
        """Run a task to its end, within its time limit."""

    def logs(self, service: str, lines: int | None = None) -> str:
        """What the service (or a task, by its label) wrote so far; the last `lines` of it."""


@runtime_checkable
class Networked(Protocol):
    """The deployment's services reach each other in a network of their own, not at the addresses that this machine uses."""

    def inside(self, service: str, port: int) -> Address:
        """Where its other services reach the container port of one."""


@runtime_checkable
class Layered(Protocol):
    """The runtime can start a server at a state that was kept."""

    def form(self, service: Service, engine: str, image: str | None) -> tuple[str, str] | None:
        """How a server's state is kept here: the name of the form, which fits only servers that are built alike, and the layer store
        that keeps it; None when the server's state cannot be taken from it. `image` replaces the service's."""


@runtime_checkable
class Limits(Protocol):
    """The runtime's servers may know less than the images that they stand for."""

    def beyond(self, stack: Stack, parts: Iterable[Part]) -> Iterable[Problem]:
        """What of these files of a dataset they do not know, each with its place."""


@runtime_checkable
class Stops(Protocol):
    """The deployment can stop a service cleanly, so that its state can be taken from it; `start` goes on with it."""

    def stop(self, service: str) -> None:
        """Ask it to end and wait until it has. One that does not run stays so."""

    def state(self, service: str) -> str:
        """What the runtime's layer store keeps of a stopped server: a container, a folder."""


@runtime_checkable
class Holds(Protocol):
    """The deployment can hold a service still without ending it."""

    def hold(self, service: str) -> None:
        """From now on it does nothing; its connections stay. One that has ended stays so."""

    def release(self, service: str) -> None:
        """It goes on where it was held."""


@runtime_checkable
class Rejoins(Protocol):
    """The runtime can take up an environment that another process started."""

    def rejoin(self, run: Run, stack: Stack, addresses: Mapping[tuple[str, int], Address], emit: Emit) -> Deployment:
        """Its services can be looked at, their logs read and programs run beside them. Reserves, creates and starts nothing.
        Raises EnvironmentFailed when nothing of the run is there."""


@runtime_checkable
class Builds(Protocol):
    """The runtime has things built for services (images, data folders of engines), which outlive the runs that they were built for."""

    def built(self) -> Mapping[str, datetime.datetime]:
        """When a run last used each that was built for this cache and that nothing is made of now. Raises EnvironmentFailed."""

    def forget(self, built: str) -> None:
        """Remove it; who needs it builds it again. Raises EnvironmentFailed when something was made of it meanwhile."""


@runtime_checkable
class Diagnoses(Protocol):
    """The runtime can say what it finds and misses on this machine."""

    def diagnose(self) -> Iterable[Diagnosis]: ...


# -- layers -----------------------------------------------------------------------------------------------------------


class LayerStore(Protocol):
    """Where layers are kept. What it keeps appears whole: that it can be found is the last act of keeping it."""

    name: str

    def find(self, keys: Collection[str]) -> Mapping[str, Layer]:
        """Those of the keys (`layer.key`) that it holds."""

    def every(self) -> Iterable[Layer]: ...

    def keep(self, state: str, form: str, source: str, facts: Mapping[str, Any]) -> Layer:
        """Keep the state `source` (what `Stops.state` answers, or a folder) as the layer of this id and form."""

    def use(self, layer: Layer) -> None:
        """Note that it was used just now."""

    def remove(self, layer: Layer) -> None:
        """Safe to repeat, and while others read it."""


@runtime_checkable
class Packs(Protocol):
    """The layer store hands layers over, and takes them, as packs: one form of bytes, whatever holds them here."""

    def pack(self, layer: Layer, pack: Path) -> Mapping[str, Any]:
        """Write the layer as a pack; answer what who takes it must know beside its facts. Raises EnvironmentFailed."""

    def unpack(self, layer: Layer, pack: Path) -> Layer:
        """Keep the pack as a layer of this id, form and facts, as `keep` does. Raises EnvironmentFailed when it cannot be read, or lacks
        here what it lies on."""


@runtime_checkable
class Bases(Protocol):
    """The layer store puts layers on top of the image of their server."""

    def fetch(self, image: str) -> None:
        """Have it here. Raises EnvironmentFailed."""


@runtime_checkable
class Strays(Protocol):
    """What was a layer may lie in the layer store although no key leads to it any more."""

    def strays(self) -> Mapping[str, datetime.datetime]:
        """When each was made that nothing is made of now. Raises EnvironmentFailed."""

    def forget(self, stray: str) -> None:
        """Remove it. Raises EnvironmentFailed when something was made of it meanwhile."""


class Remote(Protocol):
    """Where packs are kept that other machines reach too. All members raise EnvironmentFailed when it does not answer or refuses."""

    def names(self) -> set[str]:
        """Of all that is there, but not of what has a slash in its name."""

    def told(self, name: str) -> Mapping[str, Any] | None:
        """What was told of the pack, as JSON values; None when there is none of this name."""

    def put(self, name: str, pack: Path, told: Mapping[str, Any]) -> None:
        """Keep the pack and what is `told` of it, its `sha256` and `length` among that. That it is told is the last act: a name without
        it is not there. What was there under the name is replaced."""

    def get(self, name: str, sha256: str, pack: Path) -> bool:
        """Write the pack that was told to have this digest to a file, as it is there: who reads it looks at it. Whether there is one."""


@runtime_checkable
class Shrinks(Protocol):
    """A remote that nobody else keeps from growing. All members raise EnvironmentFailed."""

    def held(self) -> Mapping[str, datetime.datetime]:
        """Of all that is there under a name without a slash: when it was last put or asked to be put again."""

    def used(self, name: str) -> None:
        """It is of use now."""

    def remove(self, name: str) -> None:
        """What is told first: nobody finds half of it. One that is not there is gone."""

    def sweep(self) -> None:
        """Remove what was never finished, once nobody can be at it any more."""


class Remotes(Protocol):
    """One kind of address of a remote."""

    def open(self, url: str) -> Remote: ...


# -- engines ----------------------------------------------------------------------------------------------------------


class Engine(Protocol):
    """How one kind of store is told, started and reached."""

    name: str
    traits: Traits

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


class Finality(IntEnum):
    """What a session's commit means for those of the other stores; they are made in this order, so that nothing of a dataset stays
    when one fails."""

    REVOCABLE = 1  # it may fail, and `rollback` takes it back even when it did not
    FINAL = 2  # it may fail, and cannot be taken back
    CERTAIN = 3  # nothing but the loss of the server stops it, and it cannot be taken back


class Session(Protocol):
    """An open load into one store. Nothing of it is visible to others before `commit`, as far as the engine can."""

    @property
    def finality(self) -> Finality:
        """Known once all is loaded."""

    def load(self, records: Sequence[Records]) -> Mapping[str, int]:
        """Load all in an order that their constraints allow; answer the records per name. Raises DefinitionError that names
        file, line, column, value and constraint of a bad record."""

    def verify(self) -> None:
        """Do all that may still be refused before the commit, once everything is loaded: constraints that wait until then, sequences
        after the highest value, materialised views. Raises DefinitionError as `load` does."""

    def commit(self) -> None:
        """Make it last. Raises EnvironmentFailed."""

    def rollback(self) -> None:
        """Leave nothing of it; after a commit, where that is revocable. Raises EnvironmentFailed when it cannot be taken back."""


@runtime_checkable
class Loads(Protocol):
    """The engine takes records."""

    accepts: frozenset[PartKind]

    def begin(self, target: Target, *, upsert: bool, natural_keys: Mapping[str, tuple[str, ...]]) -> Session:
        """`upsert`: records may be there already and are brought to the file's values, by primary key or by
        `natural_keys` (table -> columns)."""


class Guest(Session, Protocol):
    """A load into a store that others use, too."""

    @property
    def transaction(self) -> str:
        """By what the store knows the load, once all is loaded; also when its process is gone."""


@runtime_checkable
class Shares(Protocol):
    """The engine takes rows into a store that others use, too, and takes them back."""

    def keys(self, target: Target, tables: Iterable[str]) -> Mapping[str, RowKeys]:
        """By what rows of these tables are told; of those that are there."""

    def taken(self, target: Target, table: str, column: str, low: int, high: int) -> bool:
        """Whether a row has a number of this range."""

    def join(self, target: Target) -> Guest:
        """As `Loads.begin`, of rows whose keys are new; what is drawn, derived or declared for all stays as it is."""

    def committed(self, target: Target, transaction: str) -> bool | None:
        """Whether such a load came to its commit; None where the store does not know any more. Raises EnvironmentFailed."""

    def erase(self, target: Target, rows: Mapping[str, tuple[Sequence[str], Sequence[Sequence[str]]]]) -> int:
        """Table -> (columns of its key, their values row by row): take these rows away, those that lead to others first; answer how
        many there were. Raises EnvironmentFailed, and nothing is gone then."""


@runtime_checkable
class Queries(Protocol):
    """The engine answers SQL."""

    def query(self, target: Target, sql: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Rows of one statement, `:name` parameters bound by the driver. Raises EnvironmentFailed with the database's words,
        WrongStatement where the statement itself is to blame."""

    def answers(self, target: Target, statements: str) -> Sequence[Answer]:
        """What each of the statements that a user typed answers. Raises UsageError with the database's words when it refuses one."""


@runtime_checkable
class Opens(Protocol):
    """A person can look into the store with a client of its kind."""

    def client(self, target: Target) -> tuple[list[str], dict[str, str]]:
        """Command and extra environment of an interactive client (psql); secrets in the environment, never in the command."""


@runtime_checkable
class Inspects(Protocol):
    """The engine has a schema."""

    def tables(self, target: Target) -> Mapping[str, TableInfo]: ...

    def counts(self, target: Target, tables: Iterable[str]) -> Mapping[str, int]:
        """How many rows each of the tables holds."""

    def missing(self, target: Target, table: str, column: str) -> list[tuple[Any, ...]]:
        """Keys (and the column itself) of rows whose column is null, ten at most."""

    def values(self, target: Target, table: str, column: str) -> Iterator[tuple[Any, tuple[Any, ...]]]:
        """Every distinct non-null value of the column as text, with the primary key of one row that holds it; in C order."""


@runtime_checkable
class Marks(Protocol):
    """The engine can tell whose rows are."""

    def marked(self, target: Target, table: str, column: str, mark: str) -> int:
        """How many rows have a value in the column that begins with the mark. Raises EnvironmentFailed."""


@runtime_checkable
class Digests(Protocol):
    def digest(self, target: Target, volatile: Sequence[str]) -> StoreDigest: ...


@runtime_checkable
class Recordable(Protocol):
    """What a store holds can be written down as a dataset's files."""

    def held(self, target: Target, volatile: Sequence[str]) -> Iterable[Held]:
        """Everything, but for what is volatile and comes by itself. Raises EnvironmentFailed."""


@runtime_checkable
class Saves(Protocol):
    """The engine's portable form: files in a folder that any runtime can read back."""

    def save(self, target: Target, folder: Path) -> None: ...

    def restore(self, target: Target, folder: Path) -> str:
        """Replace the store's content by the saved one, whatever clients are in the middle of; answer why they have to be restarted, or
        nothing. Raises EnvironmentFailed when it does not fit."""


class Rewinder(Protocol):
    """One store and its mark. Connections are kept from one call to the next; the store's clients are quiet during each."""

    def mark(self) -> str:
        """Remember the state as it is now, in place of any earlier mark; answer why clients have to be restarted, or nothing.
        Raises EnvironmentFailed when the store has something that could not be brought back."""

    def rewind(self, way: Way) -> Rewound:
        """Bring the marked state back, whatever was done since; transactions that clients hold open are ended. A way that will
        not do gives place to one that does. Raises EnvironmentFailed when nothing is marked."""

    def close(self) -> None:
        """Let go of the connections. The mark stays."""


@runtime_checkable
class Rewinds(Protocol):
    """The engine can take a store back to a marked state while its server runs and clients stay connected. `marks_alone`: to mark it
    nobody may be connected, so that it is done before services start; other stores are marked as services left them when they started."""

    marks_alone: bool

    def rewinder(self, target: Target, folder: Path) -> Rewinder:
        """`folder`: the run's own, for this store alone; together with what the server holds it is the mark, which a later
        process finds there."""


class Cloner(Protocol):
    """Makes stores in the state of one. Its connection is kept from one call to the next; it is of one thread."""

    def clone(self, name: str) -> Target:
        """One more, which holds what the store held when it was kept, with its settings and privileges. Raises EnvironmentFailed."""

    def drop(self, clone: Target) -> None:
        """Remove it, whoever is connected to it. Raises EnvironmentFailed."""

    def close(self) -> None:
        """Let go of the connection. What was made stays."""


@runtime_checkable
class Clones(Protocol):
    """The engine can make further stores on a store's server, each in the store's state."""

    def template(self, target: Target) -> None:
        """Keep the store as it is now, to be copied. Its clients lose their connections, and from now on the server is one for tests:
        what it holds need not outlive a crash of its machine."""

    def cloner(self, target: Target) -> Cloner: ...


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


@runtime_checkable
class Stands(Protocol):
    """The engine stands for somebody outside of the stack: it answers calls as it was told to, and writes them down."""

    def calls(self, target: Target) -> list[Received]:
        """Every call that was received, oldest first."""

    def answer(self, target: Target, mapping: Mapping[str, Any]) -> None:
        """From now on answer calls as the mapping says, in place of one with its id, before others of its priority. Raises
        EnvironmentFailed with the server's words where it does not take it."""

    def forget(self, target: Target, mapping: str) -> None:
        """Answer no more as the mapping of this id says; one that is gone stays so."""


@runtime_checkable
class Narrow(Protocol):
    """The server that runs without containers knows less than the image's."""

    def beyond(self, part: Part) -> Iterable[Problem]:
        """What it does not know of a file of a dataset, with its place."""


@runtime_checkable
class Publishes(Protocol):
    """The engine takes messages from clients."""

    def publish(self, target: Target, posts: Sequence[Post], *, again: bool = False) -> None:
        """In order, each once the one before it is stored. One whose id is known is left out; with `again` it is stored once more, as the
        broker would do it some time later. Raises EnvironmentFailed where nothing takes a subject."""


@runtime_checkable
class Caches(Protocol):
    """The engine holds keys that may end by themselves."""

    def keys(self, target: Target, pattern: str) -> Mapping[str, float | None]:
        """Those that the pattern (`price:*`) matches -> the seconds that are left of their time to live; None: it has none."""

    def drop(self, target: Target, keys: Sequence[str]) -> None: ...

    def expire(self, target: Target, keys: Sequence[str], left: float) -> None:
        """They end in `left` seconds by themselves; with 0, at once."""

    def replace(self, target: Target, key: str, value: Any) -> None:
        """Give the key another value of its type; its time to live stays. Raises EnvironmentFailed where there is none."""


# -- migrators --------------------------------------------------------------------------------------------------------


class Migrator(Protocol):
    """How one migration tool lists and applies its revisions."""

    tool: str

    def revisions(self, store: Store, stack: Stack) -> tuple[Revision, ...]:
        """In the order in which they apply, read from files alone. Raises DefinitionError (cycles, several heads, missing files)."""

    def basis(self, store: Store, stack: Stack) -> Mapping[str, Any] | None:
        """What beside its revisions decides the schema, as JSON values: what they share, versions of the tool and its libraries. None
        when files do not tell: what the tool makes of the store is not kept then."""

    def migrate(self, store: Store, revisions: Sequence[Revision], world: World) -> None:
        """Bring the store, wherever it stands in its history, to the last revision. Raises EnvironmentFailed naming the revision,
        its file, the database's message and the statement."""


@runtime_checkable
class Stepwise(Protocol):
    """`stepwise`: the tool applies revisions one by one, so that a store that holds the beginning of the history only needs the rest."""

    stepwise: bool


@runtime_checkable
class Halts(Protocol):
    """`halts`: the tool can be told the revision to go to, so that something is done between two of them."""

    halts: bool


@runtime_checkable
class RunsAs(Protocol):
    """The tool runs as a service of the stack even where the definition names none."""

    def runs_as(self, store: Store, stack: Stack) -> str:
        """The service whose image, variables and secrets it has. Raises DefinitionError when none can be found."""


@runtime_checkable
class Joins(Protocol):
    """The tool goes step by step, but not everywhere."""

    def steps(self, revisions: Sequence[Revision]) -> Iterator[Sequence[Revision]]:
        """The history in pieces: a store that holds the first ones and gets the rest is as one that got all at once."""


@runtime_checkable
class TellsHead(Protocol):
    """The tool's list in the store tells how far that is."""

    def head(self, store: Store, world: World) -> str | None:
        """The last revision that was applied; None when there is none, or several."""


@runtime_checkable
class Fills(Protocol):
    """`filled`: columns of the tool's own tables, as `TABLE.COLUMN`, that differ each time it runs; digests leave them out."""

    filled: Sequence[str]


@runtime_checkable
class Remembers(Protocol):
    """The tool keeps a list of its revisions in the store."""

    def drift(self, store: Store, revisions: Sequence[Revision], world: World) -> str | None:
        """How the store's own list differs from the files, as a sentence; None when they agree."""


# -- generators -------------------------------------------------------------------------------------------------------


class Generator(Protocol):
    """Who can bring about business state: what one team offers to scenarios. Inputs and what is made are JSON values."""

    capability: Capability

    def make(self, world: World, call: Asked, given: Mapping[str, Any]) -> Any:
        """Do it, once; what is sent meanwhile that may change something stands in `call.writes`. Raises an Outcome, or whatever went
        wrong."""

    def find(self, world: World, call: Asked, given: Mapping[str, Any]) -> Any:
        """What an earlier try of the call made; None when there is nothing."""


@runtime_checkable
class Undoes(Protocol):
    """The generator can take back what it made."""

    def undo(self, world: World, call: Asked, made: Any) -> None:
        """Take back what `make` answered; what is gone already does no harm. Raises as `make` does."""


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


class Gate(Protocol):
    """When an environment is fit for the test."""

    name: str

    def check(self, fitness: Fitness, world: World) -> Iterable[Problem]:
        """Every finding with its subject, the keys of offending rows and the remedy; nothing when all is well."""
