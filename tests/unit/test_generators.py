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
    for name in ("1", "2"):
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
    of = stack(tmp_path, common="NAME = '1'", notes=FILE)
    assert found.of(of)["notes.write"](None) == "1"
    (tmp_path / "generators/common.py").write_text("NAME = '1.5'")
    offered = found.of(of)
    assert (offered["notes.write"](None), offered["notes.write"].capability.version) == ("1.5", "1.5")


def test_a_broken_file_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError) as raised:
        found.of(stack(tmp_path, broken="import nothing_of_this_name\n", notes="x = 1 +\n"))
    told = {problem.subject: problem for problem in raised.value.problems}
    assert sorted(told) == ["broken.py", "notes.py"]
    assert all(problem.remedy and problem.mark and problem.mark.line == 1 for problem in told.values())


def test_a_file_that_ends_the_program_is_told_as_any_other_mistake(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="SystemExit"):
        found.of(stack(tmp_path, bad="import sys\nsys.exit(0)\n"))


WRONG = {
    'name="notes"': "'notes' is no name of a capability; write DOMAIN.WHAT_IT_DOES",
    'version="first"': "'first' is not a version",
    "version=1": "version is a text, and 1 is none",
    'owner=""': "owner is a text, and '' is none",
    'origin="service"': "origin is one of services, inserted, and not 'service'",
    'find="email"': "find is a function, and 'email' is none",
    'undo="never"': "undo is a function, or \"nothing\", and 'never' is neither",
    'within="soon"': "within: ",
    "orign=1": "unexpected keyword argument 'orign'",
}


@pytest.mark.parametrize("given", WRONG)
def test_a_wrong_argument_of_the_decorator_is_told_with_file_and_line(tmp_path: Path, given: str) -> None:
    name, _, value = given.partition("=")
    words = {"name": '"notes.write"', "version": '"1"', "owner": '"a-team"', name: value}
    asked = ", ".join(f"{key}={text}" for key, text in words.items())
    text = f"from seeder import generator\n\n\n@generator({asked})\ndef write(ctx) -> str:\n    return ''\n"
    with pytest.raises(DefinitionError) as raised:
        found.of(stack(tmp_path, notes=text))
    (problem,) = raised.value.problems
    assert WRONG[given] in problem.cause
    assert (problem.mark.file, problem.mark.line) == (tmp_path / "generators/notes.py", 4)


def test_a_function_that_does_not_answer_at_once_is_refused_with_all_that_is_wrong_with_it(tmp_path: Path) -> None:
    text = "from seeder import generator\n\n\n@generator('notes', version='1', owner='t')\nasync def write(ctx) -> str:\n    return ''\n"
    with pytest.raises(DefinitionError, match=r"write a plain function.*") as raised:
        found.of(stack(tmp_path, notes=text))
    assert "is no name of a capability" in str(raised.value)


def test_what_a_file_prints_when_it_is_read_does_not_stand_in_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found.of(stack(tmp_path, notes="print('read')\n"))
    assert capsys.readouterr() == ("", "notes.py: read\n")
