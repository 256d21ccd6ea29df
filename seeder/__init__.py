"""seeder gives every test run its own complete, correct world: from a compose file it starts an isolated stack, migrates every
store, loads data that is coherent across services, checks it, runs the command, and leaves nothing behind.

The flow, in nine words; `lifecycle.py` is the page that tells it:

    definition -> plan -> up -> migrate -> load -> gate -> fault -> snapshot -> teardown
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from seeder.release import VERSION

if TYPE_CHECKING:
    from seeder.generators.context import Context
    from seeder.generators.python import generator
    from seeder.handles.sql import Sql
    from seeder.handles.stub import Stub
    from seeder.passed.outcome import DependencyFailed, Never, TryAgain
    from seeder.session import Session, up
    from seeder.testing.database import Database

__all__ = ["Context", "Database", "DependencyFailed", "Never", "Session", "Sql", "Stub", "TryAgain", "generator", "up"]
__version__ = VERSION


_HOMES = {
    "Context": "seeder.generators.context",
    "Database": "seeder.testing.database",
    "DependencyFailed": "seeder.passed.outcome",
    "Never": "seeder.passed.outcome",
    "Session": "seeder.session",
    "Sql": "seeder.handles.sql",
    "Stub": "seeder.handles.stub",
    "TryAgain": "seeder.passed.outcome",
    "generator": "seeder.generators.python",
    "up": "seeder.session",
}


def __getattr__(name: str) -> Any:
    """Public names are brought when they are asked for: the command line does without them."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'seeder' has no attribute {name!r}")
