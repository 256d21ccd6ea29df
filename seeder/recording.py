"""Golden data out of an environment that is up: what its stores hold beyond what migrations, lookups and settings put there, as a dataset's
files, in an order that is the same each time.

What migrations and lookups leave is not guessed: servers are brought up once more, from layers where there are some, with that alone.
"""

from __future__ import annotations

import csv
import dataclasses
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import yaml

from seeder import decide, lifecycle, present
from seeder.definition import alone
from seeder.definition.policy import LEVELS, privacy_of
from seeder.definition.request import taking_part
from seeder.definition.stack import Stack
from seeder.environment import Environment
from seeder.errors import EnvironmentFailed, GateRefused, UsageError
from seeder.events import Emit
from seeder.frozen import frozen
from seeder.order import each
from seeder.passed.content import Held
from seeder.passed.fitness import head
from seeder.passed.operation import Plan
from seeder.passed.options import Options
from seeder.protocols import Recordable
from seeder.registry import ENGINES, GATES
from seeder.running import hold, start

_WORD: Final = re.compile(r"[A-Za-z][\w./-]*")


@frozen
class Recorded:
    """Store -> its files, where there are some; `stores`: all that were asked. `left`: what could not be written so, a sentence each.
    `requires` and `privacy` as the manifest has them."""

    stores: Sequence[str]
    files: Mapping[str, Sequence[Held]]
    left: tuple[str, ...]
    requires: Mapping[str, str]
    privacy: str | None

    def write(self, folder: Path) -> None:
        """The stores' folders below `folder`, in place of those that are there."""
        for store in self.stores:
            there, files = folder / store, {one.file: one.header + b"".join(one.lines) for one in self.files.get(store, ())}
            for name, content in files.items():
                there.mkdir(parents=True, exist_ok=True)
                (there / name).write_bytes(content)
            for old in (path for path in there.glob("*") if path.is_file() and path.name not in files):
                old.unlink()


def record(one: present.Present, stores: Sequence[str], emit: Emit) -> Recorded:
    """What the environment holds, of these stores or of all. Its services are held meanwhile. Raises GateRefused where a declared key leads
    nowhere, UsageError for a store that it does not have, and where others use its stores, too, EnvironmentFailed."""
    with ExitStack() as undo:
        environment, plan = present.rejoin(one, emit, undo)
        if target := plan.stack.shared:
            cause = f"is attached to {target.name}, which others use, too: what it holds is not this run's alone"
            raise UsageError(one.run, cause, "record from an environment of its own: --runtime docker or local")
        environment.refuse_ended()
        chosen, left = chosen_of(plan.stack, stores)
        with hold.alone(environment), hold.still(environment, [service.subject for service in start.running(environment, plan)]):
            _refuse_lost_keys(environment)
            found = _held(environment, chosen)
    before = _before(plan, chosen, emit)
    files = dict[str, list[Held]]()
    for store in chosen:
        known = {(held.kind, held.name): held for held in before[store]}
        new = [beyond(held, known.get((held.kind, held.name)), left, store) for held in found[store]]
        files[store] = [held for held in new if held.lines]
    return Recorded(
        tuple(chosen), {store: held for store, held in files.items() if held}, tuple(left), _requires(plan, files), privacy(environment)
    )


def chosen_of(stack: Stack, stores: Sequence[str]) -> tuple[list[str], list[str]]:
    """The stores that can be written as files, of `stores` or of all; and a sentence about each other one.
    Raises UsageError for one that the stack does not have, EnvironmentFailed for one that was asked for and cannot."""
    for name in stores:
        taking_part(stack, stack.stores, name, "store")
    able = {name for name, store in stack.stores.items() if isinstance(ENGINES.get(store.engine), Recordable)}
    unable = {name: f"what a store of {stack.stores[name].engine} holds cannot be written as files" for name in stack.stores.keys() - able}
    for name in stores:
        if name in unable:
            raise EnvironmentFailed(name, unable[name])
    return sorted(able & set(stores or able)), [] if stores else [f"{name}: {why}" for name, why in sorted(unable.items())]


