"""How an environment comes back from a bundle: what it was asked for, and a plan in which each store gets what was saved of it."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from seeder.definition.manifest import Manifest
from seeder.definition.request import Definition, Request, resolve
from seeder.definition.stack import Store
from seeder.definition.stores import Engines
from seeder.errors import Collector, DefinitionError
from seeder.evidence import redact
from seeder.evidence.bundle import Bundle
from seeder.passed.operation import Migrate, Plan, Restore
from seeder.planning import history
from seeder.protocols import Inspects, Saves
from seeder.registry import ENGINES, can_halt

GATES = frozenset({"ready"})  # the others ask for the state of a scenario; a bundle often holds one that they refused
CHECKOUT = "use the checkout that the bundle was taken from"
SHOWN = 12  # characters of a digest


# -- what was asked for -----------------------------------------------------------------------------------------------


def definition(manifest: Manifest, found: Bundle, runtime: str | None, inputs: Mapping[str, str], engines: Engines) -> Definition:
    """The definition of the bundle's environment, as it is in the checkout now. `inputs` stand in for those that are secrets. Raises
    DefinitionError where the checkout has no such environment any more."""
    index, problems = found.index, Collector()
    if index.get("project") != manifest.project:
        problems.add(str(found.path), f"was taken of project {index.get('project')}, and this one is {manifest.project}", CHECKOUT)
    given = {**index.get("inputs", {}), **inputs}
    for name in sorted(name for name, value in given.items() if value == redact.HIDDEN):
        problems.add(f"input {name}", "is a secret, which a bundle does not hold", f"give it anew: --set {name}=VALUE")
    problems.raise_if_any(DefinitionError)
    made = resolve(manifest, _request(manifest, index, runtime, given), engines)
    return replace(made, as_of=datetime.datetime.fromisoformat(index["as_of"]))


def _request(manifest: Manifest, index: Mapping[str, Any], runtime: str | None, inputs: Mapping[str, str]) -> Request:
    asked = index.get("request", {})
    overlays = [str(manifest.root / one) for one in asked.get("overlays", ())]
    said = {"stack": index["stack"], "seed": index["seed"], **{key: index.get(key) for key in ("scenario", "policy")}}
    return Request.read({**asked, **said, "inputs": inputs, "runtime": runtime, "cache": False, "overlays": overlays})


# -- what is done -----------------------------------------------------------------------------------------------------


def of(plan: Plan, found: Bundle) -> Plan:
    """The plan with what the bundle holds in place of what migrations and datasets would give the stores. Raises DefinitionError when
    the bundle does not hold a state of every store of the stack, and of no other one."""
    problems = Collector()
    for store, cause, remedy in _misfits(plan, found):
        problems.add(store, cause, remedy)
    problems.raise_if_any(DefinitionError)
    saved: Mapping[str, Any] = found.index["stores"]
    migrations = {name: _migrate(plan, name, saved[name].get("head")) for name in saved}
    return replace(
        bare(plan),
        migrations=tuple(one for _, one in sorted(migrations.items()) if one),
        restores=tuple(_restore(plan, found, name, migrations[name]) for name in sorted(saved)),
        full=plan,
        results=found.index.get("results", {}),
    )


def bare(plan: Plan) -> Plan:
    """The plan without the data that it would load, and what asks for it: the stores have their state from elsewhere."""
    gates = tuple(gate for gate in plan.gates if gate.gate in GATES)
    return replace(plan, halts=(), loads=(), calls=(), gates=gates, acts=(), expected=())


def _misfits(plan: Plan, found: Bundle) -> Iterator[tuple[str, str, str]]:
    stores, missing = found.index.get("stores"), found.index.get("missing", {})
    if stores is None:
        yield str(found.path), "does not say which stores it holds: an earlier version wrote it", "take the bundle again"
        return
    if whole := missing.get("stores") or missing.get("environment"):
        yield str(found.path), f"holds no state of any store: {whole}", "only a bundle of an environment that was up can be brought back"
        return
    lost = {name.removeprefix("stores/"): why for name, why in missing.items() if name.startswith("stores/")}
    for name in sorted({*stores, *lost, *plan.stack.stores}):
        if name not in plan.stack.stores:
            yield name, f"the bundle holds this store, and stack {plan.stack.name} has none of that name", CHECKOUT
        elif name in lost:
            yield name, f"its state could not be saved: {lost[name]}", "only a bundle that holds every store can be brought back"
        elif name not in stores:
            yield name, f"stack {plan.stack.name} has this store, and the bundle does not hold it", CHECKOUT
        elif (theirs := stores[name]["engine"]) != (ours := plan.stack.stores[name].engine):
            yield name, f"it is {ours} in stack {plan.stack.name}, and was {theirs} when it was saved", CHECKOUT
        elif not isinstance(ENGINES.get(ours), Saves):
            yield name, f"{ours} cannot take up what was saved", ""


def _migrate(plan: Plan, store: str, head: str | None) -> Migrate | None:
    """The migrations that make the schema of what was saved, where this checkout has them. What was saved of an engine without a
    schema needs none."""
    operation = next((one for one in plan.migrations if one.subject == store), None)
    if operation is None or head is None or not isinstance(ENGINES.get(operation.store.engine), Inspects):
        return None
    ids = [revision.id for revision in operation.revisions]
    if head not in ids or (head != ids[-1] and not can_halt(operation.tool)):
        return None
    return history.until(replace(operation, since=""), head, "makes the schema of what was saved")


def _restore(plan: Plan, found: Bundle, name: str, migrated: Migrate | None) -> Restore:
    about, store = found.index["stores"][name], plan.stack.stores[name]
    digest = about.get("digest")
    detail = f"bundle {found.path.name}" + (f", digest {digest[:SHOWN]}" if digest else "")
    cause = "saved there" if migrated or not isinstance(ENGINES.get(store.engine), Inspects) else _of_its_own(store, about.get("head"))
    return Restore(name, detail, cause, found.path / "stores" / name, digest)


def _of_its_own(store: Store, head: str | None) -> str:
    if store.migrate is None:
        return "saved there, with its schema where the server's is another"
    return f"saved there with its schema: {f'this checkout does not migrate to {head}' if head else 'migrations did not lead to it'}"
