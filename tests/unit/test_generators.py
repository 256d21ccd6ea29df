"""Where generators come from: each stack has its own files, whatever they are called."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from seeder.definition.stack import Stack
from seeder.errors import DefinitionError
from seeder.generators import found
from tests.conftest import DATA
from tests.fakes.world import read

FILE = """
from common import NAME

from seeder import generator


@generator("notes.write", version=NAME, owner="a-team")
def write(ctx) -> str:
    return NAME
"""


def stack(folder: Path, **files: str) -> Stack:
    (folder / "generators").mkdir(parents=True)
    for name, text in files.items():
        (folder / f"generators/{name}.py").write_text(text)
    return replace(read(DATA / "small/compose.yaml"), project_dir=folder)


def test_what_stands_beside_a_generator_is_its_own_stack_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a test has a module of that name, which it keeps."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "common.py").write_text("NAME = 'of the test'")
    monkeypatch.syspath_prepend(str(own))
    import common  # type: ignore[import-not-found]

    monkeypatch.setitem(sys.modules, "common", common)
    for name in ("one", "two"):
        offered = found.of(stack(tmp_path / name, common=f"NAME = '{name}'", notes=FILE))
        assert offered["notes.write"].capability.version == name
        assert offered["notes.write"](None) == name
    assert sys.modules["common"] is common
    assert "notes" not in sys.modules


def test_files_of_one_stack_share_what_stands_beside_them(tmp_path: Path) -> None:
    one = "import common\nfrom seeder import generator\n\n\n@generator('{0}.a', version='1', owner='t')\n"
    one += "def a(ctx) -> int:\n    return common.COUNT.append(1) or len(common.COUNT)\n"
    offered = found.of(stack(tmp_path, common="COUNT = []", first=one.format("first"), second=one.format("second")))
    assert (offered["first.a"](None), offered["second.a"](None)) == (1, 2)


def test_an_edited_file_is_read_anew_in_the_same_process(tmp_path: Path) -> None:
    """What is kept is known by the files as they are: what made it must not be what they were."""
    of = stack(tmp_path, common="NAME = 'one'", notes=FILE)
    assert found.of(of)["notes.write"](None) == "one"
    (tmp_path / "generators/common.py").write_text("NAME = 'another'")
    offered = found.of(of)
    assert (offered["notes.write"](None), offered["notes.write"].capability.version) == ("another", "another")


def test_a_broken_file_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError) as raised:
        found.of(stack(tmp_path, broken="import nothing_of_this_name\n", notes="x = 1 +\n"))
    told = {problem.subject: problem for problem in raised.value.problems}
    assert sorted(told) == ["broken.py", "notes.py"]
    assert all(problem.remedy and problem.mark and problem.mark.line == 1 for problem in told.values())


def test_a_file_that_ends_the_program_is_told_as_any_other_mistake(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="SystemExit"):
        found.of(stack(tmp_path, bad="import sys\nsys.exit(0)\n"))
