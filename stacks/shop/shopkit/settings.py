"""Settings come from the environment alone; a missing one stops the service at start with its name."""

from __future__ import annotations

import os


class MissingSetting(RuntimeError):
    """A setting without a default is not in the environment."""


def setting(name: str, default: str | None = None) -> str:
    """The value of `name`; an empty value counts as unset."""
    value = os.environ.get(name) or default
    if value is None:
        raise MissingSetting(f"{name} is not set; the service cannot start without it")
    return value


def seconds(name: str, default: float) -> float:
    return float(setting(name, str(default)))
