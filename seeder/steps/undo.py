"""Take back what the steps of a run made, by its ledger: the last thing first, past all that fails. What is left is told, and taken up
again by whoever comes next.

Steps begin after those that they build on, so that the ledger read backwards is an order in which everything can go.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from seeder.errors import EnvironmentFailed, SeederError
from seeder.events import Progress
from seeder.evidence import redact
from seeder.order import aside
from seeder.passed.capability import NOTHING, Asked, Capability
from seeder.passed.run import Swept
from seeder.protocols import Generator, Shares, Undoes, World
from seeder.registry import generators
from seeder.steps.asking import ask
from seeder.steps.ledger import DATA, Entry, Ledger
from seeder.steps.tried import Tried, judged
from seeder.wait import READY, not_yet, wait_for

PATIENCE: Final = 10.0  # seconds that everything together waits for what does not work just now
SHOWN: Final = 120  # characters of what is known of an entry, in a message
GONE: Final = frozenset({404, 410})  # answers to DELETE that say: there is no such thing (any more)


def take_back(world: World) -> Swept:
    """Nothing of the run's ledger stays that can be taken back. What is left is told with its capability, owner, key and reason."""
    return _Undoing(world).all()


class _Undoing:
    """Where it has come to. `held`: steps that something left builds on -> what that is. `patience`: seconds of waiting that remain."""

    def __init__(self, world: World) -> None:
        self._world, self._ledger = world, Ledger(world.run.folder)
        self._offered = generators(world.stack)
        self._held: dict[str, str] = {}
        self._stays = ""  # the first that is left: rows of datasets were there before it
        self._patience = PATIENCE

    def all(self) -> Swept:
        removed, left = [], []
        for entry in reversed(self._ledger.entries):
            if entry.state in ("failed", "undone"):
                continue
            why = self._why_left(entry)
            if why:
                left.append(
                    f"{entry.capability} of {entry.owner}, {'' if entry.capability == DATA else 'step '}{entry.id}, {_key(entry)}: {why}"
                )
            elif self._ledger.last(entry.id).state == "undone":
                removed.append(f"{'rows of' if entry.capability == DATA else 'step'} {entry.id}")
            self._world.emit(Progress("teardown", entry.id, "left" if why else "undone", why or entry.capability))
        return Swept(tuple(removed), tuple(left), lasting=True)

    def _why_left(self, entry: Entry) -> str:
        """Take it back; answers why it is left, or nothing."""
        if blocking := self._held.get(entry.step):
            return self._hold(entry, f"{blocking} builds on it and is left")
        if entry.capability == DATA:
            return self._erase(entry)
        generator = self._offered.get(entry.capability)
        if generator is None:
            return self._hold(entry, "nobody offers this capability any more")
        known = self._known(entry, generator)
        if known.state == "failed":
            self._ledger.ended(entry.id, "failed", reason=known.reason)
            return ""
        if known.state == "unknown":
            return f"whether it was made is unknown: {known.reason}"  # what it builds on goes: nobody will ever know more
        return self._take_back(replace(entry, made=known.made), generator)

    def _erase(self, entry: Entry) -> str:
        """Rows of a dataset, by their keys: these are this run's alone once its load came to its commit, and may be another's else."""
        if self._stays:
            return self._hold(entry, f"{self._stays} is left, and may build on it")
        store = entry.given["store"]
        try:
            engine, target = self._world.engine(store), self._world.target(store)
            if not isinstance(engine, Shares):
                return self._hold(entry, f"{engine.name} takes no rows back")
            there = entry.state == "confirmed" or engine.committed(target, entry.given["transaction"])
            if there:
                engine.erase(target, entry.given["rows"])
        except SeederError as error:
            return self._hold(entry, error.problems[0].cause)
        if there is None:
            return self._hold(entry, f"whether they were put in is unknown: {store} does not know of the transaction any more")
        self._ledger.ended(entry.id, "undone" if there else "failed")
        return ""

    def _hold(self, entry: Entry, why: str) -> str:
        self._stays = self._stays or entry.id
        for step in entry.after:
            self._held.setdefault(step, entry.id)
        return why

    def _known(self, entry: Entry, generator: Generator) -> Tried:
        """What it made: as it was confirmed, or as can be found out."""
        about, call = generator.capability, Asked(entry.id, entry.index, entry.key)
        if entry.state == "confirmed" or about.undo == NOTHING:
            return Tried("confirmed", made=entry.made)
        if about.finds:
            return self._found(entry, generator, call)
        if about.key:  # asked with the same key it answers what it made, or makes it now, to be taken back
            return self._asked(generator, call, entry.given)
        return Tried("unknown", entry.reason or "the run ended meanwhile, and it has neither key nor find")

    def _found(self, entry: Entry, generator: Generator, call: Asked) -> Tried:
        """A request that was under way when its sender died may still be answered: that there is nothing is believed once its time is
        over."""
        seen, about = list[Tried](), generator.capability

        def look() -> Any:
            try:
                made = aside(lambda: generator.find(self._world, replace(call, writes=[]), entry.given), within=about.within)()
            except (Exception, SystemExit) as error:  # noqa: BLE001  (whatever a team's function raises is told as its)
                why = judged(error, about)
                seen[:] = [Tried("unknown", f"it could not be looked for: {why.reason}")]
                return not_yet(why.reason) if why.again is not None else READY
            seen[:] = [Tried("failed", "nothing was found of it") if made is None else Tried("confirmed", made=made)]
            return READY if made is not None else not_yet("nothing was found of it")

        over = entry.at + about.within - time.time()
        with suppress(EnvironmentFailed):
            wait_for(f"step {entry.id}", look, within=max(0.0, min(over, about.within)), longest=0.5)
        return seen[0]

    def _take_back(self, entry: Entry, generator: Generator) -> str:
        about = generator.capability
        if about.undo != NOTHING:
            if not about.undo or not isinstance(generator, Undoes):
                return self._hold(entry, "its capability has no undo")
            last = self._asked(_Undo(generator, about), Asked(entry.id, entry.index, entry.key), {"made": entry.made})
            if last.state != "confirmed":
                return self._hold(entry, last.reason)
        self._ledger.ended(entry.id, "undone", made=entry.made)
        return ""

    def _asked(self, generator: Generator, call: Asked, given: Mapping[str, Any]) -> Tried:
        begun = time.monotonic()
        last = ask(self._world, generator, call, given, limit=self._patience)
        if last.state != "confirmed":
            self._patience = max(0.0, self._patience - (time.monotonic() - begun))
        return last


def _key(entry: Entry) -> str:
    """By what its owner finds it: `id=5` where it has one, else all that is known of it."""
    if entry.capability == DATA:
        return f"{sum(len(keys) for _, keys in entry.given['rows'].values())} rows"
    known = redact.tree(entry.given if entry.made is None else entry.made)
    if isinstance(known, Mapping) and "id" in known:
        return f"id={known['id']}"
    return json.dumps(known, ensure_ascii=False, default=str)[:SHOWN]


class _Undo:
    """The undo of a generator, asked for as the generator itself is: it may be repeated after any try."""

    def __init__(self, generator: Undoes, about: Capability) -> None:
        self._generator = generator
        self.capability = replace(about, finds=False, key=about.key or "undo")

    def make(self, world: World, call: Asked, given: Mapping[str, Any]) -> Any:
        import httpx

        try:
            self._generator.undo(world, call, given["made"])
        except httpx.HTTPStatusError as error:
            if error.request.method != "DELETE" or error.response.status_code not in GONE:
                raise

    def find(self, world: World, call: Asked, given: Mapping[str, Any]) -> Any:  # noqa: ARG002  (nothing is looked for)
        return None
