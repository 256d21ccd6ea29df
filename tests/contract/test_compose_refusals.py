"""What compose refuses is refused, with the line where it stands.

Each file of tests/contract/refused holds one mistake; places.txt says in which line, and what the problem is about.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from seeder.definition.compose import read_stack
from seeder.definition.manifest import StackEntry
from seeder.errors import DefinitionError
from seeder.registry import traits

FOLDER = Path(__file__).parent / "refused"
PLACES = [line.split(maxsplit=2) for line in (FOLDER / "places.txt").read_text().splitlines()]
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}


@pytest.mark.parametrize(("name", "line", "subject"), PLACES, ids=[place[0] for place in PLACES])
def test_a_mistake_is_reported_where_it_stands(name: str, line: str, subject: str, tmp_path: Path) -> None:
    """Subject and line of the problem are those of places.txt."""
    file = shutil.copy(FOLDER / f"{name}.yaml", tmp_path / "compose.yaml")
    with pytest.raises(DefinitionError) as refused:
        read_stack(StackEntry("case", "1", (file,)), engines=traits(), environment=ENVIRONMENT)
    found = {(problem.subject, problem.mark and f"{problem.mark.line}:") for problem in refused.value.problems}
    assert (subject, line) in found


@pytest.mark.docker
@pytest.mark.parametrize("name", [place[0] for place in PLACES])
def test_compose_refuses_it_too(name: str, tmp_path: Path) -> None:
    """No mistake of the list is one for seeder alone."""
    file = shutil.copy(FOLDER / f"{name}.yaml", tmp_path / "compose.yaml")
    answer = subprocess.run(
        ["docker", "compose", "-f", str(file), "config", "--quiet"], capture_output=True, text=True, env=ENVIRONMENT, check=False
    )
    assert answer.returncode != 0, name
