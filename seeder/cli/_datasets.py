"""Which datasets a command means."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seeder.definition.dataset import Dataset
    from seeder.definition.manifest import Manifest


def chosen(manifest: Manifest, names: Iterable[str]) -> list[Dataset]:
    """The datasets that are named, each version that fits; all without names."""
    from seeder.definition.version import matches
    from seeder.errors import UsageError, nearest

    every = [dataset for _, versions in sorted(manifest.datasets.items()) for dataset in versions]
    found: list[Dataset] = []
    for name in names:
        wanted, _, version = name.partition("@")
        fitting = [d for d in every if d.name == wanted and matches(d.version, version or None)]
        if not fitting:
            same = [d.label for d in every if d.name == wanted]
            remedy = f"known: {', '.join(same)}" if same else nearest(wanted, sorted(manifest.datasets))
            raise UsageError(name, "there is no such dataset", remedy)
        found += [d for d in fitting if d not in found]
    return found if names else every
