"""What the wrapped command is told: SEEDER_* variables, the stack's exports, and a JSON file that holds all of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seeder.definition import consistency
from seeder.definition.references import as_words
from seeder.errors import DefinitionError, nearest
from seeder.machine import atomic
from seeder.passed.target import Address, Target
from seeder.registry import volatile

if TYPE_CHECKING:
    from seeder.environment import Environment

RUN = "SEEDER_RUN"  # by which commands inside an environment find it
PLACEHOLDER = re.compile(r"\{(?:(?P<of>[\w./-]+)\.)?(?P<what>url|host|port|scheme|user|password|database)(?::(?P<option>[\w+-]+))?\}")
NOT_HTTP = frozenset(  # ports at which well-known servers speak protocols of their own
    {
        21, 22, 25, 53, 110, 143, 389, 465, 587, 636, 1025, 1433, 1521, 1883, 2181, 3306, 4222, 4369, 5432, 5671, 5672, 6379, 6650, 7687,
        8883, 9042, 9092, 11211, 25672, 26257, 27017, 28015, 33060, 61616,
    }
)  # fmt: skip


def of(environment: Environment) -> dict[str, str]:
    """All variables, in a stable order."""
    run = environment.run
    result = {
        RUN: run.id,
        **run.told,
        "SEEDER_ENVIRONMENT": str(file_of(run.folder)),
        **({"SEEDER_MARK": run.mark} if run.mark else {}),
    }
    for service in _reachable(environment):
        result |= _of_service(environment, service)
    result |= {f"SEEDER_OUTPUT_{shout(name)}": as_words(value) for name, value in sorted(outputs(environment).items())}
    return result | exports(environment)


def file_of(folder: Path) -> Path:
    """Where the run's folder keeps the JSON form."""
    return folder / "environment.json"


def shout(name: str) -> str:
    """A name as environment variables spell it: upper case, everything but letters and digits an underscore."""
    return re.sub(r"[^A-Z0-9]", "_", name.upper())


def _reachable(environment: Environment) -> list[str]:
    """The services that somebody may want to reach: what has done its work and ended has nobody at its ports."""
    services = sorted(set(environment.stack.services) - environment.stack.one_shots)
    return [name for name in services if environment.ports(name)]


def _of_service(environment: Environment, service: str) -> dict[str, str]:
    ports = environment.ports(service)
    first, prefix = environment.address(service), f"SEEDER_{shout(service)}"
    result = {f"{prefix}_HOST": first.host, f"{prefix}_PORT": str(first.port)}
    if url := _url(environment, service, first):
        result = {f"{prefix}_URL": url, **result}
    if len(ports) > 1:
        result |= {f"{prefix}_PORT_{port}": str(address.port) for port, address in ports.items()}
    return result


def _url(environment: Environment, service: str, first: Address) -> str | None:
    """None of what speaks another protocol than HTTP, and is no store that could say how it is addressed."""
    stores = environment.stack.stores_of(service)
    if len(stores) == 1:
        return environment.target(stores[0].name).url()
    scheme = "http" if environment.stack.shared and not stores else _scheme(environment, service)
    return f"tcp://{first}" if stores else environment.reach(service) if scheme == "http" else None


def _scheme(environment: Environment, service: str, port: int | None = None) -> str:
    inside = environment.stack.services[service].first_port(environment.ports(service)) if port is None else port
    return "tcp" if inside in NOT_HTTP else "http"


def outputs(environment: Environment) -> Mapping[str, Any]:
    """The scenario's outputs; empty without a scenario."""
    scenario = environment.scenario
    return scenario.outputs if scenario else {}


def exports(environment: Environment) -> dict[str, str]:
    """The stack's `export`s with their placeholders filled, without those that name what takes no part. Raises DefinitionError when two
    services export one variable, or when one names what the stack does not have."""
    result: dict[str, str] = {}
    owner: dict[str, str] = {}
    for name, service in sorted(environment.stack.services.items()):
        for variable, pattern in sorted(service.x.export.items()):
            if variable in owner:
                cause = f"{owner[variable]} and {name} both export it"
                raise DefinitionError(variable, cause, "rename one of them", service.place("export", variable))
            owner[variable] = name
            if consistency.lacking(pattern, environment.stack):
                continue
            result[variable] = PLACEHOLDER.sub(lambda found, name=name: _fill(environment, name, found), pattern)  # type: ignore[misc]
    return result


def _fill(environment: Environment, service: str, found: re.Match[str]) -> str:
    what, option = found["what"], found["option"]
    name = found["of"] or service
    stack = environment.stack
    store = stack.stores.get(name) or next(iter(stack.stores_of(name)), None)
    if store is None and name not in stack.services:
        known = sorted({*stack.stores, *stack.services})
        mark = stack.services[service].place("export")
        raise DefinitionError(found[0], f"stack {stack.name} has no store or service {name}", nearest(name, known), mark)
    if store:
        return _of_store(environment.target(store.name), what, option)
    port = int(option) if option and option.isdigit() else None
    address, scheme = environment.address(name, port), _scheme(environment, name, port)
    plain = option is None and environment.stack.shared is not None
    url = environment.reach(name) if plain else f"{option if option and port is None else scheme}://{address}"
    return {"url": url, "host": address.host, "port": str(address.port), "scheme": scheme}.get(what, "")


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
    return {
        "run": run.id,
        "project": run.project,
        "stack": run.stack,
        "scenario": definition.scenario.name if definition.scenario else None,
        "runtime": run.runtime,
        "seed": run.seed,
        "as_of": run.moment,
        "services": {name: _service_document(environment, name) for name in _reachable(environment)},
        "stores": {name: _store_document(environment, name) for name in sorted(environment.stack.stores)},
        "outputs": dict(outputs(environment)),
        **({"keys": environment.keys} if environment.stack.shared else {}),
        "variables": of(environment),
    }


def _service_document(environment: Environment, name: str) -> dict[str, Any]:
    ports = {str(inside): address.port for inside, address in environment.ports(name).items()}
    told = environment.tenant(name)
    return {"host": environment.address(name).host, "ports": ports, **({"headers": dict(told)} if told else {})}


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
        "volatile": volatile(store),
        "url": target.url(),
    }


def write(environment: Environment) -> Path:
    """Write the JSON form into the run's folder, readable by its owner alone."""
    path = file_of(environment.run.folder)
    atomic.write(path, json.dumps(document(environment), indent=2, ensure_ascii=False) + "\n")
    return path
