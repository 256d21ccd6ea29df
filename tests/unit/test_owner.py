"""Which runs there are, as their claims tell."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from seeder import owner
from seeder.machine import home
from seeder.passed.run import Run


def test_a_run_that_is_being_removed_is_found_as_a_fragment_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(home.VARIABLE, str(tmp_path / "home"))
    now = datetime.datetime.now(datetime.UTC)
    for name in ("e-staying", "e-going"):
        owner.claim(Run(name, "small", "small", "local", home.run_folder(name), tmp_path, now, 42, now + datetime.timedelta(hours=1)))
    home.run_folder("e-going").rename(home.runs() / ".e-going.gone")  # as `discard` does it first
    assert [claim.run for claim in owner.claims()] == ["e-staying"]
    assert owner.fragments(now) == ["e-going"]
