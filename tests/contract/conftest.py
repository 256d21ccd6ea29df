"""What the contract suites share."""

from __future__ import annotations

import pytest

from tests.scenarios.cases import EVERY


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is marked `one_runtime` stays on the runtime that needs no Docker, unless every case is asked for."""
    if EVERY:
        return
    away = [item for item in items if item.get_closest_marker("one_runtime") and item.get_closest_marker("docker")]
    config.hook.pytest_deselected(items=away)
    items[:] = [item for item in items if item not in away]
