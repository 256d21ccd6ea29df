"""Why a layer is there or is not: each server's chain beside the one that the last run of the same definition had."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from seeder import whole
from seeder.frozen import frozen
from seeder.layer import Chain
from seeder.operation import Plan

SHOWN = 3  # changed inputs that are named
NAMES = [  # the way to an input (chain.flat) -> what a user calls it
    (r"parts\.(.+)\.(?:table|sql|keys|messages)/(.+)/(\w+)", r"\1/\2.\3"),
    (r"revisions\.(.+)", r"revision \1"),
    (r"basis\.ini", "alembic.ini"),
    (r"basis\.history", "the table of applied files"),
    (r"basis\.(?:shared|inputs)\.(.+)", r"\1"),
    (r"basis\.versions\.(.+)", r"version of \1"),
    (r"basis\.(?:command|words)", "the migrator's command"),
    (r"basis\.environment\.(.+)", r"the migrator's variable \1"),
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
]


@frozen
class Told:
    """One state of a server: whether a layer of it is there, and what made its id another than it was last time."""

    server: str
    subject: str
    id: str
    kept: bool
    found: bool
    changed: tuple[str, ...] = ()


def remember(plan: Plan, folder: Path) -> None:
    """Write the chains down for the next time; where they cannot be, the next time has less to tell."""
    text = json.dumps({server: _written(one) for server, one in plan.chains.items()}) + "\n"
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        whole.write(_path(plan, folder), text)


def states(plan: Plan, folder: Path) -> list[Told]:
    """Every state of every server, the beginning first."""
    before = _read(_path(plan, folder))
    return [told for server, one in sorted(plan.chains.items()) for told in _states(plan, one, before.get(server) or {})]


def _states(plan: Plan, one: Chain, before: Mapping[str, Any]) -> Iterator[Told]:
    begin = plan.begins.get(one.server)
    at = begin.steps if begin else 0
    known: Sequence[Mapping[str, Any]] = before.get("steps") or []
    yield Told(one.server, "beginning", one.base, kept=False, found=False, changed=_changed(one.inputs, before.get("inputs")))
    for place, step in enumerate(one.steps):
        last = known[place] if place < len(known) else None
        same = last is not None and last["subject"] == step.subject
        changed = _changed(step.inputs, last["inputs"]) if last and same else (("is new here",) if known else ())
        yield Told(one.server, step.subject, step.id, step.kept, place < at, changed)


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
    steps = [{"id": step.id, "subject": step.subject, "inputs": dict(step.inputs)} for step in one.steps]
    return {"base": one.base, "inputs": dict(one.inputs), "steps": steps}


def _read(path: Path) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def _path(plan: Plan, folder: Path) -> Path:
    scenario = plan.definition.scenario.name if plan.definition.scenario else ""
    return folder / f"{plan.stack.name}.{scenario}.{plan.runtime}.json"
