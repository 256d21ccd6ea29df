"""What a plan need not do: each server begins at the deepest layer that exists, and only the rest is left to do. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from seeder.errors import counted
from seeder.passed.layer import Base, Begin, Chain, Layer, State
from seeder.passed.operation import Load, Migrate, Plan, Resume
from seeder.planning import history

SHOWN = 12  # characters of an id


def take(plan: Plan, chains: Mapping[str, Chain], whole: Mapping[str, Layer], found: Mapping[str, Layer]) -> Plan:
    """The plan without what layers stand in for. `found`: layers by key; `whole`: server -> its layer of the set that everything
    led to, which counts only if it is there for every server."""
    if whole:
        return replace(_from_set(plan, chains, whole), calls=())
    deepest = {server: _deepest(chain, found) for server, chain in chains.items()}
    return _shortened(plan, chains, {server: begin for server, begin in deepest.items() if begin}, "layer {} found")


def go_on(plan: Plan, whole: Mapping[str, Layer], base: Base) -> Plan:
    """The plan from the set of a scenario that is used: what goes beyond it is left to do."""
    begun = _from_set(plan, plan.chains, whole, f"set {{}} found, the state of scenario {base.scenario}")
    return replace(begun, calls=plan.calls[base.calls :], base=base)


def _from_set(plan: Plan, chains: Mapping[str, Chain], whole: Mapping[str, Layer], cause: str = "set {} found") -> Plan:
    begins = {server: Begin(layer, len(chains[server].states)) for server, layer in whole.items()}
    return _shortened(plan, chains, begins, cause)


def _deepest(chain: Chain, found: Mapping[str, Layer]) -> Begin | None:
    """On top of a deep one nothing more is put: the server comes from its beginning to a state that is shallow again."""
    for place in range(len(chain.states), 0, -1):
        if layer := found.get(chain.key(chain.states[place - 1])):
            return Begin(layer, place) if place == len(chain.states) or not layer.deep else None
    return None


def _shortened(plan: Plan, chains: Mapping[str, Chain], begins: Mapping[str, Begin], cause: str) -> Plan:
    done = {server: chains[server].states[: begin.place] for server, begin in begins.items()}
    halts = [_left(operation, done, plan) for operation in plan.halts]
    migrations = [_rest(operation, done.get(operation.store.service, ())) for operation in plan.migrations]
    loads = [_less(plan, operation, done) for operation in plan.loads]
    return replace(
        plan,
        resumes=tuple(_resume(server, begin, done[server], cause) for server, begin in sorted(begins.items())),
        halts=tuple(operation for operation in halts if operation),
        migrations=tuple(operation for operation in migrations if operation),
        loads=tuple(operation for operation in loads if operation),
    )


def _resume(server: str, begin: Begin, done: Sequence[State], cause: str) -> Resume:
    said = _said(done) or "as it is after all that acted through services"
    return Resume(server, said, cause.format(begin.layer.id[:SHOWN]), begin)


def _said(done: Sequence[State]) -> str:
    revisions = [state.subject for state in done if state.verb == "migrate"]
    datasets = [state.subject for state in done if state.verb == "load"]
    shown = [f"{revisions[0]}..{revisions[-1]}" if len(revisions) > 1 else revisions[0]] if revisions else []
    return ", ".join([*shown, *datasets])


def _rest(operation: Migrate, done: Sequence[State]) -> Migrate | None:
    """What is left of a store's history; a tool that does not go step by step has done all at once."""
    held = [state for state in done if state.verb == "migrate" and state.store == operation.store.name]
    return history.beyond(operation, held[-1].subject, f"layer of {held[-1].subject} found") if held else operation


def _left(operation: Migrate | Load, done: Mapping[str, Sequence[State]], plan: Plan) -> Migrate | Load | None:
    """The same of what is done on the way to its head."""
    if isinstance(operation, Migrate):
        return _rest(operation, done.get(operation.store.service, ()))
    (store,) = operation.parts
    held = done.get(plan.stack.stores[store].service, ())
    loaded = any(s.verb == "load" and s.store == store and s.subject == operation.dataset.label for s in held)
    return None if loaded else operation


def _less(plan: Plan, operation: Load, done: Mapping[str, Sequence[State]]) -> Load | None:
    """The dataset's parts for servers that do not hold it yet."""
    label = operation.dataset.label
    holds = {server for server, held in done.items() if any(s.verb == "load" and not s.store and s.subject == label for s in held)}
    parts = {store: found for store, found in operation.parts.items() if plan.stack.stores[store].service not in holds}
    if len(parts) == len(operation.parts):
        return operation
    if not parts:
        return None
    files = sum(len(found) for found in parts.values())
    detail = f"{counted(files, 'file')} into {', '.join(sorted(parts))}"
    return replace(operation, detail=detail, parts=parts, cause=f"{operation.cause}; the other stores begin with it")
