"""How a run reached the system that it was attached to, for who takes back what it made when its process is gone."""

from __future__ import annotations

import datetime
import json
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from seeder import atomic, home, owner
from seeder.definition.compose import read_stack
from seeder.definition.extension import Auth
from seeder.definition.manifest import read_project
from seeder.definition.stack import Column, Shared, Stack, Trace
from seeder.errors import EnvironmentFailed
from seeder.registry import traits
from seeder.run import Run
from seeder.runtimes._attached_deployment import AttachedDeployment

FILE: Final = "attached.json"


def remember(run: Run, stack: Stack) -> None:
    """Write it into the run's folder, readable by its owner alone: it holds credentials."""
    logins = {name: service.x.auth.model_dump(exclude_none=True) for name, service in stack.services.items() if service.x.auth}
    told = {
        "target": asdict(stack.target) if stack.target else None,
        "auth": logins,
        "seed": run.seed,
        "as_of": run.moment,
    }
    run.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    atomic.write(run.folder / FILE, json.dumps(told, indent=2) + "\n")


def deployment(run: str) -> AttachedDeployment:
    """The system as that run reached it, with the generators as the checkout has them now. Raises SeederError when that is gone."""
    claim, folder = owner.read(run), home.run_folder(run)
    if claim is None:
        raise EnvironmentFailed(run, "nobody here claims it", "`seeder down --force RUN` gives it up")
    told = _told(folder)
    manifest = claim.checkout / "manifest.yaml"
    if not manifest.is_file():
        cause = f"the project that it was started from is gone ({claim.checkout}), and with it who knows how to take back what it made"
        raise EnvironmentFailed(run, cause, "bring it back; `seeder down --force RUN` gives the run up")
    as_of = datetime.datetime.fromisoformat(told["as_of"])
    us = Run(run, claim.project, claim.stack, claim.runtime, folder, claim.checkout, as_of, told["seed"], claim.expires)
    return AttachedDeployment(us, _stack(claim, told), lambda _: None)


def _told(folder: Path) -> Any:
    try:
        return json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EnvironmentFailed(str(folder / FILE), f"cannot be read: {error}", "`seeder down --force RUN` gives the run up") from None


def _stack(claim: owner.Claim, told: Any) -> Stack:
    """As its files have it now, whatever variables are set, with what was written down in place of these."""
    entry = read_project(claim.checkout / "manifest.yaml").stacks[claim.stack]
    stack = read_stack(entry, environment=os.environ, engines=traits(), unset=True)
    given = told["target"]
    traces = {name: Trace(one["output"], Column(**one["column"]) if one["column"] else None) for name, one in given["traces"].items()}
    logins = {name: Auth.model_validate(auth) for name, auth in told["auth"].items()}
    services = {
        name: replace(service, x=service.x.model_copy(update={"auth": logins.get(name)})) for name, service in stack.services.items()
    }
    return replace(stack, services=services, target=Shared(**{**given, "traces": traces}))
