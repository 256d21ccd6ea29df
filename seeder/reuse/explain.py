"""Why a layer is there or is not: each server's chain, and what acts through services, beside what the last run of the same definition
had. A state is known again by the store that it is of and by what leads to it, wherever in the chain that stands now."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from seeder.frozen import frozen
from seeder.machine import atomic
from seeder.passed.layer import Chain, State
from seeder.passed.operation import Plan
from seeder.reuse import cache, chain

SHOWN = 3  # changed inputs that are named
NAMES = [  # the way to an input (chain.flat) -> what a user calls it
    (r"parts\.(.+)\.(?:table|sql|keys|messages)/(.+)/(\w+)", r"\1/\2.\3"),
    (r"revisions\.(.+)", r"revision \1"),
    (r"basis\.ini", "alembic.ini"),
    (r"basis\.history", "the table of applied files"),
    (r"basis\.(?:shared|inputs)\.(.+)", r"\1"),
    (r"basis\.versions\.(.+)", r"version of \1"),
    (r"basis\.(?:command|words)", "the migrator's command"),
    (r"basis\.(?:environment|local)\.(.+)", r"the migrator's variable \1"),
    (r"basis\.added", "what datasets add to the migrator's service"),
    (r"basis\.(?:image|as)", "the migrator's image"),
    (r"basis\.(.+)", r"the migrator's \1"),
    (r"environment\.(.+)", r"variable \1"),
    (r"files\.(.+)", r"mounted file \1"),
    (r"keys\.(.+)", r"natural key of \1"),
    (r"image\.context", "build context"),
    (r"image\.dockerfile", "Dockerfile"),
    (r"image\.target", "build target"),
    (r"image\.args\.(.+)", r"build argument \1"),
    (r"words", "entrypoint or command"),
    (r"upserts", "kind of the dataset"),
    (r"tool", "migration tool"),
    (r"services\.([^.]+)\.program(?:\..+)?", r"program of \1"),
    (r"services\.([^.]+)\.environment\.\d\.(.+)", r"variable \2 of \1"),
    (r"services\.([^.]+)\.files\.(.+)", r"file \2 of \1"),
    (r"services\.([^.]+)\.words", r"command of \1"),
    (r"services\.([^.]+)\.added", r"what datasets add to \1"),
    (r"versions\.(.+)", r"version of \1"),
    (r"calls\.(.+)", r"\1"),
]
THROUGH = "all that acted through services"
NEW, FOLLOWS = "is new here", "what comes before it changed"


@frozen
class Told:
    """One state of a server: whether a layer of it is `found` where the server begins, or it is `passed` since it begins later, and
    what made its id another than it was last time. `server` is empty where it is the state of all that acts through services."""

    server: str
    subject: str
    id: str
    kept: bool
    found: bool = False
    passed: bool = False
    changed: tuple[str, ...] = ()
    loaded: bool = False  # by a dataset, and not by a revision


@frozen
class Change:
    """One reason why a state is another than at the last run, or why a layer of it is not taken; `server` is empty where it is one of what
    acts through services."""

    server: str
    cause: str


def remember(plan: Plan, folder: Path) -> None:
    """Write the chains down for the next time; where they cannot be, the next time has less to tell."""
    servers = {server: _written(one) for server, one in plan.chains.items()}
    acting = chain.acting(plan) if (plan.full or plan).calls else {}
    text = json.dumps({"servers": servers, "acting": acting}) + "\n"
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        atomic.write(_path(plan, folder), text)


def states(plan: Plan, folder: Path) -> list[Told]:
    """Every state of every server, the beginning first, and at last the set that all which acts through services leads to."""
    before = _read(plan, folder)
    servers = [told for server, one in sorted(plan.chains.items()) for told in _states(plan, one, before["servers"].get(server) or {})]
    if not (plan.whole and (plan.full or plan).calls):
        return servers
    changed = _changed(chain.acting(plan), before["acting"] or None)
    return [*servers, Told("", THROUGH, plan.whole, kept=True, found=not plan.calls, changed=changed)]


def changes(plan: Plan, folder: Path) -> list[Change]:
    """Why ids differ from those of the last run, and what else keeps layers from being taken; nothing where there was no last run."""
    if not plan.chains:
        return []
    before, found = _read(plan, folder), list[Change]()
    for server, one in sorted(plan.chains.items()):
        found += [Change(server, cause) for cause in _causes(plan, one, before["servers"].get(server) or {})]
    if plan.calls and before["acting"]:
        found += [Change("", cause) for cause in _changed(chain.acting(plan), before["acting"])]
    return found + [Change(server, f"the layer of {of} was made with other secrets") for server, of in sorted(cache.unfit(plan).items())]


def _causes(plan: Plan, one: Chain, before: Mapping[str, Any]) -> Iterable[str]:
    """Each once, though what all revisions share is a part of every state."""
    known = before.get("states") or []
    causes = [_said(told, cause) for told in _states(plan, one, before) for cause in told.changed if cause != FOLLOWS]
    now = {(state.store, state.subject) for state in one.states}
    causes += [f"{state['subject']} is gone" for state in known if (state["store"], state["subject"]) not in now]
    if not causes and known and [state["id"] for state in known] != [state.id for state in one.states]:
        causes = ["its states come in another order"]
    return dict.fromkeys(causes)


def _said(told: Told, cause: str) -> str:
    """A revision says itself which state it leads to; a dataset's files do not."""
    if cause == NEW:
        return f"{told.subject} is new"
    return f"{told.subject}: {cause}" if told.loaded else cause


