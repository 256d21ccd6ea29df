"""Every server answers and every service is as ready as the stack asks for, at the moment before the test."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Final

from seeder import order
from seeder.environment import ended
from seeder.errors import EnvironmentFailed, Problem
from seeder.passed.fitness import Fitness
from seeder.protocols import World
from seeder.wait import READY, Verdict, wait_for

_WITHIN: Final = 15.0  # seconds: they were ready once; a healthcheck may blink, and several environments may share a machine
_SHARED: Final = 30.0  # the same in a system that others use, too, and maybe much: nobody waited for it before


class Ready:
    name = "ready"

    def check(self, fitness: Fitness, world: World) -> Iterable[Problem]:  # noqa: ARG002  (looks at the world alone)
        """One finding per store or service that is not ready within fifteen seconds (thirty in a shared system), with what was seen of it.
        One that has ended since it was started raises EnvironmentFailed with its last lines, as one does that ends while it is waited
        for."""
        looks = {name: partial(_probe, world, name) for name in sorted(world.stack.stores)}
        looks |= {name: partial(_look, world, name) for name in sorted(world.stack.clients)}
        within = _SHARED if world.stack.shared else _WITHIN
        found = order.each(looks, lambda name: _wait(name, looks[name], within))
        return [problem for problem in found.values() if problem]


def _wait(name: str, look: partial[Verdict], within: float) -> Problem | None:
    last = READY

    def seen() -> Verdict:
        nonlocal last
        last = look()
        return last

    try:
        wait_for(name, seen, within=within, if_never=f"see what it says: `seeder logs {name}`, or logs/{name}.log in the evidence")
    except EnvironmentFailed as error:
        if last.state == "never":
            raise
        return Problem(name, error.problems[0].cause, error.problems[0].remedy or "see its log")
    return None


def _probe(world: World, store: str) -> Verdict:
    """What has ended is told as that, not by a connection that nobody takes."""
    return ended(world, world.stack.stores[store].service) or world.engine(store).probe(world.target(store))


def _look(world: World, service: str) -> Verdict:
    """A one-shot must have completed; what is healthy no longer may be one that nobody waits for, unless others reach it."""
    if service in world.stack.one_shots:
        return world.look(service, "completed")
    if how := ended(world, service):
        return how
    verdict = world.look(service, "healthy")
    return READY if verdict.state == "never" and world.look(service, "completed").state == "ready" else verdict
