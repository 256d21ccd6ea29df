"""Which state on the way is kept beside the heads: the newest that a branch's migrations share with the default branch. Whoever edits a
revision of a branch begins there again, and so does everybody else's branch. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from seeder.passed.layer import Chain, State
from seeder.passed.operation import Load, Plan
from seeder.planning import history
from seeder.registry import can_halt
from seeder.reuse.branch import Branch


def files(plan: Plan) -> list[Path]:
    """What leads to states that are not there yet, of servers that could halt at one before their heads; none where nobody could."""
    return [file for server, one in plan.chains.items() for state in _ahead(plan, server, one) for file in state.files]


def take(plan: Plan, branch: Branch) -> Plan:
    """The plan, with halts where what the branch holds ends and something of this checkout's own follows."""
    for server, one in plan.chains.items():
        ahead = _ahead(plan, server, one)
        same = next((n for n, state in enumerate(ahead) if not all(branch.holds(file) for file in state.files)), len(ahead))
        if 0 < same < len(ahead):
            plan = _halting(plan, server, ahead[:same], f"the newest that {branch.name} has; it is kept")
    return plan


def _ahead(plan: Plan, server: str, one: Chain) -> Sequence[State]:
    """What its migrations still have to come to. None where no state can be kept, where fewer than two are left, where a
    tool cannot halt, and where rows go in on the way: what follows them is made anew with them."""
    begin = plan.begins.get(server)
    left = one.states[begin.place if begin else 0 :]
    migrations = [state for state in left if state.verb == "migrate"]
    able = all(can_halt(operation.tool) for operation in plan.migrations if operation.store.service == server)
    loads = any(isinstance(operation, Load) and server in _servers(plan, operation) for operation in plan.halts)
    return migrations if one.form and not one.unkept and len(migrations) > 1 and able and not loads else ()


def _servers(plan: Plan, operation: Load) -> Iterator[str]:
    yield from (plan.stack.stores[store].service for store in operation.parts)


def _halting(plan: Plan, server: str, states: Sequence[State], why: str) -> Plan:
    """All that leads to the last of these states is done before anything else is."""
    until = {state.store: state.subject for state in states}  # the last one of each store
    halts = [history.until(one, until[one.subject], why) for one in plan.migrations if one.subject in until]
    rest = [
        history.beyond(one, until[one.subject], f"over {until[one.subject]}") if one.subject in until else one for one in plan.migrations
    ]
    return replace(
        plan,
        halts=(*plan.halts, *halts),
        migrations=tuple(one for one in rest if one),
        common={**plan.common, server: plan.chains[server].states.index(states[-1]) + 1},
    )
