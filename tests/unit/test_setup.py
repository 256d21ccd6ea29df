"""The scripts' virtual environment may be anywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("absolute", [True, False])
def test_what_is_installed_is_found_wherever_the_virtual_environment_is(tmp_path, absolute):
    programs = tmp_path / "venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("python", "seeder"):  # installs nothing
        (programs / name).write_text("#!/bin/sh\nexit 0\n")
        (programs / name).chmod(0o755)
    venv = str(programs.parent) if absolute else os.path.relpath(programs.parent, ROOT)
    environment = {**os.environ, "PYTHON": sys.executable, "VENV": venv}
    words = ["bash", "-euc", ". ci/_setup; setup dev; command -v seeder", "ci/test"]
    said = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == str(programs / "seeder")
