"""What capabilities promised when they were last locked: a file beside the generators, and what became of it since."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal

from seeder.definition.extension import Strict
from seeder.definition.fields import VersionText
from seeder.definition.references import references
from seeder.definition.scenario import Scenario
from seeder.definition.stack import Stack
from seeder.definition.step import Step
from seeder.definition.validation import validated
from seeder.definition.yaml import load
from seeder.errors import Collector, Problem
from seeder.frozen import frozen
from seeder.machine import atomic
from seeder.passed.capability import OURS, Capability
from seeder.promises import shape
from seeder.promises.compatibility import Change, changes, promised

FILE: Final = "generators.lock"
AGAIN: Final = "seeder generator lock"
Capabilities = Mapping[str, Capability]


class _Item(Strict):
    """What a capability promised."""

    version: VersionText
    owner: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]


class _File(Strict):
    """What the capabilities of a stack promised when they were last locked."""

    format: Literal["1"]
    capabilities: dict[str, _Item]


@frozen
class Changed:
    """What became of one capability; `now` is None where it is gone."""

    before: Capability
    now: Capability | None
    changes: tuple[Change, ...]

    @property
    def breaking(self) -> bool:
        return self.now is None or any(one.breaking for one in self.changes)


def path_of(stack: Stack) -> Path:
    return stack.project_dir / FILE


def promises(known: Capabilities) -> dict[str, Capability]:
    """What teams promise; what comes with seeder changes with it."""
    return {name: one for name, one in known.items() if one.owner != OURS}


def write(stack: Stack, known: Capabilities) -> Path:
    """Lock what the stack's capabilities promise now, and answer the file."""
    found = {name: _promise(one) for name, one in sorted(promises(known).items())}
    atomic.write(path_of(stack), json.dumps({"format": "1", "capabilities": found}, indent=1, ensure_ascii=False) + "\n")
    path_of(stack).chmod(0o644)
    return path_of(stack)


def _promise(one: Capability) -> dict[str, Any]:
    return {"version": one.version, "owner": one.owner, "inputs": promised(one.inputs), "outputs": promised(one.outputs)}


def read(stack: Stack) -> dict[str, Capability] | None:
    """What was locked; None where nothing was. Raises DefinitionError with all that is wrong with the file."""
    path = path_of(stack)
    if not path.is_file():
        return None
    document, problems = load(path), Collector()
    file = validated(_File, document.data, problems, mark=document.mark())
    problems.raise_if_any()
    return {
        name: Capability(name, one.version, one.owner, one.inputs, one.outputs, document.mark(("capabilities", name)))
        for name, one in (file.capabilities.items() if file else ())
    }


def compare(locked: Capabilities, known: Capabilities) -> list[Changed]:
    """What became of those that were locked, where something did."""
    found = [(one, known.get(name)) for name, one in sorted(locked.items())]
    each = [Changed(before, now, tuple(changes(before, now)) if now else ()) for before, now in found]
    return [one for one in each if one.now is None or one.changes]


def unlocked(locked: Capabilities, known: Capabilities) -> list[str]:
    return sorted(set(promises(known)) - set(locked))


def problems(changed: Changed, scenarios: Iterable[Scenario]) -> Iterator[Problem]:
    """What is broken, of whom, and what that means for the scenarios."""
    before, now, asking = changed.before, changed.now, list(scenarios)
    mend = f"keep what was promised; if it is meant: another major version, and `{AGAIN}`"
    if now is None:
        cause = f"{before.owner} does not offer it any more{_broken(_users(before.name, asking))}"
        yield Problem(before.name, cause, f"keep it; if it is meant: `{AGAIN}`", before.mark)
        return
    for one in changed.changes:
        if one.breaking:
            cause = f"changed by {now.owner} since it was locked: {one.said}{_broken(list(_hit(one, now, asking)))}"
            yield Problem(before.name, cause, mend, now.mark)


def hint(changed: Changed) -> Problem | None:
    """What is compatible, and not locked yet. What is broken beside it is to be mended first."""
    said = [one.said for one in changed.changes if not one.breaking]
    if not said or changed.now is None:
        return None
    remedy = "" if changed.breaking else AGAIN
    return Problem(changed.before.name, f"changed since it was locked: {'; '.join(said)}", remedy, changed.now.mark)


def _broken(places: list[str]) -> str:
    return f"; it breaks {', '.join(places)}" if places else "; no scenario of this project is broken by it"


def _users(name: str, scenarios: Iterable[Scenario]) -> list[str]:
    return [place for place, _, _ in _uses(name, scenarios)]


def _uses(name: str, scenarios: Iterable[Scenario]) -> Iterator[tuple[str, Scenario, Step]]:
    for scenario in scenarios:
        for key, steps in scenario.lists.items():
            yield from ((f"{scenario.name} ({key}.{step.name})", scenario, step) for step in steps if step.use == name)


def _hit(change: Change, now: Capability, scenarios: Iterable[Scenario]) -> Iterator[str]:
    """The steps that a breaking change does not leave as they were."""
    for place, scenario, step in _uses(now.name, scenarios):
        match change.about:
            case "version":
                hit = True
            case "output":
                hit = _read(change.name, step, scenario)
            case "needed":
                hit = change.name not in step.given
            case "input":
                hit = change.name in step.given and _refused(change.name, step, now)
        if hit:
            yield place


def _refused(name: str, step: Step, now: Capability) -> bool:
    """Whether the capability does not take what the step gives it for the input."""
    wanted = shape.resolved(now.inputs)
    value: Any = step.given[name]
    if name not in wanted.get("properties", {}) or list(references(value)):
        return True  # what a reference comes to only a run tells
    return any(shape.mistakes(value, shape.at(wanted, (name,))))


def _read(name: str, step: Step, scenario: Scenario) -> bool:
    """Whether somebody refers to the output of the step, or to all of them."""
    written = [*(other.references() for other in scenario.every), references([value for _, value, _ in scenario.told])]
    ways = [reference.way for found in written for reference in found if reference.root == step.name]
    return any(not name or next((part for part in way if isinstance(part, str) and part != "*"), name) == name for way in ways)
