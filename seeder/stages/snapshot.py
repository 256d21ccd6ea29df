"""Save the evidence of a run as a bundle. Never raises over the failure that it documents: what could not be saved is named."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from seeder import bundle, redact, variables
from seeder.definition.stack import Stack
from seeder.environment import Environment
from seeder.events import Noticed
from seeder.protocols import Saves

RESOLVED = "compose.resolved.yaml"


def take(environment: Environment, folder: Path, cause: str, result: Mapping[str, Any], journal: Path) -> bundle.Bundle:
    """Write the whole environment below `folder` (made anew) and seal it."""
    folder.mkdir(parents=True)
    secrets = redact.secrets_of(s.environment for s in environment.stack.services.values())
    missing: dict[str, str] = {}

    def attempt(what: str, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001  (evidence is taken from a broken world: whatever it throws is part of it)
            missing[what] = redact.text(str(error), secrets)
            environment.emit(Noticed(what, f"is missing from the bundle: {missing[what]}"))

    attempt("logs", lambda: _logs(environment, folder / "logs", secrets))
    for store in sorted(environment.stack.stores):
        attempt(f"stores/{store}", lambda store=store: _store(environment, store, folder / "stores" / store))  # type: ignore[misc]
    attempt("environment.json", lambda: _environment(environment, folder, secrets))
    attempt(RESOLVED, lambda: _resolved(environment, folder, secrets))
    (folder / "plan.txt").write_text(redact.text(environment.plan.text(), secrets), encoding="utf-8")
    _write(folder / "result.json", redact.tree(dict(result), secrets))
    (folder / "events.jsonl").write_text(redact.text(journal.read_text(encoding="utf-8"), secrets), encoding="utf-8")
    return bundle.seal(folder, {**_index(environment, cause), "missing": missing})


def _index(environment: Environment, cause: str) -> dict[str, Any]:
    import seeder

    definition, run = environment.plan.definition, environment.run
    return {
        "id": run.id,
        "cause": cause,
        "project": run.project,
        "stack": run.stack,
        "scenario": definition.scenario.name if definition.scenario else None,
        "runtime": run.runtime,
        "seed": run.seed,
        "as_of": run.moment,
        "inputs": redact.tree(dict(definition.request.inputs)),
        "outputs": redact.tree(dict(variables.outputs(environment))),
        "versions": {
            "seeder": seeder.__version__,
            "stack": definition.stack.version,
            "images": {name: s.image or "built" for name, s in sorted(environment.stack.services.items())},
            "migrations": {name: revisions[-1].id for name, revisions in sorted(environment.plan.fitness.revisions.items()) if revisions},
            "datasets": {dataset.name: dataset.version for dataset in definition.datasets},
        },
    }


def _logs(environment: Environment, folder: Path, secrets: set[str]) -> None:
    """Every service's log, and those of migrations and other tasks."""
    folder.mkdir()
    logs = {service: environment.deployment.logs(service) for service in sorted(environment.stack.services)}
    for path in sorted((environment.run.folder / "logs").glob("*.log")):
        if path.stem not in logs:
            logs[path.stem] = path.read_text(encoding="utf-8", errors="replace")
    for name, log in logs.items():
        if log:
            (folder / f"{name}.log").write_text(redact.text(log, secrets), encoding="utf-8")


def _store(environment: Environment, store: str, folder: Path) -> None:
    engine = environment.engine(store)
    if not isinstance(engine, Saves):
        raise TypeError(f"{engine.name} has no portable form")
    folder.mkdir(parents=True)
    try:
        engine.save(environment.target(store), folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # half a store is no evidence
        raise


def _environment(environment: Environment, folder: Path, secrets: set[str]) -> None:
    _write(folder / "environment.json", redact.tree(variables.document(environment), secrets))


def _resolved(environment: Environment, folder: Path, secrets: set[str]) -> None:
    """The model that compose was given; on a runtime without compose, the stack as it was read."""
    given = environment.run.model
    model = yaml.safe_load(given.read_text(encoding="utf-8")) if given.exists() else _as_read(environment.stack)
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
