"""Save the evidence of a run as a bundle. Never raises over the failure that it documents: what could not be saved is named."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from seeder import variables
from seeder.definition.stack import Stack
from seeder.environment import Environment
from seeder.errors import SeederError, of_machine
from seeder.events import BundleKept, Emit, Noticed
from seeder.evidence import bundle, digest, redact
from seeder.evidence.story import Story, asked, journal, recorded
from seeder.frozen import frozen
from seeder.order import each
from seeder.passed.operation import Plan
from seeder.passed.run import Run
from seeder.protocols import Saves
from seeder.registry import volatile
from seeder.release import VERSION
from seeder.running import hold
from seeder.steps import ledger

RESOLVED = "compose.resolved.yaml"
JOURNAL = "events.jsonl"
AT_ONCE = 4  # stores that are saved at the same time

Attempt = Callable[[str, Callable[[], object]], None]


@frozen
class Told:
    """What is known of how the run went: why a bundle is taken, the result so far, the journal."""

    cause: str
    result: Mapping[str, Any]
    journal: Path


def keep(us: Run, plan: Plan, environment: Environment | None, story: Story) -> None:
    """Save the evidence of a run that went wrong, and tell where it is; one that cannot be saved is told, and that is all."""
    try:
        with story.stage("snapshot"):
            folder = story.bundle()
            told = Told(story.result.message, story.so_far(folder), story.journal_path)
            taken = take(us, plan, environment, folder, told, story.emit)
    except Exception as error:  # noqa: BLE001  (a full disk, say: the failure itself is told, and everything is torn down)
        story.emit(Noticed("evidence", f"could not be kept: {of_machine(error) or error}"))
        return
    story.result.bundle = str(taken.path)
    story.emit(BundleKept(str(taken.path), story.result.message))


def take(us: Run, plan: Plan, environment: Environment | None, folder: Path, told: Told, emit: Emit) -> bundle.Bundle:
    """Write the whole environment below `folder` (made anew) and seal it; of one that was never opened, what is known of the run.
    What cannot be written at all (a full disk) is raised, and nothing is left below `folder` then."""
    folder.mkdir(mode=0o700, parents=True)
    try:
        return _written(us, plan, environment, folder, told, emit)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # half a bundle is no evidence, and nobody could tell that it is half
        raise


def save(environment: Environment, plan: Plan, told: Told, folder: Path) -> bundle.Bundle:
    """A bundle of an environment that is up, and goes on."""
    with hold.alone(environment):
        return take(environment.run, plan, environment, folder, told, environment.emit)


def as_recorded(environment: Environment, plan: Plan, cause: str) -> Told:
    """What is written down of its run, whichever process started it."""
    us = environment.run
    return Told(cause, {**recorded(plan, us), "message": cause}, journal(us.checkout, us.id))


def _written(us: Run, plan: Plan, environment: Environment | None, folder: Path, told: Told, emit: Emit) -> bundle.Bundle:
    secrets = redact.of_plan(plan)
    missing: dict[str, str] = {}
    stores: dict[str, Any] = {}

    def attempt(what: str, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001  (evidence is taken from a broken world: whatever it throws is part of it)
            missing[what] = redact.text(str(error), secrets)
            if told.result["ended_by"] != "signal":  # who ends a run half-way knows that not all of it is there
                emit(Noticed(what, f"is missing from the bundle: {missing[what]}"))

    if environment:
        for name, read in _logs(environment).items():
            attempt(f"logs/{name}", partial(_log, read, folder / "logs" / f"{name}.log", secrets))
    ended: list[str] = []
    if environment and environment.addresses:
        _stores(environment, plan, folder, attempt, (missing, stores, ended))
        attempt("environment.json", lambda: _environment(environment, folder, secrets))
    elif environment:
        missing |= dict.fromkeys(["stores", "environment.json"], "the run ended before anything had an address")
    else:
        missing["environment"] = "it was never opened"
    attempt(RESOLVED, lambda: _resolved(us, plan.stack, folder, secrets))
    (folder / "plan.txt").write_text(redact.text(plan.text(), secrets), encoding="utf-8")
    _write(folder / "result.json", redact.texts(dict(told.result), secrets))
    attempt(JOURNAL, lambda: _journal(told.journal, folder / JOURNAL, secrets))
    if (us.folder / ledger.FILE).exists():
        attempt(ledger.FILE, lambda: _ledger(us.folder, folder / ledger.FILE, secrets))
    index = redact.texts(_index(us, plan, told.cause), secrets)
    outputs: dict[str, Any] = {}
    if environment:
        attempt("outputs", lambda: outputs.update(variables.outputs(environment)))
    values = {"inputs": dict(plan.definition.request.inputs), "outputs": outputs}
    made = {"results": redact.unhidden(environment.results, secrets) if environment else {}}
    return bundle.seal(folder, {**index, **redact.tree(values, secrets), **made, "stores": stores, "ended": ended, "missing": missing})


def _stores(
    environment: Environment, plan: Plan, folder: Path, attempt: Attempt, found: tuple[dict[str, str], dict[str, Any], list[str]]
) -> None:
    """Every store in one cut, and which services had ended by then; `found`: what is missing, the stores, the services."""
    missing, stores, ended = found
    if plan.stack.shared:
        missing["stores"] = f"target {plan.stack.shared.name} is shared: what it holds is not this run's alone"
        return
    attempt("ended", lambda: ended.extend(f"{name} {how.reason.removeprefix('it ')}" for name, how in environment.ended().items()))
    with _one_cut(environment, plan, attempt):
        saving = {store: partial(_store, environment, store, folder / "stores" / store, stores) for store in plan.stack.stores}
        each(sorted(saving), lambda store: attempt(f"stores/{store}", saving[store]), at_once=AT_ONCE)


@contextmanager
def _one_cut(environment: Environment, plan: Plan, attempt: Attempt) -> Iterator[None]:
    """Services that run are still meanwhile, so that no store is ahead of another; as far as they can be held."""
    services = [one.subject for one in plan.services]
    with ExitStack() as undo:
        cut = ExitStack()
        undo.callback(attempt, "services", cut.close)
        attempt("one cut", lambda: cut.enter_context(hold.still(environment, services)))
        yield


def _index(us: Run, plan: Plan, cause: str) -> dict[str, Any]:
    definition, request = plan.definition, plan.definition.request
    return {
        "id": us.id,
        "cause": cause,
        **asked(plan, us),
        "request": {
            "services": None if request.services is None else list(request.services),
            "profiles": list(request.profiles),
            "images": dict(request.images),
            "isolate_binds": request.isolate_binds,
            "overlays": [os.path.relpath(one, us.checkout) for one in request.overlays],
            "alone": request.alone,
        },
        "versions": {
            "seeder": VERSION,
            "stack": definition.stack.version,
            "images": {name: s.image or "built" for name, s in sorted(plan.stack.services.items())},
            "migrations": {name: revisions[-1].id for name, revisions in sorted(plan.fitness.revisions.items()) if revisions},
            "datasets": {dataset.name: dataset.version for dataset in definition.datasets},
        },
    }


def _journal(given: Path, kept: Path, secrets: set[str]) -> None:
    lines = given.read_text(encoding="utf-8").splitlines()
    told = (json.dumps(redact.texts(json.loads(line), secrets), ensure_ascii=False) for line in lines)
    kept.write_text("".join(f"{line}\n" for line in told), encoding="utf-8")


def _ledger(run: Path, kept: Path, secrets: set[str]) -> None:
    """What was asked of whom and what came of it, each as it was last: whether something was made may be unknown."""
    entries = (redact.tree(dataclasses.asdict(entry), secrets) for entry in ledger.read(run))
    kept.write_text("".join(f"{json.dumps(entry, ensure_ascii=False, default=str)}\n" for entry in entries), encoding="utf-8")


def _logs(environment: Environment) -> dict[str, Callable[[], str]]:
    """How every service's log is read, and those of migrations and other tasks."""
    written = sorted((environment.run.folder / "logs").glob("*.log"))
    tasks: dict[str, Callable[[], str]] = {path.stem: partial(path.read_text, encoding="utf-8", errors="replace") for path in written}
    if environment.stack.shared:
        return tasks  # the others are where that system keeps them
    return {**tasks, **{service: partial(environment.deployment.logs, service) for service in sorted(environment.stack.services)}}


