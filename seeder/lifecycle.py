"""The page that tells the story: what happens in a run, in which order, and what happens when something fails.

    definition -> plan -> up -> migrate -> load -> gate -> fault -> snapshot -> teardown

Teardown is the exit stack unwinding: whatever a step creates, its undo was registered before.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

from seeder import present, variables, warden
from seeder.environment import Environment, identify, open_environment
from seeder.events import Emit
from seeder.evidence.story import Result, Story, chains
from seeder.graph import mutations
from seeder.machine import command, interrupt, process
from seeder.passed.operation import Plan
from seeder.passed.options import Options
from seeder.reuse import cache, explain
from seeder.stages import act, digest, gate, keep, load, migrate, reset, restore, snapshot, teardown, up, use, vary

Stages = Sequence[tuple[str, Callable[[Environment, Plan], object]]]

# fmt: off
FLOW: Stages = (
    ("images", up.prepare), ("start", up.servers),
    ("migrate", migrate.halts), ("keep", keep.common), ("migrate", migrate.heads), ("keep", keep.migrated),
    ("load", load.at_rest), ("keep", keep.seeded), ("mark", reset.at_rest),
    ("start", up.services), ("load", load.through_services), ("keep", keep.whole), ("mark", reset.after_services),
)
BACK: Stages = (  # from a bundle
    ("images", up.prepare), ("start", up.servers),
    ("migrate", migrate.heads), ("restore", restore.stores), ("mark", reset.at_rest),
    ("start", up.services), ("mark", reset.after_services),
)
SHARED: Stages = (  # in a system that is there
    ("start", up.prepare), ("gate", gate.check),
    ("load", load.at_rest), ("load", load.through_services),
    ("act", act.steps), ("gate", gate.expected),
)
FIT: Stages = (("gate", gate.check), ("digest", digest.stores))
ACTED: Stages = (  # where a scenario acts
    ("gate", gate.check),
    ("act", act.steps), ("gate", gate.expected), ("mark", reset.after_act),
    ("digest", digest.stores),
)
# fmt: on


def run(plan: Plan, options: Options, listener: Emit) -> Result:
    """Provide the environment, run the command in it, tear down; answer how it ended. Only what is wrong before anything started is
    raised; everything later ends in the result."""
    if options.command:
        command.find(options.command)
    begins = mutations.base(plan) if options.mutations else plan
    story = _begin(begins, options, listener)
    with (
        interrupt.guarded(options.timeout) as signals,
        suppress(BaseException),  # whatever it is, the story tells it
        _world(begins, options, story, signals) as environment,
    ):
        if options.mutations:
            vary.every(environment, plan, options.mutations, story, lambda: reset.reset(environment, environment.plan))
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
    warden.sweep_expired(datetime.datetime.now(datetime.UTC), passing=True)
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
                teardown.keep(environment, options.ttl, undo, story, guard)
            wrong = teardown.unwind(undo, environment, story)
        if not story.result.kept:
            wrong += teardown.sweep(us, story, guard)
        if wrong and not story.result.bundle:
            snapshot.keep(us, plan, None, story)
    if failure or wrong:
        raise failure or wrong[0]


def _provide(environment: Environment, plan: Plan, options: Options, story: Story) -> None:
    attached = plan.stack.shared is not None
    environment.marks, environment.lasts = options.marks and not attached, options.keep_failed or attached
    with cache.turn(plan, environment.run.folder, environment.emit) as now:
        environment.plan = now
        _go(environment, SHARED if attached else BACK if now.restores else FLOW, story)
    if plan.chains:
        explain.remember(plan, chains(environment.run.checkout))
    _go(environment, () if attached else ACTED if plan.acts else FIT, story)
    story.tell_outputs(variables.outputs(environment))


def _go(environment: Environment, stages: Stages, story: Story) -> None:
    for name, stage in stages:
        with story.stage(name):
            stage(environment, environment.plan)
        present.remember(environment)
