"""What may go wrong with a sequence of events on its way to those that consume it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from seeder.definition.expectation import Expectation
from seeder.definition.references import references
from seeder.definition.scenario import Scenario
from seeder.definition.scope import needs
from seeder.definition.step import Step
from seeder.definition.variant import MUTATIONS, WHOLE, Mutation
from seeder.errors import UsageError
from seeder.frozen import frozen
from seeder.order import closure
from seeder.passed.content import Post
from seeder.passed.operation import EXPECT, Make, Plan

Batches = list[list[Post]]  # consumers come to rest between one and the next


@frozen
class Variant:
    """A sequence with one thing wrong: what, and with which of its events (empty: with all of it)."""

    mutation: Mutation
    event: str = ""

    def __str__(self) -> str:
        return f"{self.mutation.replace('_', ' ')} {self.event}".rstrip()


def variants(sequences: Iterable[Sequence[str]], wanted: Iterable[Mutation] = MUTATIONS) -> Iterator[Variant]:
    """Each of the mutations, of each event that it can befall: each step publishes a sequence of its own."""
    sequences = list(sequences)
    for mutation in wanted:
        if mutation in WHOLE:
            yield Variant(mutation)
        else:
            yield from (Variant(mutation, name) for names in sequences for name in (names[:-1] if mutation == "out_of_order" else names))


def mutated(posts: Mapping[str, Post], variant: Variant) -> Batches:
    """What is published of the sequence, in order. `missing`: not the event; `duplicated`: it twice, with the same id; `out_of_order`:
    it after the one that follows it; `late`: it once consumers have seen all others; `malformed`: half of its bytes; `replayed`: all of
    them twice, the second time once consumers have seen the first."""
    names, event = list(posts), variant.event
    match variant.mutation:
        case "missing":
            return [[posts[name] for name in names if name != event]]
        case "duplicated":
            return [[posts[name] for one in names for name in ([one, one] if one == event else [one])]]
        case "out_of_order":
            place = names.index(event)
            names[place : place + 2] = reversed(names[place : place + 2])
            return [[posts[name] for name in names]]
        case "late":
            return [[posts[name] for name in names if name != event], [posts[event]]]
        case "malformed":
            half = posts[event].payload[: len(posts[event].payload) // 2]
            return [[replace(post, payload=half) if name == event else post for name, post in posts.items()]]
        case "replayed":
            return [list(posts.values()), list(posts.values())]


def expected(scenario: Scenario, variant: Variant) -> tuple[Expectation, ...]:
    """What the scenario says of this event, else of this mutation; where it says nothing, consumers bear it."""
    mutation, said = variant.mutation, scenario.variants
    return next((said[key] for key in ((mutation, variant.event), (mutation, "")) if key in said), scenario.expect)


# -- the plan of an environment in which they are tried ---------------------------------------------------------------


def base(plan: Plan) -> Plan:
    """The plan up to the first events: what of `act` does not hang on any. Raises UsageError where there are none, where two have one
    name, by which variants are told, or where nobody could take their consequences back."""
    if plan.stack.shared:
        cause = f"takes stores back between variants, and target {plan.stack.shared.name} is shared"
        raise UsageError("--events", cause, "leave out --target")
    scenario = plan.definition.scenario
    if scenario is None or not events(plan):
        raise UsageError("--events", "no step of `act` publishes events", "name a scenario that acts by events")
    if twice := [name for name, steps in _publishers(plan).items() if len(steps) > 1]:
        cause = f"steps {' and '.join(_publishers(plan)[twice[0]])} both publish an event called {twice[0]}"
        raise UsageError("--events", cause, "give one of them another name: variants are told by it", scenario.place("act"))
    return _without(plan, _after_events(plan))


def events(plan: Plan) -> list[Make]:
    """The steps that publish, in an order in which they may be done; not those that refer to what is done only once consumers have acted:
    that may never come."""
    hanging = _after_events(plan) - {one.step.name for one in plan.acts if one.step.events}
    return [one for one in plan.acts if one.step.events and not _given(one.step) & hanging]


def _publishers(plan: Plan) -> dict[str, list[str]]:
    """Event -> the steps that publish one of the name."""
    found: dict[str, list[str]] = {}
    for one in events(plan):
        for event in one.step.events:
            found.setdefault(event.name, []).append(one.step.name)
    return found


def rest(plan: Plan) -> list[Make]:
    """What of `act` the base leaves out."""
    hanging = _after_events(plan)
    return [one for one in plan.acts if one.step.name in hanging]


def _after_events(plan: Plan) -> set[str]:
    """The steps of `act` that publish, and all that come after one."""
    after: dict[str, set[str]] = {}
    for one in plan.acts:
        for before in needs(one.step):
            after.setdefault(before, set()).add(one.step.name)
    return closure((one.step.name for one in plan.acts if one.step.events), lambda name: after.get(name, ()))


def _given(step: Step) -> set[str]:
    """The steps whose results it is given."""
    roots = {one.root for one in references([value for _, value in step.parts()])} - step.own
    return step.scope.reached(roots) if step.scope else roots


def _without(plan: Plan, names: set[str]) -> Plan:
    scenario = plan.definition.scenario
    act = tuple(step for step in scenario.act if step.name not in names) if scenario else ()
    definition = replace(plan.definition, scenario=replace(scenario, act=act, expect=(), outputs={}) if scenario else None)
    return replace(
        plan,
        definition=definition,
        acts=tuple(one for one in plan.acts if one.step.name not in names),
        gates=tuple(check for check in plan.gates if check.gate != EXPECT),
        expected=(),
        full=_without(plan.full, names) if plan.full else None,
    )
