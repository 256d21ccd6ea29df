"""How a run reached the system that it was attached to, for who takes back what it made when its process is gone."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

from seeder import owner
from seeder.definition.claim import Claim
from seeder.definition.compose import read_stack
from seeder.definition.extension import Auth
from seeder.definition.manifest import read_project
from seeder.definition.request import named
from seeder.definition.stack import Column, Shared, Stack, Trace
from seeder.errors import EnvironmentFailed
from seeder.frozen import frozen
from seeder.machine import atomic, home
from seeder.passed.run import Run
from seeder.registry import traits
from seeder.runtimes._attached_deployment import AttachedDeployment
from seeder.steps import ledger

FILE: Final = "attached.json"
GIVE_UP: Final = "`seeder down --force RUN` gives the run up"


@frozen
class _Told:
    """What was written down of a run."""

    shared: Shared
    logins: Mapping[str, Auth]
    seed: int
    as_of: datetime.datetime


def remember(run: Run, stack: Stack) -> None:
    """Write it into the run's folder, readable by its owner alone: it holds credentials."""
    logins = {name: service.x.auth.model_dump(exclude_none=True) for name, service in stack.services.items() if service.x.auth}
    told = {
        "target": asdict(stack.shared) if stack.shared else None,
        "auth": logins,
        "seed": run.seed,
        "as_of": run.moment,
    }
    run.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    atomic.write(run.folder / FILE, json.dumps(told, indent=2) + "\n")


def asked(folder: Path) -> bool:
    """Whether the run of that folder may have asked anything of the system: before it did, it was written down how."""
    return (folder / FILE).exists() or (folder / ledger.FILE).exists()


def deployment(run: str) -> AttachedDeployment:
    """The system as that run reached it, with the generators as the checkout has them now. Raises SeederError when that is gone."""
    claim, folder = owner.read(run), home.run_folder(run)
    if claim is None:
        raise EnvironmentFailed(run, "nobody here claims it", GIVE_UP)
    told = _told(folder)
    manifest = claim.checkout / "manifest.yaml"
    if not manifest.is_file():
        cause = f"the project that it was started from is gone ({claim.checkout}), and with it who knows how to take back what it made"
        raise EnvironmentFailed(run, cause, f"bring it back; {GIVE_UP}")
    us = Run(run, claim.project, claim.stack, claim.runtime, folder, claim.checkout, told.as_of, told.seed, claim.expires)
    return AttachedDeployment(us, _stack(claim, told), lambda _: None)


def _told(folder: Path) -> _Told:
    """Of an error its kind alone is told: its words may hold credentials."""
    try:
        told = json.loads((folder / FILE).read_text(encoding="utf-8"))
        given, logins = told["target"], {name: Auth.model_validate(auth) for name, auth in told["auth"].items()}
        traces = {name: Trace(one["output"], Column(**one["column"]) if one["column"] else None) for name, one in given["traces"].items()}
        claims = {name: Claim(**one) for name, one in given["claims"].items()}
        return _Told(
            Shared(**{**given, "traces": traces, "claims": claims}), logins, told["seed"], datetime.datetime.fromisoformat(told["as_of"])
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        cause = f"cannot be read as this version of seeder writes it ({type(error).__name__})"
        raise EnvironmentFailed(str(folder / FILE), cause, GIVE_UP) from None


def _stack(claim: owner.Claim, told: _Told) -> Stack:
    """As its files have it now, whatever variables are set, with what was written down in place of these."""
    entry = named(read_project(claim.checkout / "manifest.yaml").stacks, claim.stack, "stack")
    stack = read_stack(entry, environment=os.environ, engines=traits(), unset=True)
    services = {
        name: replace(service, x=service.x.model_copy(update={"auth": told.logins.get(name)})) for name, service in stack.services.items()
    }
    return replace(stack, services=services, shared=told.shared)
