"""The digest of an environment: recomputed from the live stores, never from what was written down."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from seeder.order import each
from seeder.passed.content import StoreDigest
from seeder.passed.target import Target
from seeder.protocols import Digests
from seeder.registry import ENGINES


def of(targets: Mapping[str, tuple[Target, Sequence[str]]]) -> tuple[str, dict[str, StoreDigest]]:
    """Store -> (target, volatile columns) in; the digest over all stores and each store's own out. Stores whose engine has
    no digest are left out."""
    able = {name: given for name, given in sorted(targets.items()) if isinstance(ENGINES.get(given[0].engine), Digests)}
    stores = each(able, lambda name: _one(*able[name]), at_once=4)
    text = "".join(f"{name} {digest.digest}\n" for name, digest in stores.items())
    return hashlib.sha256(text.encode()).hexdigest(), stores


def _one(target: Target, volatile: Sequence[str]) -> StoreDigest:
    engine = ENGINES.get(target.engine)
    if not isinstance(engine, Digests):
        raise TypeError(f"{engine.name} has no digest")
    return engine.digest(target, volatile)
