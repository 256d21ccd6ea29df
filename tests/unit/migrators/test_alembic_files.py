"""Alembic's history is read from files alone, and read as Alembic itself reads it."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from hypothesis import given, settings
from hypothesis import strategies as st

from seeder.errors import DefinitionError
from seeder.migrators import _alembic_files, _alembic_ini

INI = "[alembic]\nscript_location = %(here)s/migrations\n"

History = dict[str, tuple[str, ...]]


def write(folder: Path, name: str, revision: str, down: object = None, extra: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.py"
    path.write_text(
        f'"""Adds {name}."""\n\nraise SystemExit("this file was run")\n\nrevision = {revision!r}\ndown_revision = {down!r}\n{extra}\n'
    )
    return path


def history(folder: Path) -> list[str]:
    return [revision.id for revision in _alembic_files.history(sorted(folder.glob("*.py")))]


def refusal(folder: Path) -> str:
    with pytest.raises(DefinitionError) as caught:
        history(folder)
    return str(caught.value)


def test_a_line_of_revisions_comes_in_its_order_without_running_a_file(tmp_path: Path) -> None:
    write(tmp_path, "a_last", "c3", "b2")
    write(tmp_path, "b_first", "a1")
    write(tmp_path, "c_middle", "b2", "a1")
    revisions = _alembic_files.history(sorted(tmp_path.glob("*.py")))
    assert [(r.id, r.file.name, r.summary) for r in revisions] == [
        ("a1", "b_first.py", "Adds b_first."),
        ("b2", "c_middle.py", "Adds c_middle."),
        ("c3", "a_last.py", "Adds a_last."),
    ]


def test_annotated_names_tuples_merges_and_dependencies_are_understood(tmp_path: Path) -> None:
    write(tmp_path, "base", "a")
    write(tmp_path, "left", "b", "a", "branch_labels = ('left',)")
    write(tmp_path, "right", "c", ("a",))
    write(tmp_path, "merge", "d", ("b", "c"))
    (tmp_path / "typed.py").write_text('revision: str = "e"\ndown_revision: str | None = "d"\ndepends_on = "left"\n')
    assert history(tmp_path) == ["a", "b", "c", "d", "e"]


def test_several_heads_name_their_files_and_the_command_that_joins_them(tmp_path: Path) -> None:
    write(tmp_path, "base", "a")
    write(tmp_path, "left", "b", "a")
    write(tmp_path, "right", "c", "a")
    message = refusal(tmp_path)
    assert "2 heads: b (left.py) and c (right.py)" in message
    assert "alembic merge b c" in message


def test_a_head_that_another_depends_on_is_no_second_head(tmp_path: Path) -> None:
    write(tmp_path, "base", "a")
    write(tmp_path, "other", "x")
    write(tmp_path, "next", "b", "a", "depends_on = 'x'")
    assert history(tmp_path)[-1] == "b"


def test_missing_parents_twins_and_computed_names_are_all_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, "a_one", "0001")
    write(tmp_path, "b_twin", "0001")
    write(tmp_path, "c_lost", "0003", "0002x")
    (tmp_path / "d_computed.py").write_text('revision = "0" + "4"\n')
    (tmp_path / "e_nothing.py").write_text("x = 1\n")
    (tmp_path / "f_broken.py").write_text("revision = \n")
    message = refusal(tmp_path)
    for part in (
        f"{tmp_path / 'b_twin.py'}:5: revision 0001: the id stands in a_one.py already",
        f"{tmp_path / 'c_lost.py'}:6: revision 0003: down_revision 0002x is not there",
        f"{tmp_path / 'd_computed.py'}:1: revision: the value is not written out as text",
        "e_nothing.py:1: the file names no `revision`",
        f"{tmp_path / 'f_broken.py'}:1: this is not Python",
    ):
        assert part in message


def test_a_circle_is_printed_with_its_files(tmp_path: Path) -> None:
    write(tmp_path, "one", "a", "c")
    write(tmp_path, "two", "b", "a")
    write(tmp_path, "three", "c", "b")
    message = refusal(tmp_path)
    assert "in a circle" in message
    assert all(name in message for name in ("one.py", "two.py", "three.py"))


@pytest.mark.parametrize(
    ("lines", "folders"),
    [
        ("script_location = %(here)s/migrations", ["migrations/versions"]),
        ("script_location = db/migrations", ["db/migrations/versions"]),
        ("script_location = shop.orders:migrations\nprepend_sys_path = src", ["src/shop/orders/migrations/versions"]),
        ("script_location = db\nversion_locations = one two", ["one", "two"]),
        ("script_location = db\npath_separator = os\nversion_locations = %(here)s/one:two", ["one", "two"]),
        ("script_location = db\nversion_path_separator = ;\nversion_locations = one;two", ["one", "two"]),
        ("script_location = db\nrecursive_version_locations = true", ["db/versions", "db/versions/2026/01"]),
    ],
)
def test_places_are_found_as_the_ini_says(tmp_path: Path, lines: str, folders: list[str]) -> None:
    (tmp_path / "alembic.ini").write_text(f"[alembic]\n{lines}\n")
    wanted = [write(tmp_path / folder, f"r{number}", str(number)).resolve() for number, folder in enumerate(folders)]
    (tmp_path / folders[0] / "__init__.py").touch()
    assert sorted(_alembic_ini.revision_files(tmp_path / "alembic.ini", tmp_path)) == sorted(wanted)


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        ("[logging]\n", "no section [alembic]"),
        ("[alembic]\n", "script_location is not set"),
        ("[alembic]\nscript_location = nowhere\n", "there is no folder"),
        ("[alembic]\nscript_location = x\npath_separator = comma\nversion_locations = a,b\n", "'comma' is no separator"),
        ("script_location = x\n", "this is not an ini file"),
        ("[alembic]\nscript_location = %(nowhere)s/x\n", "this is not an ini file"),
    ],
)
def test_a_bad_ini_is_named(tmp_path: Path, content: str, cause: str) -> None:
    ini = tmp_path / "alembic.ini"
    ini.write_text(content)
    with pytest.raises(DefinitionError) as caught:
        _alembic_ini.revision_files(ini, tmp_path)
    assert cause in str(caught.value)
    assert str(ini) in str(caught.value)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Revision -> those it follows; the last one follows every open end."""
    result: History = {}
    for number in range(draw(st.integers(1, 7))):
        known = sorted(result)
        result[f"r{number}"] = tuple(draw(st.lists(st.sampled_from(known), max_size=2, unique=True))) if known else ()
    heads = sorted(set(result) - {parent for parents in result.values() for parent in parents})
    return {**result, "top": tuple(heads)}


@settings(max_examples=25, deadline=None)
@given(made=histories())
def test_alembic_sees_the_same_revisions_and_the_same_head(made: History, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("history")
    (folder / "alembic.ini").write_text(INI)
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    for id_, parents in made.items():
        (versions / f"{id_}.py").write_text(f"revision = {id_!r}\ndown_revision = {parents or None!r}\n")
    ours = [r.id for r in _alembic_files.history(_alembic_ini.revision_files(folder / "alembic.ini", folder))]
    theirs = ScriptDirectory.from_config(Config(folder / "alembic.ini"))
    assert set(ours) == {script.revision for script in theirs.walk_revisions()}
    assert [ours[-1]] == theirs.get_heads()
    assert all(ours.index(parent) < ours.index(id_) for id_, parents in made.items() for parent in parents)


@pytest.mark.parametrize("value", ["7", "{[]: 1}", "f'{x}'", "None or 'a'", "(1, 2)", "b'a'"])
def test_a_parent_that_is_no_text_is_refused(tmp_path: Path, value: str) -> None:
    (tmp_path / "a.py").write_text(f'revision = "a"\ndown_revision = {value}\n')
    assert f"{tmp_path / 'a.py'}:2: down_revision: the value is not written out as text" in refusal(tmp_path)