def _states(plan: Plan, one: Chain, before: Mapping[str, Any]) -> Iterator[Told]:
    begin = plan.begins.get(one.server)
    at, whole = (begin.place, bool(begin.layer.facts.get("set"))) if begin else (0, False)
    states: Sequence[Mapping[str, Any]] = before.get("states") or []
    known = {(state["store"], state["subject"]): state for state in states}
    beginning = _changed(one.inputs, before.get("inputs"))
    yield Told(one.server, "beginning", one.base, kept=False, passed=begin is not None, changed=beginning)
    for place, state in enumerate(one.states, 1):
        found = place == at and not whole
        since = _since(state, known)
        kept = state.kept or plan.common.get(one.server) == place
        yield Told(one.server, state.subject, state.id, kept, found, place <= at and not found, since, state.verb == "load")


def _since(state: State, known: Mapping[tuple[str, str], Mapping[str, Any]]) -> tuple[str, ...]:
    """What makes it another state than the one of that name was; nothing where it is the same, or where nothing is known."""
    last = known.get((state.store, state.subject))
    if last is None:
        return (NEW,) if known else ()
    return _changed(state.inputs, last["inputs"]) or ((FOLLOWS,) if last["id"] != state.id else ())


def _changed(now: Mapping[str, str], before: Mapping[str, str] | None) -> tuple[str, ...]:
    if before is None:
        return ()
    names = [f"{named(name)} changed" for name in now if name in before and before[name] != now[name]]
    names += [f"{named(name)} is new" for name in now if name not in before]
    names += [f"{named(name)} is gone" for name in before if name not in now]
    return (*names[:SHOWN], *([f"and {len(names) - SHOWN} more"] if len(names) > SHOWN else []))


def named(way: str) -> str:
    """An input as a user knows it: `db/countries.csv`, `revision 0001_notes`, `variable PGDATA`."""
    found = ((re.fullmatch(pattern, way), shown) for pattern, shown in NAMES)
    return next((match.expand(shown) for match, shown in found if match), way)


def _written(one: Chain) -> dict[str, Any]:
    states = [{"id": state.id, "store": state.store, "subject": state.subject, "inputs": dict(state.inputs)} for state in one.states]
    return {"base": one.base, "inputs": dict(one.inputs), "states": states}


def _read(plan: Plan, folder: Path) -> dict[str, Mapping[str, Any]]:
    """Of the last run; empty where there was none, or where another version of seeder wrote it."""
    try:
        found = json.loads(_path(plan, folder).read_text(encoding="utf-8"))
        return {"servers": found["servers"], "acting": found["acting"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {"servers": {}, "acting": {}}


def _path(plan: Plan, folder: Path) -> Path:
    scenario = plan.definition.scenario.name if plan.definition.scenario else ""
    return folder / f"{plan.stack.name}.{scenario}.{plan.runtime}.json"
