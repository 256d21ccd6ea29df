"""Definition + what exists -> the plan of a run: on this machine, now, from layers or from a bundle. Starts nothing."""

from __future__ import annotations

import datetime

from seeder.definition.request import Definition
from seeder.errors import DefinitionError
from seeder.evidence.bundle import Bundle
from seeder.passed.operation import Plan
from seeder.plan import at_rest, choose, make
from seeder.planning import restoration
from seeder.reuse import cache


def plan(definition: Definition) -> Plan:
    """What would be done. Raises DefinitionError with all that forbids it."""
    return cache.begin(_whole(definition))


def plan_at_rest(definition: Definition) -> Plan:
    """The same without all that comes after the data at rest."""
    return cache.begin(at_rest(_whole(definition)))


def plan_back(definition: Definition, bundle: Bundle) -> Plan:
    """The same to bring back what a bundle holds. Raises DefinitionError also when that is not what this stack's stores would take."""
    if target := definition.stack.shared:
        cause = f"would replace what target {target.name} holds, which others use, too"
        raise DefinitionError(str(bundle.path), cause, "bring it back in an environment of its own: --runtime docker or local")
    return restoration.of(_whole(definition), bundle)


def _whole(definition: Definition) -> Plan:
    runtime, cause = choose(definition.runtime)
    return make(definition, runtime, cause, datetime.datetime.now(datetime.UTC))
