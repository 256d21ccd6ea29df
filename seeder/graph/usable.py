"""What steps of a scenario may ask for: capabilities, and the states of the scenarios that it uses, each with what it takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from seeder.definition.inputs import Input
from seeder.definition.references import only, references
from seeder.definition.scenario import Scenario
from seeder.definition.step import USED, Step
from seeder.passed.capability import Capability
from seeder.promises import shape
from seeder.promises.shape import Nowhere, Shape

Capabilities = Mapping[str, Capability]
ACTED: Final = "x-acted"  # in the shape of what a scenario gives: output -> the steps of `act` on which it hangs
PUBLISHED: Final = {"id": {"type": "string"}, "subject": {"type": "string"}, "headers": {"type": "object"}}
LIMITS: Final = ("minimum", "maximum", "pattern")  # of an input, as JSON Schema calls them


def usable(scenario: Scenario, known: Mapping[str, Capability]) -> dict[str, Capability]:
    """By what steps name them; a scenario with what its `outputs` tell once its `steps` are done: what it acts is not a part of it."""
    found = dict(known)
    for one in scenario.closure()[:-1]:
        found[USED + one.name] = _state(one, found)
    return found


def _state(scenario: Scenario, known: Mapping[str, Capability]) -> Capability:
    results = shapes(replace(scenario, act=()), known)
    names = {step.name for step in scenario.act}
    acted = {name: sorted(names & {one.root for one in references(value)}) for name, value in scenario.outputs.items()}
    takes = {one.name: _of_input(one, whole=True) for one in scenario.inputs}
    needed = [one.name for one in scenario.inputs if one.required]
    gives = {name: _of_value(value, results) for name, value in scenario.outputs.items() if not acted[name]}
    inputs, outputs = {**_object(takes), "required": needed}, {**_object(gives), ACTED: acted}
    return Capability(USED + scenario.name, scenario.version, scenario.owner or "", inputs, outputs, scenario.mark)


def _object(properties: Mapping[str, Shape]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "additionalProperties": False}


def shapes(scenario: Scenario, known: Mapping[str, Capability]) -> dict[str, Shape]:
    """Root of references in the scenario -> what it holds."""
    found: dict[str, Shape] = {"inputs": _object({one.name: _of_input(one) for one in scenario.inputs})}
    found |= {step.name: _of_step(step, known) for step in scenario.every}
    return found


def _of_step(step: Step, known: Mapping[str, Capability]) -> Shape:
    if step.events:
        return _object(of_events(step))
    one = known[step.use].outputs if step.use in known else shape.ANY
    return {"type": "array", "items": one, "$defs": one.get("$defs", {}), **_times(step)} if step.many else one


def _times(step: Step) -> dict[str, int]:
    """How many members its result has, as JSON Schema says it, where the file tells."""
    members = 1 if step.each is None else len(step.each) if isinstance(step.each, list) else None
    times = 1 if step.count is None else step.count
    return {"maxItems": members * times} if members is not None and isinstance(times, int) else {}


def of_events(step: Step) -> dict[str, Shape]:
    """Event -> what is known of it once it is published."""
    return {event.name: _object({**PUBLISHED, "payload": event.type.payload if event.type else shape.ANY}) for event in step.events}


def _of_input(one: Input, *, whole: bool = False) -> Shape:
    """`whole`: with its limits, which a literal is held to."""
    if one.enum:
        return {"enum": list(one.enum)}
    known = {name: getattr(one, name) for name in LIMITS if whole and getattr(one, name) is not None}
    limits = {name: int(limit) if isinstance(limit, float) and limit.is_integer() else limit for name, limit in known.items()}
    return {"type": one.type, **limits}


def _of_value(value: Any, results: Mapping[str, Shape]) -> Shape:
    if reference := only(value):
        try:
            return shape.at(results.get(reference.root, shape.ANY), reference.way)
        except Nowhere:
            return shape.ANY
    if isinstance(value, str):
        return {"type": "string"}
    return shape.ANY if list(references(value)) else {"const": value}
