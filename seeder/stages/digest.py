"""Tell what the stores hold now that everything is done in them, so that the same is known again."""

from __future__ import annotations

from collections.abc import Mapping

from seeder.environment import Environment
from seeder.events import Digested, Noticed
from seeder.evidence import digest
from seeder.passed.content import StoreDigest
from seeder.passed.operation import Plan


def stores(environment: Environment, plan: Plan) -> None:
    """The digest of every store is told; of an environment that came from a bundle also which stores differ from it."""
    total, found = digest.of(environment.contents())
    environment.emit(Digested(total, {name: one.digest for name, one in found.items()}, _differing(environment, plan, found)))


def _differing(environment: Environment, plan: Plan, found: Mapping[str, StoreDigest]) -> list[str] | None:
    """The stores that now, with all services up, hold something else than when they were saved; each is told."""
    if not plan.restores:
        return None
    wanted = {one.subject: one.digest for one in plan.restores if one.digest and one.subject in found}
    names = [name for name, digest in sorted(wanted.items()) if found[name].digest != digest]
    for name in names:
        cause = "holds something else than when it was saved: services went on with it as they started, or other columns are volatile"
        environment.emit(Noticed(name, cause))
    return names
