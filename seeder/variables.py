"""What the wrapped command is told: SEEDER_* variables, the stack's exports, and a JSON file that holds all of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seeder import whole
from seeder.errors import DefinitionError, nearest
from seeder.target import Target

if TYPE_CHECKING:
    from seeder.environment import Environment

RUN = "SEEDER_RUN"  # by which commands inside an environment find it
PLACEHOLDER = re.compile(r"\{(?:(?P<of>[\w./-]+)\.)?(?P<what>url|host|port|scheme|user|password|database)(?::(?P<option>[\w+-]+))?\}")


def of(environment: Environment) -> dict[str, str]:
    """All variables, in a stable order."""
    run = environment.run
    result = {
        RUN: run.id,
        **run.told,
        "SEEDER_ENVIRONMENT": str(file_of(run.folder)),
    }
    for service in sorted(environment.stack.services):
        result |= _of_service(environment, service)
    result |= {f"SEEDER_OUTPUT_{shout(name)}": _text(value) for name, value in sorted(outputs(environment).items())}
    return result | exports(environment)


def file_of(folder: Path) -> Path:
    """Where the run's folder keeps the JSON form."""
    return folder / "environment.json"


def shout(name: str) -> str:
    """A name as environment variables spell it: upper case, everything but letters and digits an underscore."""
    return re.sub(r"[^A-Z0-9]", "_", name.upper())


def _of_service(environment: Environment, service: str) -> dict[str, str]:
    ports = environment.ports(service)
    if not ports:
        return {}
    first, prefix = environment.address(service), f"SEEDER_{shout(service)}"
    stores = environment.stack.stores_of(service)
    url = environment.target(stores[0].name).url() if len(stores) == 1 else f"{'tcp' if stores else 'http'}://{first}"
    result = {f"{prefix}_URL": url, f"{prefix}_HOST": first.host, f"{prefix}_PORT": str(first.port)}
    if len(ports) > 1:
        result |= {f"{prefix}_PORT_{port}": str(address.port) for port, address in ports.items()}
    return result


def outputs(environment: Environment) -> Mapping[str, Any]:
    """The scenario's outputs; empty without a scenario."""
    scenario = environment.plan.definition.scenario
    return scenario.outputs if scenario else {}


def exports(environment: Environment) -> dict[str, str]:
    """The stack's `export`s with their placeholders filled. Raises DefinitionError when two services export one variable."""
    result: dict[str, str] = {}
    owner: dict[str, str] = {}
    for name, service in sorted(environment.stack.services.items()):
        for variable, pattern in sorted(service.x.export.items()):
            if variable in owner:
                cause = f"{owner[variable]} and {name} both export it"
                raise DefinitionError(variable, cause, "rename one of them", service.mark)
            owner[variable] = name
            result[variable] = PLACEHOLDER.sub(lambda found, name=name: _fill(environment, name, found), pattern)  # type: ignore[misc]
    return result


def _fill(environment: Environment, service: str, found: re.Match[str]) -> str:
    what, option = found["what"], found["option"]
    name = found["of"] or service
    stack = environment.stack
    store = stack.stores.get(name) or next(iter(stack.stores_of(name)), None)
    if store is None and name not in stack.services:
        known = [*stack.stores, *stack.services]
        raise DefinitionError(found[0], f"the stack has no store or service {name}", nearest(name, known), stack.services[service].mark)
    if store:
        return _of_store(environment.target(store.name), what, option)
    address = environment.address(name, int(option) if option and option.isdigit() else None)
    plain = {"url": f"{option if option and not option.isdigit() else 'http'}://{address}", "host": address.host, "port": str(address.port)}
    return plain.get(what, "http" if what == "scheme" else "")


def _of_store(target: Target, what: str, option: str | None) -> str:
    return {
        "url": target.url(option),
        "host": target.address.host,
        "port": str(target.address.port),
        "scheme": target.scheme,
        "user": target.user or "",
        "password": target.password or "",
        "database": target.database or "",
    }[what]


def document(environment: Environment) -> dict[str, Any]:
    """The JSON form of everything above; holds passwords of the run's own stores."""
    run, definition = environment.run, environment.plan.definition
    services = {
        name: {"host": environment.address(name).host, "ports": {str(p): a.port for p, a in environment.ports(name).items()}}
        for name in sorted(environment.stack.services)
        if environment.ports(name)
    }
    return {
        "run": run.id,
        "project": run.project,
        "stack": run.stack,
        "scenario": definition.scenario.name if definition.scenario else None,
        "runtime": run.runtime,
        "seed": run.seed,
        "as_of": run.moment,
        "services": services,
        "stores": {name: _store_document(environment, name) for name in sorted(environment.stack.stores)},
        "outputs": dict(outputs(environment)),
        "variables": of(environment),
    }


def _store_document(environment: Environment, name: str) -> dict[str, Any]:
    target, store = environment.target(name), environment.stack.stores[name]
    return {
        "engine": target.engine,
        "scheme": target.scheme,
        "host": target.address.host,
        "port": target.address.port,
        "user": target.user,
        "password": target.password,
        "database": target.database,
        "volatile": list(store.volatile),
        "url": target.url(),
    }


def write(environment: Environment) -> Path:
    """Write the JSON form into the run's folder, readable by its owner alone."""
    path = file_of(environment.run.folder)
    whole.write(path, json.dumps(document(environment), indent=2, ensure_ascii=False) + "\n")
    return path


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
