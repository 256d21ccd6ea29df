"""One environment in the hands of a Python program: what tests ask of it, and how it is taken back between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from seeder import check, decide, lifecycle, variables
from seeder.definition.request import Request, find_project, resolve, taking_part
from seeder.environment import Environment
from seeder.errors import EnvironmentFailed
from seeder.events import Digested, Emit, Event
from seeder.evidence import digest
from seeder.evidence.story import Story
from seeder.handles.caching import Cache
from seeder.handles.eventual import TRUE, answered
from seeder.handles.sql import Sql
from seeder.handles.stub import Stub
from seeder.passed.operation import Plan
from seeder.passed.options import Options
from seeder.registry import traits
from seeder.running import start
from seeder.stages import reset as resetting
from seeder.stages import restore as restoring
from seeder.stages import snapshot

if TYPE_CHECKING:
    import httpx

    from seeder.passed.rewound import Rewound

T = TypeVar("T")


class Session:
    """An environment that is up. Addresses hold until it ends; `reset` takes its stores back to the state in which it was handed over."""

    def __init__(self, environment: Environment, story: Story, seeded: Mapping[str, str]) -> None:
        self._environment, self._story = environment, story
        self.seeded = seeded  # the digest of each store when the environment was handed over
        self._ended = False

    def end(self) -> None:
        """Whoever uses it from now on is told that it is over."""
        self._ended = True

    @property
    def _here(self) -> Environment:
        if self._ended:
            raise EnvironmentFailed(self.run, "this environment has ended", "ask for the one that is up now")
        return self._environment

    @property
    def run(self) -> str:
        """The run's id, by which `seeder ls`, `logs` and `sql` find it."""
        return self._environment.run.id

    @property
    def shared(self) -> bool:
        """Whether it is attached to a system that others use, too, which is never reset."""
        return self._environment.stack.shared is not None

    @property
    def digest(self) -> str:
        """The digest of all stores when the environment was handed over."""
        return self._story.result.digest or ""

    def digests(self) -> dict[str, str]:
        """The digest of each store as it is now."""
        _, found = digest.of(self._here.contents())
        return {store: one.digest for store, one in found.items()}

    def running(self) -> list[str]:
        """The services that are at work now: one-shots have done theirs, and what has died does none."""
        return sorted(one.subject for one in start.running(self._here, self._here.plan))

    @property
    def ended(self) -> list[str]:
        """Services that died while it was used, and how; known once it has ended for this program."""
        return list(self._story.result.facts.get("ended", ()))

    @property
    def kept_until(self) -> str | None:
        """Until when it stays although it has ended for this program; None when it is gone, or still up."""
        return str(self._story.result.facts["expires"]).replace("+00:00", "Z") if self._story.result.kept else None

    def variables(self) -> dict[str, str]:
        """SEEDER_* and the stack's exports, as a wrapped command gets them."""
        return self._here.variables()

    @property
    def outputs(self) -> Mapping[str, Any]:
        """What the scenario tells of the state, by name: values, where the variables SEEDER_OUTPUT_* are texts."""
        return variables.outputs(self._here)

    @property
    def keys(self) -> Mapping[str, Mapping[str, str]]:
        """In a shared system: column (`store.table.column`) -> what a dataset says -> what it is in this run. Empty elsewhere."""
        return self._here.keys

    def http(self, service: str, *, fresh: bool = False) -> httpx.Client:
        """A client of the service: base address, authentication as the stack declares it, time limits. It is closed with the
        environment. `fresh`: its requests ask past caches, by the headers that the stack declares for it. Raises UsageError for a name
        that is no service."""
        __tracebackhide__ = True
        return self._here.http(self._known(service, self._here.stack.services, "service"), fresh=fresh)

    def url(self, name: str, driver: str | None = None) -> str:
        """Where a store (with its credentials, `scheme+driver` where a driver is named) or else a service is reached."""
        __tracebackhide__ = True
        if name in self._here.stack.stores:
            return self._here.target(name).url(driver)
        known = {**self._here.stack.services, **self._here.stack.stores}
        return self._here.reach(self._known(name, known, "service or store"))

    def sql(self, store: str) -> Sql:
        """Raises UsageError for a name that is no store, EnvironmentFailed for one that answers no SQL."""
        __tracebackhide__ = True
        return Sql(self._here.target(self._known(store, self._here.stack.stores, "store")))

    def cache(self, store: str) -> Cache:
        """The keys of a cache: to look at, to remove, to end as if their time were over. Raises UsageError for a name that is no store,
        EnvironmentFailed for one that is no cache; what would change it raises that, too, in a system that others use."""
        __tracebackhide__ = True
        return Cache(self._here.target(self._known(store, self._here.stack.stores, "store")), lambda what: self._changes(store, what))

    def stub(self, store: str) -> Stub:
        """Raises UsageError for a name that is no store, EnvironmentFailed for one that stands for nobody; what would change it raises
        that, too, in a system that others use."""
        __tracebackhide__ = True
        target = self._here.target(self._known(store, self._here.stack.stores, "store"))
        return Stub(target, wrote=lambda what: self._changes(store, what))

    def eventually(self, condition: Callable[[], T], within: str = "5s", *, until: Any = TRUE, meanwhile: Any = None) -> T:
        """Ask until the answer is true, or what `until` says: a value, a part of a mapping, a function of the answer; and give it. With
        `meanwhile` every answer before it must be one of these values, have one of these in a field (`{"status": ["draft"]}`), or please
        this function. Raises EnvironmentFailed with all answers and their times once the time (`5s`) is up, or another one came. What the
        condition raises ends the wait."""
        __tracebackhide__ = True  # pytest shows the line of the test
        return answered("the condition", condition, self._here.emit, within=within, until=until, meanwhile=meanwhile)

    def reset(self) -> Mapping[str, Rewound]:
        """Take every store back; answers how, by store. Services keep their connections where the way allows it."""
        return resetting.reset(self._here, self._here.plan)

    def snapshot(self, cause: str) -> Path:
        """Keep a bundle of the environment as it is now; answers its folder. Services are held meanwhile, so that it is one cut."""
        here, story = self._here, self._story
        folder = story.bundle()
        told = snapshot.Told(cause, {**story.so_far(folder), "message": cause}, story.journal_path)
        return snapshot.save(here, here.plan, told, folder).path

    def restore(self, snapshot: Path) -> None:
        """Take every store back to a snapshot of this environment, as often as wanted: between the stages of a long test, say. Services
        are held meanwhile and go on; those that say so, or lost a connection, start anew. A stream's messages get new numbers and
        times. `reset` still leads to the state in which the environment was handed over. Raises EnvironmentFailed."""
        restoring.again(self._here, self._here.plan, snapshot)

    def _changes(self, store: str, what: str) -> None:
        """Raises EnvironmentFailed where others would notice, and no ledger knows of it."""
        if target := self._here.stack.shared:
            cause = f"{what}: the environment is attached to {target.name}, which others use, and nobody would take it back"
            raise EnvironmentFailed(store, cause, "make it by a step of the scenario that has an undo, or use another runtime")

    def _known(self, name: str, known: Mapping[str, object], what: str) -> str:
        __tracebackhide__ = True
        return taking_part(self._here.stack, known, name, what)


