"""seeder gives every test run its own complete, correct world: from a compose file it starts an isolated stack, migrates every
store, loads data that is coherent across services, checks it, runs the command, and leaves nothing behind.

The flow, in nine words; `lifecycle.py` is the page that tells it:

    definition -> plan -> up -> migrate -> load -> gate -> fault -> snapshot -> teardown
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seeder.release import VERSION

if TYPE_CHECKING:
    from seeder.session import Session, Sql, up
    from seeder.testing.database import Database

__all__ = ["Database", "Session", "Sql", "up"]
__version__ = VERSION


def __getattr__(name: str) -> Any:
    """Public names are brought when they are asked for: the command line does without them."""
    if name == "Database":
        from seeder.testing.database import Database

        return Database
    if name in __all__:
        from seeder import session

        return getattr(session, name)
    raise AttributeError(f"module 'seeder' has no attribute {name!r}")
