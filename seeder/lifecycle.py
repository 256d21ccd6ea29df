"""The page that tells the story: what happens in a run, in which order, and what happens when something fails.

    definition -> plan -> up -> migrate -> load -> gate -> fault -> snapshot -> teardown

Teardown is the exit stack unwinding: whatever a step creates, its undo was registered before.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

from seeder import command, digest, interrupt, present, process, restoration, warden
from seeder.bundle import Bundle
from seeder.definition.request import Definition
from seeder.environment import Environment, identify, open_environment
from seeder.events import Digested, Emit
from seeder.frozen import frozen
from seeder.operation import Plan
from seeder.plan import choose, make
from seeder.registry import volatile
from seeder.reuse import cache, explain
from seeder.stages import act, gate, keep, load, migrate, reset, restore, snapshot, teardown, up, use
from seeder.story import Result, Story, chains

FLOW = (
    ("images", up.prepare),
    ("start", up.servers),
    ("migrate", migrate.halts),
    ("keep", keep.shared),
    ("migrate", migrate.heads),
    ("keep", keep.migrated),
    ("load", load.at_rest),
    ("keep", keep.seeded),
    ("mark", reset.at_rest),
    ("start", up.services),
    ("load", load.through_services),
    ("keep", keep.whole),
    ("mark", reset.after_services),
)

BACK = (  # from a bundle
    ("images", up.prepare),
    ("start", up.servers),
    ("migrate", migrate.heads),
    ("restore", restore.stores),
    ("mark", reset.at_rest),
    ("start", up.services),
    ("mark", reset.after_services),
)


@frozen
class Options:
    """What is done with the environment: run a command in it, keep it alive for `ttl`, give up after `timeout` seconds."""

    command: Sequence[str] = ()
    keep_good: bool = False
    keep_failed: bool = False
    ttl: datetime.timedelta = datetime.timedelta(hours=4)
    timeout: float | None = None
    marks: bool = False  # the environment can be taken back to the state in which it is handed over


def plan(definition: Definition) -> Plan:
    """Decide what would be done. Raises DefinitionError with all that forbids it; starts nothing."""
    runtime, cause = choose(definition.runtime)
    return cache.begin(make(definition, runtime, cause, datetime.datetime.now(datetime.UTC)))


def plan_back(definition: Definition, bundle: Bundle) -> Plan:
    """The same to bring back what a bundle holds. Raises DefinitionError also when that is not what this stack's stores would take."""
    runtime, cause = choose(definition.runtime)
    return restoration.of(make(definition, runtime, cause, datetime.datetime.now(datetime.UTC)), bundle)


def run(plan: Plan, options: Options, listener: Emit) -> Result:
    """Provide the environment, run the command in it, tear down; answer how it ended. Only what is wrong before anything started is
    raised; everything later ends in the result."""
    if options.command:
        command.find(options.command)
    story = _begin(plan, options, listener)
    with (
        interrupt.guarded(options.timeout) as signals,
        suppress(BaseException),  # whatever it is, the story tells it
        _world(plan, options, story, signals) as environment,
    ):
        if options.command:
            use.run(environment, options.command, story)
    return story.result


@contextmanager
def opened(plan: Plan, options: Options, listener: Emit) -> Iterator[tuple[Environment, Story]]:
    """The environment for as long as the block lasts, for programs that have a command of their own. What goes wrong before or inside
    is kept as a bundle, and raised once everything is torn down; signals and time limits are the program's."""
    story = _begin(plan, options, listener)
    with _world(plan, options, story, interrupt.Guard(None)) as environment:
        try:
            yield environment, story
        except BaseException as error:
            story.program_failed(error)
            raise


def _begin(plan: Plan, options: Options, listener: Emit) -> Story:
    warden.sweep_expired(datetime.datetime.now(datetime.UTC))
    return Story(identify(plan, options.ttl), plan, listener)


@contextmanager
def _world(plan: Plan, options: Options, story: Story, signals: interrupt.Guard) -> Iterator[Environment]:
    us, failure = story.run, None
    with ExitStack() as last:
        last.callback(story.close)
        last.push(lambda _kind, error, _where: story.failed(error) if error else None)  # whatever escapes is no success
        guard: warden.Warden | None = None
        with ExitStack() as undo:
            environment: Environment | None = None
            try:
                signals.release()
                guard = warden.watch(us, story.folder)
                last.enter_context(process.owned(us.id, us.folder / "tmp"))
                environment = open_environment(us, plan, undo, story.emit)
                _provide(environment, plan, options, story)
                try:
                    yield environment
                finally:
                    use.tell_ended(environment, story, "while the command ran" if options.command else "while it was used")
                signals.hold()
            except BaseException as error:  # noqa: BLE001  (whatever it is, it is recorded and everything is torn down)
                signals.hold()
                story.failed(error)
                failure = error
            if story.result.code:
                snapshot.keep(us, plan, environment, story)
            if environment and guard and (options.keep_failed if story.result.code else options.keep_good):
                teardown.keep(us, options.ttl, undo, story, guard)
            wrong = teardown.unwind(undo, environment, story)
        if not story.result.kept:
            wrong += teardown.sweep(us, story, guard)
        if wrong and not story.result.bundle:
            snapshot.keep(us, plan, None, story)
    if failure or wrong:
        raise failure or wrong[0]


def _provide(environment: Environment, plan: Plan, options: Options, story: Story) -> None:
    environment.marks = options.marks
    with cache.turn(plan, environment.run.folder, environment.emit) as now:
        environment.plan = now
        for name, stage in BACK if now.restores else FLOW:
            with story.stage(name):
                stage(environment, now)
            present.remember(environment)
    if plan.chains:
        explain.remember(plan, chains(environment.run.checkout))
    with story.stage("gate"):
        gate.check(environment, environment.plan)
    if plan.acts:
        with story.stage("act"):
            act.steps(environment, plan)
        present.remember(environment)
        with story.stage("gate"):
            gate.expected(environment, plan)
    with story.stage("digest"):
        total, stores = digest.of({name: (environment.target(name), volatile(store)) for name, store in plan.stack.stores.items()})
    story.result.digest = total
    environment.emit(Digested(total, {name: one.digest for name, one in stores.items()}))
    if plan.restores:
        story.result.facts["differing"] = restore.differing(environment, plan, stores)