def _held(environment: Environment, stores: Iterable[str]) -> dict[str, list[Held]]:
    contents = environment.contents()

    def of(store: str) -> list[Held]:
        engine = environment.engine(store)
        return list(engine.held(*contents[store])) if isinstance(engine, Recordable) else []

    return each(stores, of, at_once=4)


def _refuse_lost_keys(environment: Environment) -> None:
    found = list(GATES.get("references").check(environment.fitness, environment))
    if found:
        raise GateRefused.of(found)


def _before(plan: Plan, stores: Sequence[str], emit: Emit) -> dict[str, list[Held]]:
    """What migrations, lookups and settings alone leave in the stores."""
    definition = plan.definition
    servers = {plan.stack.stores[store].service for store in stores}
    part = dataclasses.replace(
        definition,
        stack=alone.of(plan.stack, sorted(servers), "a recording asks stores alone"),
        scenario=None,
        datasets=tuple(dataset for dataset in definition.datasets if dataset.upserts),
        runtime=plan.runtime,
    )
    with lifecycle.opened(decide.plan_at_rest(part), Options(), emit) as (environment, _):
        return _held(environment, stores)


# -- what is beyond ---------------------------------------------------------------------------------------------------


def beyond(held: Held, before: Held | None, left: list[str], store: str) -> Held:
    """The lines that were not there before. What was changed or removed of those goes to `left`: golden data only adds."""
    left += [f"{store}: {one}" for one in held.left]
    there = Counter(before.lines if before else ())
    new = [line for line in held.lines if not _taken(there, line)]
    gone = [line for line, count in there.items() for _ in range(count)]
    if gone and held.kind in ("table", "keys"):
        left.append(f"{store}.{held.name}: {len(gone)} of what migrations, lookups and settings put there was changed or removed since")
    changed = {key for line in gone if (key := key_of(held, line)) is not None}
    return dataclasses.replace(held, lines=tuple(line for line in new if not changed or key_of(held, line) not in changed))


def _taken(there: Counter[bytes], line: bytes) -> bool:
    if there[line]:
        there[line] -= 1
        return True
    return False


def key_of(held: Held, line: bytes) -> tuple[Any, ...] | None:
    """By which the line is recognised among others; None where it is by itself alone."""
    if held.kind == "keys":
        return (json.loads(line)["key"],)
    if not held.key or held.kind != "table":
        return None
    (names,), (values,) = (list(csv.reader([text.decode()])) for text in (held.header, line))
    return tuple(values[names.index(name)] for name in held.key)


# -- what is said of it -----------------------------------------------------------------------------------------------


def _requires(plan: Plan, files: Mapping[str, Sequence[Held]]) -> dict[str, str]:
    """The stack's version, and a revision of each store or a later one."""
    release = plan.stack.version.split(".")
    stack = f">={'.'.join(release[:2])},<{int(release[0]) + 1}" if release[0].isdigit() else plan.stack.version
    heads = {store: head(plan.fitness.revisions.get(store, ())) for store in sorted(files)}
    return {"stack": stack, **{store: f"{revision}.." for store, revision in heads.items() if revision and files[store]}}


def privacy(environment: Environment) -> str | None:
    """No better than that of the data that the environment was loaded with; of what a bundle brought nobody knows any."""
    if environment.restored:
        return LEVELS[0]
    return min((privacy_of(dataset) for dataset in environment.plan.definition.datasets), key=LEVELS.index, default=None)


def entry(name: str, kind: str, version: str, path: str, found: Recorded) -> dict[str, Any]:
    """What the manifest says of the dataset."""
    privacy = {"privacy": found.privacy} if found.privacy else {}
    return {"name": name, "kind": kind, "version": version, "path": path, "requires": dict(found.requires), **privacy}


def lines(of: Mapping[str, Any]) -> Iterator[str]:
    """The same as lines below `datasets:`."""
    for place, (key, value) in enumerate(of.items()):
        yield f"  {'-' if place == 0 else ' '} {key}: {value if _plain(value) else json.dumps(value, ensure_ascii=False)}"


def _plain(value: Any) -> bool:
    """Whether YAML reads it without quotes as the text that it is."""
    return isinstance(value, str) and bool(_WORD.fullmatch(value)) and bool(yaml.safe_load(value) == value)
