"""Whether layers hold what is built without them: the stack is provided both ways, and every store's content compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from seeder import lifecycle
from seeder.errors import EnvironmentFailed, GateRefused, Problem, SeederError
from seeder.events import Digested, Emit, Event
from seeder.frozen import frozen
from seeder.passed.layer import Layer
from seeder.passed.operation import Plan
from seeder.passed.options import Options
from seeder.reuse import cache, room, transfer


@frozen
class Compared:
    """One store: its digest when everything is done from the beginning, and when its server begins at `layer`; none: it has none."""

    store: str
    built: str
    kept: str
    layer: Layer | None

    @property
    def same(self) -> bool:
        return self.built == self.kept


def compare(plan: Plan, listener: Emit) -> list[Compared]:
    """Gates are not asked: they would refuse what is wrong before anybody knew which store it is in. Raises EnvironmentFailed when one
    of the two runs does not come to its end."""
    full = replace(plan.full or plan, gates=())
    built, kept = _digests(full, listener), _digests(replace(plan, gates=(), full=full), listener)
    begins = plan.begins
    layers = {store.name: begins[server].layer for server in begins for store in plan.stack.stores_of(server)}
    return [Compared(name, digest, kept.get(name, ""), layers.get(name)) for name, digest in sorted(built.items())]


def remove(plan: Plan, compared: list[Compared]) -> SeederError | None:
    """Remove the layers that hold something else, a set as a whole; the error that names their stores, if there are any."""
    wrong = [(one, one.layer) for one in compared if one.layer and not one.same]
    with room.still():
        for _, layer in wrong:
            if whole := layer.facts.get("set"):
                room.forget(str(whole), cache.stores(plan))
            else:
                room.remove([layer])
    return GateRefused.of(_differences(wrong)) if wrong else None


def _differences(wrong: list[tuple[Compared, Layer]]) -> Iterator[Problem]:
    for one, layer in wrong:
        cause = f"{transfer.shown(layer.key)} holds {one.kept[:12]}, and what is built without it {one.built[:12]}"
        remedy = "the layer was removed, the next run makes it anew; is a column filled by clock or chance? Name it in x-seeder.volatile"
        yield Problem(one.store, cause, remedy)


def _digests(plan: Plan, listener: Emit) -> dict[str, str]:
    found: dict[str, str] = {}

    def listen(event: Event) -> None:
        if isinstance(event, Digested):
            found.update(event.stores)
        listener(event)

    result = lifecycle.run(plan, Options(), listen)
    if result.code:
        cause, _, remedy = (result.message or result.ended_by).partition("\n    -> ")
        raise EnvironmentFailed(f"run {result.run}", cause, remedy or "see its evidence", log=result.log)
    return found
