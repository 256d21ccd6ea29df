"""Several runs one after the other, and which scenarios they are of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seeder.definition.manifest import Manifest
    from seeder.evidence.story import Result
    from seeder.passed.operation import Plan
    from seeder.passed.options import Options


def one_by_one(plans: Iterable[Plan], options: Options, *, quiet: bool) -> list[Result]:
    """How each ended, told as it ends. A signal ends them all."""
    from seeder import lifecycle
    from seeder.cli import _render, _summary

    results = []
    for plan in plans:
        if not quiet:
            _render.beginning(plan)
        result = lifecycle.run(plan, options, _render.listener(quiet=quiet))
        _render.closing(result, quiet=quiet)
        _summary.append(result)
        results.append(result)
        if result.ended_by == "signal":
            break
    return results


def code(results: Sequence[Result]) -> int:
    """The first that is not 0, or 0."""
    return next((result.code for result in results if result.code), 0)


def tagged(manifest: Manifest, tag: str, option: str) -> list[str]:
    """The scenarios with this tag. Raises UsageError where there is none, DefinitionError for files of which it cannot be told."""
    from seeder.errors import DefinitionError, UsageError, nearest

    scenarios = manifest.scenarios
    if unknown := [problem for scenario in scenarios.values() if not scenario.tags for problem in scenario.problems]:
        raise DefinitionError.of(unknown)  # it may have the tag
    found = sorted(name for name, scenario in scenarios.items() if tag in scenario.tags)
    if not found:
        known = sorted({t for scenario in scenarios.values() for t in scenario.tags})
        raise UsageError(f"{option} {tag}", "no scenario has this tag", nearest(tag, known))
    return found