def _log(read: Callable[[], str], path: Path, secrets: set[str]) -> None:
    if log := read():
        path.parent.mkdir(exist_ok=True)
        path.write_text(redact.text(log, secrets), encoding="utf-8")


def _store(environment: Environment, store: str, folder: Path, stores: dict[str, Any]) -> None:
    """Save it, and say in `stores` what is to be known of it: to what its migrations had led, and its digest."""
    engine = environment.engine(store)
    if not isinstance(engine, Saves):
        raise TypeError(f"{engine.name} has no portable form")
    folder.mkdir(parents=True)
    try:
        engine.save(environment.target(store), folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # half a store is no evidence
        raise
    migrated = environment.migrated.get(store)
    stores[store] = {"engine": engine.name, "head": (migrated and migrated.head) or None, "digest": _digest(environment, store)}


def _digest(environment: Environment, store: str) -> str | None:
    """None where it has none, or none can be had: it is saved all the same."""
    with suppress(SeederError):
        _, found = digest.of({store: (environment.target(store), volatile(environment.stack.stores[store]))})
        return found[store].digest if store in found else None
    return None


def _environment(environment: Environment, folder: Path, secrets: set[str]) -> None:
    _write(folder / "environment.json", redact.tree(variables.document(environment), secrets))


def _resolved(us: Run, stack: Stack, folder: Path, secrets: set[str]) -> None:
    """The model that compose was given; on a runtime without compose, the stack as it was read."""
    given = us.model
    model = yaml.safe_load(given.read_text(encoding="utf-8")) if given.exists() else _as_read(stack)
    (folder / RESOLVED).write_text(yaml.safe_dump(redact.tree(model, secrets), sort_keys=True, allow_unicode=True), encoding="utf-8")


def _as_read(stack: Stack) -> dict[str, Any]:
    services = {}
    for name, service in sorted(stack.services.items()):
        given = {f.name: getattr(service, f.name) for f in dataclasses.fields(service) if f.name not in ("name", "mark", "x")}
        given["x-seeder"] = service.x.model_dump(exclude_defaults=True, by_alias=True)
        services[name] = json.loads(json.dumps({k: v for k, v in given.items() if v}, default=_plain))
    return {"name": stack.name, "services": services}


def _plain(value: Any) -> Any:
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else str(value)


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
