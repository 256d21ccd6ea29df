"""Packages that only some uses need: imported when they are, and named when they are not there."""

from __future__ import annotations

import importlib
from typing import Any

from seeder.errors import EnvironmentFailed


def needed(module: str, extra: str, subject: str) -> Any:
    """The module of a package that the extra brings. Raises EnvironmentFailed with what to install."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        cause = f"seeder's extra `{extra}` is not installed: there is no package {error.name}"
        raise EnvironmentFailed(subject, cause, f"pip install 'seeder-env[{extra}]'") from error
