"""Files broken at random: whatever stands in them, a documented code, no traceback, and nothing is started or made."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seeder.cli import _run
from tests.conftest import DATA

SMALL = DATA / "small"
FILES = sorted(str(path.relative_to(SMALL)) for path in SMALL.rglob("*") if path.is_file() and path.suffix != ".py")
COMMANDS = (
    ["check"],
    ["plan", "small", "--scenario", "ready", "--runtime", "local"],
    ["dataset", "validate"],
    ["scenario", "show", "ready"],
)
DOCUMENTED = {0, 2, 3}
TIMES = int(os.environ.get("SEEDER_TEST_FUZZ", "1"))  # as many examples, and others each time
FUZZ = settings(max_examples=30 * TIMES, deadline=None, derandomize=TIMES == 1, database=None, suppress_health_check=list(HealthCheck))

# What people and broken tools put into files.
LONG = [
    b"9" * 5000,
    b"1e400",
    b"0x" + b"f" * 40,
    b"[" * 2000,
    b"{a: " * 2000,
    b"- " * 2000,
    b"as_of+99999999999d",
    b"12:30:45",
    b"2026-02-30",
]
BYTES = [b"\x00", b"\x1b[31m", b"\xff\xfe", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\r", b"\t", "\u2028".encode(), "\U0010ffff".encode()]
SIGNS = [b"&a [*a]", b"*a", b"<<: ", b"!!python/object:os.system ls", b"${", b"${A:?}", b"${A:-${B:-", b"$$", b"{", b"}", b'"', b"'", b": "]
WORDS = [
    b"#",
    b"---\n",
    b"...\n",
    b"? ",
    b"|\n",
    b">-\n",
    b"~",
    b"null",
    b".inf",
    b".nan",
    b"0o777",
    b"1_000",
    b"no",
    b"-0",
    b"\\N",
    b"\\.",
    b",,",
]
ODD = st.sampled_from([*LONG, *BYTES, *SIGNS, *WORDS])

Draw = Callable[[st.SearchStrategy[Any]], Any]
ACCIDENTS: list[Callable[[Draw, bytes], bytes]] = []


def accident(function: Callable[[Draw, bytes], bytes]) -> Callable[[Draw, bytes], bytes]:
    ACCIDENTS.append(function)
    return function


def places(draw: Draw, content: bytes) -> int:
    return draw(st.integers(0, len(content)))


def lines(draw: Draw, content: bytes) -> tuple[list[bytes], int]:
    found = content.splitlines(keepends=True) or [b""]
    return found, draw(st.integers(0, len(found) - 1))


@accident
def another_byte(draw: Draw, content: bytes) -> bytes:
    place = places(draw, content)
    return content[:place] + bytes([draw(st.integers(0, 255))]) + content[place + 1 :]


@accident
def a_line_less(draw: Draw, content: bytes) -> bytes:
    every, line = lines(draw, content)
    return b"".join(every[:line] + every[line + 1 :])


@accident
def a_line_twice(draw: Draw, content: bytes) -> bytes:
    every, line = lines(draw, content)
    return b"".join(every[: line + 1] + every[line:])


@accident
def lines_changed_over(draw: Draw, content: bytes) -> bytes:
    (every, line), (_, other) = lines(draw, content), lines(draw, content)
    every[line], every[other] = every[other], every[line]
    return b"".join(every)


@accident
def another_indentation(draw: Draw, content: bytes) -> bytes:
    every, line = lines(draw, content)
    every[line] = b" " * draw(st.integers(0, 9)) + every[line].lstrip(b" ")
    return b"".join(every)


@accident
def something_odd(draw: Draw, content: bytes) -> bytes:
    place = places(draw, content)
    return content[:place] + draw(ODD) + content[place:]


@accident
def an_odd_value(draw: Draw, content: bytes) -> bytes:
    every, line = lines(draw, content)
    head, colon, _ = every[line].partition(b":")
    every[line] = head + colon + b" " + draw(ODD) + b"\n"
    return b"".join(every)


@accident
def cut_short(draw: Draw, content: bytes) -> bytes:
    return content[: places(draw, content)]


@accident
def a_piece_elsewhere(draw: Draw, content: bytes) -> bytes:
    place, start = places(draw, content), places(draw, content)
    return content[:place] + content[start : start + draw(st.integers(1, 60))] + content[place:]


@st.composite
def broken(draw: Draw, content: bytes) -> bytes:
    """The content after one to four accidents."""
    for happens in draw(st.lists(st.sampled_from(ACCIDENTS), min_size=1, max_size=4)):
        content = happens(draw, content)
    return content


def called(words: list[str]) -> tuple[int, str]:
    """A command's code and words."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        code = _run(words)
    return code, said.getvalue()


def made(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.parametrize("file", FILES)
def test_a_broken_file_never_breaks_seeder(tmp_path, monkeypatch, file):
    folder = Path(shutil.copytree(SMALL, tmp_path / "small", ignore=shutil.ignore_patterns("__pycache__", ".seeder")))
    monkeypatch.chdir(folder)
    sound, before = (folder / file).read_bytes(), made(folder)

    @FUZZ
    @given(content=broken(sound))
    def holds(content: bytes) -> None:
        (folder / file).write_bytes(content)
        for words in COMMANDS:
            code, said = called(words)
            assert code in DOCUMENTED, (words, said)
            assert "Traceback" not in said
            assert "defect of seeder" not in said, said
            assert code == 0 or "error: " in said
        assert made(folder) == before

    holds()


DOING = ["run", "up", "plan", "check", "env", "sql", "logs", "down", "gate", "digest", "snapshot", "scenario", "dataset", "show", "lock"]
NAMES = [*DOING, "verify", "small", "ready", "db", "web", ".", "..", "/", "-1", "a=b", "="]
SHARED = ["--", "--json", "--run", "--set", "--seed", "--scenario", "--services", "--image", "--policy", "--profile", "--project"]
OPTIONS = [*SHARED, "--ttl", "--timeout", "-c", "--format", "--tail", "--no"]
LINES = st.lists(st.sampled_from(NAMES) | st.sampled_from(OPTIONS) | st.text(max_size=6), max_size=6)
STARTS = {"run", "up", "gc", "lock"}  # what may do something is only given words that it must refuse


@settings(FUZZ, max_examples=200 * TIMES)
@given(words=LINES)
def test_a_broken_command_line_never_breaks_seeder(tmp_path_factory, words):
    folder = tmp_path_factory.getbasetemp() / "fuzz"
    folder.mkdir(exist_ok=True)
    given = ["--runtime", "nosuch"] if STARTS & set(words) else []
    with contextlib.chdir(folder), pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEEDER_HOME", str(folder.with_name("fuzz-home")))  # a letter may name an environment of another test
        code, said = called([*words, *given])
    assert code in {0, 2, 3, 125, 126, 127}, (words, said)
    assert "Traceback" not in said
    assert "defect of seeder" not in said, (words, said)
    assert list(folder.iterdir()) == []
