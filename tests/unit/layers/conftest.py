"""A copy of the small project."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.conftest import DATA


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return shutil.copytree(DATA / "small", tmp_path / "small")
