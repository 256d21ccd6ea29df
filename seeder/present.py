"""Environments that are here now: which there are, whose they are, how they stand, and how to reach one from another process."""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, NoReturn

from seeder import owner, variables
from seeder.definition.manifest import read_project
from seeder.definition.request import Request, resolve
from seeder.environment import Environment
from seeder.errors import EnvironmentFailed, UsageError, nearest
from seeder.events import Emit
from seeder.evidence import story
from seeder.frozen import frozen
from seeder.machine import atomic, home, process
from seeder.passed.content import Table
from seeder.passed.fitness import LoadedTable, Migrated
from seeder.passed.operation import Plan
from seeder.passed.run import Run
from seeder.passed.target import Address, Target
from seeder.plan import make
from seeder.planning import restoration
from seeder.protocols import Rejoins
from seeder.registry import LOADERS, RUNTIMES, traits

ASKED = "asked.json"


@frozen
class Present:
    """One environment. alive: the seeder that made it runs; kept: it stays until it expires; expired: its time is up; orphan:
    its seeder died; foreign: labels tell of it, and nobody here claims it (`claim` is None), so that no more is known of it than
    its run and its expiry: its seeder may be at work under another user or SEEDER_HOME."""

    run: str
    runtime: str
    state: owner.State | Literal["foreign"]
    expires: datetime.datetime | None
    claim: owner.Claim | None = None

    @property
    def begun(self) -> datetime.datetime | None:
        """When it was begun, as its journal tells."""
        if self.claim is None:
            return None
        try:
            with story.journal(self.claim.checkout, self.run).open(encoding="utf-8") as lines:
                return datetime.datetime.fromisoformat(json.loads(lines.readline())["at"])
        except (OSError, ValueError, KeyError):
            return None


# -- finding ----------------------------------------------------------------------------------------------------------


def known(now: datetime.datetime) -> list[Present]:
    """Every environment of this machine's user that is claimed, by run id."""
    return [Present(r.run, r.runtime, r.state(now), r.expires, r) for r in owner.claims()]


def labelled(now: datetime.datetime) -> list[Present]:
    """What runtimes own of runs that nobody here claims: another user's, another SEEDER_HOME's, or left over."""
    mine, found = {r.run for r in owner.claims()}, []
    for name in RUNTIMES.names():
        runtime = RUNTIMES.get(name)
        if runtime.available() is None:
            others = {run: expires for run, expires in runtime.owners().items() if run not in mine}
            found += [Present(run, name, "expired" if e and e <= now else "foreign", e) for run, e in sorted(others.items())]
    return found


def find(name: str | None, now: datetime.datetime, folder: Path, *, to_end: bool = False) -> Present:
    """The environment that is meant: by a prefix of its id; else the one that SEEDER_RUN names; else the only one that is alive or
    kept, those of the project around `folder` first; else, of who wants it `to_end`, the only one whose time is over. Raises UsageError
    that lists what there is."""
    every = known(now)
    name = name or os.environ.get(variables.RUN)
    if name:
        return _named(name, every)
    usable = [one for one in every if one.state in ("alive", "kept")]
    over = [one for one in every if one.state in ("expired", "orphan")]
    return _only(usable, over if to_end else [], folder) or _refused(usable, over, folder)


def _only(usable: Sequence[Present], over: Sequence[Present], folder: Path) -> Present | None:
    found = usable or over
    near = _near(found, folder)
    return (near or found)[0] if len(found) == 1 or len(near) == 1 else None


def _near(found: Iterable[Present], folder: Path) -> list[Present]:
    """Those of the project around the folder."""
    return [one for one in found if one.claim and folder.is_relative_to(one.claim.checkout)]


def _refused(usable: Sequence[Present], over: Sequence[Present], folder: Path) -> NoReturn:
    if usable:
        listed = _listed(_near(usable, folder) or usable)
        raise UsageError("run", f"{len(usable)} environments are alive and none was named", f"name one of {listed}")
    if over:
        found = _near(over, folder) or over
        states = ", ".join(f"{one.run} is {one.state}" if one.state == "expired" else f"{one.run} is an orphan" for one in found)
        ends = f"`seeder down {found[0].run}`" if len(found) == 1 else "`seeder down RUN`"
        raise UsageError("run", f"no environment is alive: {states}", f"{ends} or `seeder gc` removes it; `seeder up` starts another")
    raise UsageError("run", "no environment is alive", "start one with `seeder up`, or keep one with `seeder run --keep`")


