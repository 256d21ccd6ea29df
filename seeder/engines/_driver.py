"""The Python package that speaks to a store: imported when it is needed, as it comes with an extra."""

from __future__ import annotations

import importlib
from typing import Any

from seeder.errors import DefinitionError


def module(engine: str, name: str) -> Any:
    """The driver's module. Raises DefinitionError with the extra to install."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise DefinitionError(engine, f"its driver {name} is not installed", f"pip install 'seeder-env[{engine}]'") from error
