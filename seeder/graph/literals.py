"""Keys that are written where a generated one belongs: what a service numbers is another number once anything before it changes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from seeder.definition.dataset import Dataset
from seeder.definition.references import references
from seeder.definition.scenario import Scenario
from seeder.errors import Problem
from seeder.passed.capability import Capability
from seeder.promises import shape

ID: Final = "_id"  # the end of an input's name that says of what it wants the id
MADE: Final = ("golden", "fixture")  # kinds of datasets whose rows have keys that are known


def in_steps(scenario: Scenario, datasets: Iterable[Dataset], known: Mapping[str, Capability]) -> Iterator[Problem]:
    """Steps that are given a literal id of something that a capability makes, though no dataset of the scenario can hold that."""
    if any(dataset.kind in MADE or dataset.seed for dataset in datasets):
        return
    givers = _givers(known)
    for key, step in scenario.keyed:
        for name, value in step.given.items():
            giver = givers.get(name.removesuffix(ID)) if name.endswith(ID) else None
            if giver and isinstance(value, str | int) and not list(references(value)):
                cause = f"{value!r} is written where an id is wanted, and no dataset of the scenario can hold it"
                remedy = f"let a step make it ({giver}), and refer to that: ${{STEP.id}}"
                yield Problem(f"{key}.{step.name}.with.{name}", cause, remedy, step.place("with", name))


def _givers(known: Mapping[str, Capability]) -> dict[str, str]:
    """What is made -> the first capability that gives an id and is named after it: `customer` -> customers.create."""
    found: dict[str, str] = {}
    for name, one in sorted(known.items()):
        if "id" in (shape.names(one.outputs) or ()):
            for word in re.split(r"[._]", name):
                found.setdefault(word.removesuffix("s"), name)
    return found
