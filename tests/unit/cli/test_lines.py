"""What is printed of a run: plain lines, folded groups, a drawn board, the closing summary."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from seeder import events, variables
from seeder.cli import _lines, _render, _terminal
from seeder.cli._live import Board
from seeder.errors import DefinitionError, Mark, Problem
from seeder.evidence.story import Result
from seeder.machine import home

BEGUN = events.RunStarted("abc", "shop", "shop", "local", "ready", 7, "2026-01-15T12:00:00+00:00", "ci")
RUN = [
    BEGUN,
    events.StageStarted("start"),
    events.Progress("start", "db", "starting", "postgres:17"),
    events.Progress("start", "db", "waiting", "no answer"),
    events.Progress("start", "db", "ready", "", 1.25),
    events.StageEnded("start", 1.3, ok=True),
    events.Progress("steps", "order", "again", "order[1]: nobody answers"),
    events.Loaded("notes", "1.0.0", "db", 2),
    events.Noticed("db", "is slow", "look at it"),
    events.StageStarted("command"),
    events.StageEnded("command", 2.0, ok=True),
    events.StageStarted("teardown"),
    events.StageEnded("teardown", 0.5, ok=True),
    events.RunEnded(0, "success", 4.0, {}),
]
FACTS = {"seed": 7, "as_of": "2026-01-15T12:00:00+00:00", "expires": "2026-01-15T16:00:00+00:00", "volatile": ["db.notes.at"]}


def played(fold, capfd) -> list[str]:
    lines = _lines.Lines(fold)
    for event in RUN:
        lines(event)
    return capfd.readouterr().err.splitlines()


def test_plain_lines_tell_what_came_to_an_end(capfd):
    assert played(None, capfd) == [
        "seeder: run abc: stack shop, scenario ready on local, seed 7, as of 2026-01-15T12:00:00Z",
        "  start       1.2 s  db ready",
        "  steps              tried again: order[1]: nobody answers",
        "  load               notes@1.0.0 -> db: 2 records",
        "! note               db: is slow -> look at it",
        "seeder: the environment is ready, the command runs",
        "  teardown    0.5 s",
    ]


def test_github_groups_end_before_the_command_and_begin_after_it(capfd):
    said = played("github", capfd)
    command = said.index("seeder: the environment is ready, the command runs")
    assert said[0] == "::group::seeder: environment"
    assert said[command - 1] == "::endgroup::"
    assert said[command + 1] == "::group::seeder: teardown"
    assert said[-1] == "::endgroup::"


def test_gitlab_sections_are_named_and_closed(capfd, monkeypatch):
    monkeypatch.setattr(_terminal.time, "time", lambda: 1000.0)
    said = played("gitlab", capfd)
    assert said[0] == "\x1b[0Ksection_start:1000:seeder_environment[collapsed=true]"  # a carriage return follows
    assert "\x1b[0Ksection_end:1000:seeder_environment" in said
    assert sum("section_end" in line for line in said) == 2


def test_a_failure_is_told_outside_of_the_folded_group(capfd):
    lines = _lines.Lines("github")
    lines(BEGUN)
    lines(events.Failed("environment", "no"))
    assert capfd.readouterr().err.splitlines()[-1] == "::endgroup::"


@pytest.mark.parametrize("width", [20, 40, 100])
def test_the_board_leaves_a_log_and_a_visible_cursor(width):
    stream = io.StringIO()
    board = Board(Console(file=stream, force_terminal=True, width=width, no_color=True))
    for event in RUN:
        board(event)
    text = stream.getvalue()
    assert "1.2 s  db ready" in text
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")


def test_the_board_cuts_what_is_under_way_to_the_width():
    console = Console(file=io.StringIO(), force_terminal=True, width=40, no_color=True)
    board = Board(console)
    board(events.StageStarted("start"))
    board(events.Progress("start", "orders-db", "waiting", "connection failed: " + "x" * 200))
    lines = console.render_lines(board._picture())
    board(events.RunEnded(1, "environment", 1.0, {}))
    assert len(lines) == 1
    assert "orders-db" in "".join(segment.text for segment in lines[0])


def test_the_board_draws_nothing_while_the_command_has_the_terminal():
    stream = io.StringIO()
    board = Board(Console(file=stream, force_terminal=True, width=80, no_color=True))
    for event in RUN[: RUN.index(events.StageStarted("command")) + 1]:
        board(event)
    assert board._live is None
    assert stream.getvalue().endswith("the command runs\n")


def test_the_summary_holds_all_that_makes_a_run_come_again():
    result = Result("abc", digest="f" * 64, seconds=4.0, split={"start": 1.3, "command": 2.0, "images": 0.1}, facts=FACTS)
    said = _render.summary(result)
    for part in (
        "ok in 4.0 s, run abc",
        "images 0.1  start 1.3  command 2.0",
        "seed 7",
        "2026-01-15T12:00:00Z",
        "ffffffffffffffff",
        "db.notes.at",
    ):
        assert part in said


def test_a_run_that_stays_says_where_its_services_are(monkeypatch, tmp_path):
    monkeypatch.setenv("SEEDER_HOME", str(tmp_path))
    folder = home.run_folder("abc")
    folder.mkdir()
    document = {
        "services": {"db": {"host": "127.0.0.1", "ports": {"5432": 40001}}, "web": {"host": "10.0.0.2", "ports": {"80": 1, "81": 2}}}
    }
    variables.file_of(folder).write_text(json.dumps(document))
    said = _render.summary(Result("abc", 1, "command", kept=True, facts=FACTS))
    assert "db at 127.0.0.1:40001\n" in said
    assert "web at 10.0.0.2:1, 10.0.0.2:2\n" in said
    assert " at " not in _render.summary(Result("abc", 1, "command", facts=FACTS))


def test_a_failed_run_says_what_and_shows_the_log_and_where_the_evidence_is(capfd):
    result = Result("abc", 123, "environment", "db: ended\n    -> see its log", log="one\ntwo", bundle="/b", kept=True, facts=FACTS)
    _render.closing(result)
    said = capfd.readouterr().err
    for part in (
        "error: db: ended\n    -> see its log\n    | one\n    | two\n",
        "environment (exit 123)",
        "evidence: /b",
        "seeder down abc",
    ):
        assert part in said


@pytest.mark.parametrize(
    ("variables", "tty", "draws", "colours"),
    [
        ({"TERM": "xterm"}, True, True, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, True, True, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True, True, True),
        ({"TERM": "dumb"}, True, False, False),
        ({"TERM": "xterm", "CI": "true"}, True, False, True),
        ({"TERM": "xterm"}, False, False, False),
    ],
)
def test_terminals_are_told_apart(monkeypatch, variables, tty, draws, colours):
    for name in ("TERM", "CI", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stderr.isatty", lambda: tty)
    assert (_terminal.draws(), _terminal.colourful()) == (draws, colours)


def test_each_of_several_failures_is_told_as_an_error(capfd):
    result = Result("abc", 122, "gate", "a: no\nb: no", problems=(Problem("a", "no"), Problem("b", "no")), facts=FACTS)
    _render.closing(result)
    assert capfd.readouterr().err.startswith("error: a: no\nerror: b: no\n2 problems\nseeder: gate (exit 122)")


def test_what_a_run_or_a_command_finds_in_a_line_of_a_file_is_annotated_on_github(capfd, monkeypatch, tmp_path):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    row = Problem("orders", "the column total is null", "give it a value", Mark(tmp_path / "data/orders.csv", 7))
    _render.closing(Result("abc", 125, "definition", str(row), problems=(row, Problem("b", "no")), facts=FACTS))
    annotation = "::error file=data/orders.csv,line=7,title=orders::the column total is null. give it a value\n"
    said = capfd.readouterr().err
    assert annotation in said
    assert said.count("::error") == 1
    _render.error(DefinitionError.of([row]))
    assert annotation in capfd.readouterr().err


def test_a_quiet_run_still_tells_what_it_leaves_running(capfd, monkeypatch, tmp_path):
    monkeypatch.setenv("SEEDER_HOME", str(tmp_path))
    _render.closing(Result("abc", 1, "command", kept=True, facts=FACTS), quiet=True)
    assert capfd.readouterr().err == "kept until 2026-01-15T16:00:00Z: `seeder env --run abc`, `seeder down abc`\n"
    _render.closing(Result("abc", 1, "command", facts=FACTS), quiet=True)
    assert capfd.readouterr().err == ""


def test_paths_below_the_current_folder_are_counted_from_there(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert (
        _terminal.near(f"{tmp_path}/a.yaml:3: x {tmp_path}/b /srv{tmp_path}/c {tmp_path}x/d")
        == f"a.yaml:3: x b /srv{tmp_path}/c {tmp_path}x/d"
    )


def test_what_was_removed_is_told_by_kind():
    removed = ["pid 4 (postgres)", "pid 5 (postgres)", "folder /x", "port 1", "port 2", "port 3"]
    assert _render.kinds(removed) == "3 ports, 2 processes, 1 folder"


def test_a_stage_that_a_signal_ended_has_not_failed():
    assert _lines.text(events.StageEnded("images", 1.0, ok=False, interrupted=True)) == "  images      1.0 s  interrupted"
    assert _lines.text(events.StageEnded("images", 1.0, ok=False)) == "  images      1.0 s  failed"
