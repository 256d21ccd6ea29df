"""The docker runtime keeps the runtimes' contract."""

from __future__ import annotations

import pytest

from tests.contract.runtime_contract import RuntimeContract


@pytest.mark.docker
class TestDocker(RuntimeContract):
    name = "docker"
