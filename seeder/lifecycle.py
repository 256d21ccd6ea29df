"""The page that tells the story: what happens in a run, in which order, and what happens when something fails.

    definition -> plan -> up -> migrate -> load -> gate -> fault -> snapshot -> teardown

Teardown is the exit stack unwinding: whatever a step creates, its undo was registered before.
"""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from seeder import command, digest, home, interrupt, owner, present, record, warden
from seeder.definition.request import Definition
from seeder.environment import Environment
from seeder.errors import EnvironmentFailed, LeftOver
from seeder.events import BundleKept, Cleaned, CommandEnded, Digested, Emit, RunStarted
from seeder.plan import Plan, make
from seeder.protocols import Overlay, Run, Runtime
from seeder.registry import RUNTIMES
from seeder.stages import gate, load, migrate, snapshot, up

FLOW = (
    ("images", up.prepare),
    ("start", up.servers),
    ("migrate", migrate.stores),
    ("load", load.at_rest),
    ("start", up.services),
    ("load", load.through_services),
    ("gate", gate.check),
)


@dataclass(frozen=True)
class Options:
    """What is done with the environment: run a command in it, keep it alive for `ttl`, give up after `timeout` seconds."""

    command: Sequence[str] = ()
    keep_good: bool = False
    keep_failed: bool = False
    ttl: datetime.timedelta = datetime.timedelta(hours=4)
    timeout: float | None = None


def plan(definition: Definition) -> Plan:
    """Decide what would be done. Raises DefinitionError with everything that forbids it; starts nothing."""
    runtime, cause = choose(definition.runtime)
    return make(definition, runtime, cause)


def run(plan: Plan, options: Options, listener: Emit) -> record.Result:
    """Provide the environment, run the command in it, tear down; answer how it ended.

    Only what is wrong before anything started is raised; everything later ends in the result.
    """
    if options.command:
        command.find(options.command)
    warden.sweep_expired(datetime.datetime.now(datetime.UTC))
    us = _owner(plan, options)
    story = record.Record(us.checkout, us.id, listener, _facts(plan, us))
    with interrupt.guarded(options.timeout) as signals, ExitStack() as last:
        last.callback(story.close)
        guard = warden.watch(us, story.folder)
        with ExitStack() as undo:
            environment: Environment | None = None
            try:
                environment = _open(us, plan, undo, story.emit)
                _provide(environment, plan, story)
                if options.command:
                    _command(environment, options.command, story)
            except BaseException as error:  # noqa: BLE001  (whatever it is, it is recorded and everything is torn down)
                story.failed(error)
            signals.hold()
            if environment and story.result.code:
                _snapshot(environment, story)
            if environment and (options.keep_failed if story.result.code else options.keep_good):
                _keep(us, undo, story, guard)
            with story.stage("teardown"):
                undo.close()
        if not story.result.kept:
            _sweep(us, story, guard)
    return story.result


def _open(us: Run, plan: Plan, undo: ExitStack, emit: Emit) -> Environment:
    definition = plan.definition
    scenario = definition.scenario.name if definition.scenario else None
    policy = definition.policy.name if definition.policy else ""
    emit(RunStarted(us.id, us.project, us.stack, us.runtime, scenario, us.seed, us.moment, policy))
    deployment = RUNTIMES.get(plan.runtime).open(us, plan.stack, emit, _overlays(plan), isolate_binds=definition.request.isolate_binds)
    return Environment(us, plan, deployment, emit, undo)


def _provide(environment: Environment, plan: Plan, story: record.Record) -> None:
    for name, stage in FLOW:
        with story.stage(name):
            stage(environment, plan)
        present.remember(environment)
    with story.stage("digest"):
        total, stores = digest.of({name: (environment.target(name), store.volatile) for name, store in plan.stack.stores.items()})
    story.result.digest = total
    environment.emit(Digested(total, {name: one.digest for name, one in stores.items()}))


def _command(environment: Environment, words: Sequence[str], story: record.Record) -> None:
    with story.stage("command"):
        ending = command.run(words, environment.variables())
    story.emit(CommandEnded(ending.code, story.result.split["command"]))
    if ending.interrupted:
        raise interrupt.Interrupted(ending.interrupted)
    if ending.code:
        story.result.code, story.result.ended_by = ending.code, "command"
        story.result.message = f"the command ended with code {ending.code}"


def _snapshot(environment: Environment, story: record.Record) -> None:
    with story.stage("snapshot"):
        folder = record.bundles(environment.run.checkout) / environment.run.id
        taken = snapshot.take(environment, folder, story.result.message, story.result.as_json(), story.journal_path)
    story.result.bundle = str(taken.path)
    story.emit(BundleKept(str(taken.path), story.result.message))


def _keep(us: Run, undo: ExitStack, story: record.Record, guard: warden.Warden) -> None:
    owner.keep(us)
    guard.keep()
    undo.pop_all()
    story.result.kept = True


def _sweep(us: Run, story: record.Record, guard: warden.Warden) -> None:
    with story.stage("teardown"):
        swept = warden.sweep(us.id, us.runtime)
    story.emit(Cleaned(len(swept.removed), swept.left))
    story.result.left = swept.left
    if swept.left:
        story.failed(LeftOver(us.id, f"could not be removed: {', '.join(swept.left)}", "run `seeder gc`"))
    else:
        guard.dismiss()


def _overlays(plan: Plan) -> dict[str, Overlay]:
    """What config datasets add to services before they are created; of two datasets the later one wins."""
    result: dict[str, Overlay] = {}
    for operation in plan.overlays:
        before = result.get(operation.subject, Overlay())
        result[operation.subject] = Overlay({**before.environment, **operation.environment}, {**before.files, **operation.files})
    return result


def choose(name: str) -> tuple[Runtime, str]:
    """The runtime, and why it was taken. Raises EnvironmentFailed when the one asked for cannot be used on this machine."""
    if name != "auto":
        wanted = RUNTIMES.get(name)
        if problem := wanted.available():
            raise EnvironmentFailed.of([problem])
        return wanted, "asked for"
    docker = RUNTIMES.get("docker")
    problem = docker.available()
    return (RUNTIMES.get("local"), f"docker is not available: {problem.cause}") if problem else (docker, "a Docker engine answers")


def _facts(plan: Plan, us: Run) -> dict[str, Any]:
    definition = plan.definition
    return {
        "project": us.project,
        "stack": us.stack,
        "scenario": definition.scenario.name if definition.scenario else None,
        "runtime": us.runtime,
        "policy": definition.policy.name if definition.policy else None,
        "seed": us.seed,
        "as_of": us.moment,
        "expires": us.expires.isoformat(timespec="seconds"),
        "datasets": {dataset.name: dataset.version for dataset in definition.datasets},
        "volatile": [f"{name}.{column}" for name, store in sorted(plan.stack.stores.items()) for column in store.volatile],
    }


def _owner(plan: Plan, options: Options) -> Run:
    definition = plan.definition
    alphabet = "abcdefghijkmnpqrstuvwxyz23456789"  # no two that look alike
    name = "".join(secrets.choice(alphabet) for _ in range(8))
    return Run(
        id=name,
        project=definition.manifest.project,
        stack=plan.stack.name,
        runtime=plan.runtime,
        folder=home.run_folder(name),
        checkout=definition.manifest.root,
        as_of=definition.as_of,
        seed=definition.seed,
        expires=datetime.datetime.now(datetime.UTC) + options.ttl,
    )
