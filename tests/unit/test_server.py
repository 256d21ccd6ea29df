"""The process that brings up a server for all tests of one invocation."""

from __future__ import annotations

import json
from pathlib import Path

from seeder import process
from seeder.definition.request import Request
from seeder.testing.server import LOG, WRONG, Wanted, _begin


def test_one_that_began_while_another_failed_does_not_try_again(tmp_path: Path) -> None:
    """Two may begin it at once; the second waits for the lock, and finds what the first wrote."""
    told = json.dumps({"problems": [], "log": "of the first"})
    (tmp_path / WRONG).write_text(told, encoding="utf-8")
    child = _begin(tmp_path, Wanted(tmp_path / "no project", Request(), "db"))
    try:
        assert child.wait(30) == 0, (tmp_path / LOG).read_text(encoding="utf-8")
    finally:
        process.kill_group(child)
    assert (tmp_path / WRONG).read_text(encoding="utf-8") == told