@contextmanager
def up(
    stack: str | None = None,
    *,
    scenario: str | None = None,
    runtime: str | None = None,
    target: str | None = None,
    inputs: Mapping[str, str] | None = None,
    project: Path | str | None = None,
    cache: bool = True,
    keep_failed: bool = False,
    listener: Emit | None = None,
) -> Iterator[Session]:
    """An environment of the stack for as long as the block lasts: migrated, seeded, checked, gone afterwards.

    with seeder.up("shop", scenario="checkout-ready") as environment:
        environment.http("orders").get("/healthz")

    `project` is a folder of the project (the current one by default). `target`: a shared system to attach to. `keep_failed`:
    what raises in the block leaves the environment running (`seeder ls`). `listener` hears the run's events. Raises DefinitionError and
    UsageError before anything starts, EnvironmentFailed and GateRefused once everything is torn down again, LeftOver when that left
    something.
    """
    asked = Request(stack=stack, scenario=scenario, inputs=dict(inputs or {}), runtime=runtime, target=target, cache=cache)
    folder = Path(project or Path.cwd())
    with check.entire(folder, asked):
        plan = decide.plan(resolve(find_project(folder), asked, traits()))
    options = Options(marks=True, keep_failed=keep_failed)
    with handed_over(plan, options, listener or (lambda _: None)) as session:
        yield session


@contextmanager
def handed_over(plan: Plan, options: Options, listener: Emit) -> Iterator[Session]:
    """An environment of the plan, as `up` provides it."""
    seeded: dict[str, str] = {}

    def heard(event: Event) -> None:
        if isinstance(event, Digested):
            seeded.update(event.stores)
        listener(event)

    with lifecycle.opened(plan, options, heard) as (environment, story):
        session = Session(environment, story, seeded)
        try:
            yield session
        finally:
            session.end()