def _named(name: str, every: Sequence[Present]) -> Present:
    exact = [one for one in every if one.run == name]
    found = exact or [one for one in every if one.run.startswith(name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(name, "more than one run begins so", f"name one of {_listed(found)}")
    raise UsageError(name, "there is no such run", nearest(name, [one.run for one in every]))


def _listed(found: Iterable[Present]) -> str:
    """Each with its stack, and with its checkout where they are of several."""
    every = list(found)
    several = len({one.claim.checkout for one in every if one.claim}) > 1

    def of(one: Present) -> str:
        if one.claim is None:
            return one.runtime
        return f"{one.claim.stack} of {one.claim.checkout}" if several else one.claim.stack

    return ", ".join(f"{one.run} ({of(one)})" for one in every)


# -- reaching ---------------------------------------------------------------------------------------------------------


def document(one: Present) -> Mapping[str, Any]:
    """Its addresses, stores, outputs and variables. Raises EnvironmentFailed as long as it is not up."""
    return _read(one, variables.file_of(home.run_folder(one.run)))


def targets(one: Present) -> dict[str, tuple[Target, tuple[str, ...]]]:
    """Store -> how it is reached, and its volatile columns."""
    return {name: (_target(name, given), tuple(given["volatile"])) for name, given in document(one)["stores"].items()}


def _target(name: str, given: Mapping[str, Any]) -> Target:
    address = Address(given["host"], given["port"])
    return Target(name, given["engine"], given["scheme"], address, given["user"], given["password"], given["database"])


def _read(one: Present, path: Path) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise EnvironmentFailed(one.run, "is not up (any more, or not yet)", "`seeder ls` tells how it stands") from None
    except (OSError, ValueError) as error:
        raise EnvironmentFailed(str(path), f"cannot be read: {error}", f"end the run: seeder down {one.run}") from None
    return found


# -- rejoining --------------------------------------------------------------------------------------------------------


def remember(environment: Environment) -> None:
    """Write down, in the run's folder, what another process needs to reach this environment and to take it up: its addresses, what
    was asked for, and how migrations left its stores."""
    variables.write(environment)
    request = dataclasses.asdict(environment.plan.definition.request)
    migrated = {store: dataclasses.asdict(one) for store, one in environment.migrated.items()}
    plan = environment.plan
    over = plan.spared | _completed(environment)
    asked = {
        "request": request,
        "migrated": migrated,
        "over": sorted(over),
        "results": environment.results,
        "restored": bool(plan.restores),
    }
    atomic.write(environment.run.folder / ASKED, json.dumps(asked) + "\n")


def _completed(environment: Environment) -> set[str]:
    """What has done its work although nobody waited for that: only who started it can tell that it went well."""
    quiet = {one.subject for one in environment.plan.services if environment.stack.may_complete(one.subject)} - environment.stack.one_shots
    return {name for name in quiet if environment.look(name, "completed").state == "ready"}


def rejoin(one: Present, emit: Emit, undo: ExitStack) -> tuple[Environment, Plan]:
    """Take it up as the definition in its checkout is now. Raises SeederError when that cannot be planned any more, or when its
    runtime cannot find it."""
    given, asked = document(one), _read(one, home.run_folder(one.run) / ASKED)
    runtime = RUNTIMES.get(one.runtime)
    if one.claim is None or not isinstance(runtime, Rejoins):
        raise EnvironmentFailed(one.run, f"runtime {one.runtime} cannot take up an environment of another process", "ask its seeder")
    if reason := one.claim.elsewhere():
        raise EnvironmentFailed(one.run, reason)
    definition = resolve(read_project(one.claim.checkout / "manifest.yaml"), Request.read(asked["request"]), traits())
    plan = make(definition, runtime, "it runs there", datetime.datetime.now(datetime.UTC))
    plan = restoration.bare(plan) if asked.get("restored") else plan
    run = _run(one, one.claim, given)
    undo.enter_context(process.owned(run.id, run.folder / "tmp"))
    addresses = {
        (name, int(port)): Address(service["host"], number)
        for name, service in given["services"].items()
        for port, number in service["ports"].items()
    }
    environment = Environment(run, plan, runtime.rejoin(run, plan.stack, addresses, emit), emit, undo)
    environment.addresses, environment.spared = addresses, frozenset(asked["over"])
    environment.migrated = {store: Migrated.of(given) for store, given in asked["migrated"].items() if store in plan.fitness.revisions}
    environment.results = dict(asked.get("results", {}))  # an earlier seeder knew none
    environment.keys, environment.restored = dict(given.get("keys", {})), bool(asked.get("restored"))
    environment.loaded = list(_tables(plan, run.as_of))
    return environment, plan


def _run(one: Present, claim: owner.Claim, given: Mapping[str, Any]) -> Run:
    as_of = datetime.datetime.fromisoformat(given["as_of"])
    folder = home.run_folder(one.run)
    return Run(one.run, claim.project, claim.stack, one.runtime, folder, claim.checkout, as_of, given["seed"], claim.expires, claim.place)


def _tables(plan: Plan, as_of: datetime.datetime) -> Iterator[LoadedTable]:
    """What the datasets' files, as they are now, leave in the stores of an environment that is loaded with them."""
    for operation in plan.loads:
        for store, parts in operation.parts.items():
            for part in parts:
                table = LOADERS.get(part.kind).read(part, as_of)
                if isinstance(table, Table):
                    rows = sum(1 for _ in table.rows())
                    yield LoadedTable(operation.dataset.label, store, table.name, table.columns, rows, part.path)
