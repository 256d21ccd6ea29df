"""The benchmarks' harness: tables, goals, what is seeder's own; and one of them from end to end, as small as it gets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks import measure, services
from benchmarks.__main__ import ALL
from benchmarks.measure import Case, Goal, Report, alternate

ROOT = Path(__file__).parents[2]


def report(**settings):
    found = Report("start", 3, **settings)
    ours = iter([{"start": 1.0, "keep": 0.001, "total": 3.0}, {"start": 3.0, "total": 5.0}, {"start": 2.0, "total": 4.0}])
    alternate(found, [Case("ours", lambda: next(ours)), Case("theirs", lambda: {"total": 2.0})])
    return found


def test_a_table_tells_medians_and_the_spread_of_the_main_column_and_hides_what_took_no_time():
    assert report().text().splitlines() == [
        "| start, s | start | total |",
        "|---|---|---|",
        "| ours | 2.00 | 4.00 (3.00 to 5.00) |",
        "| theirs |  | 2.00 (2.00 to 2.00) |",
    ]


def test_another_column_may_be_the_main_one():
    assert report(main="start").text().startswith("| start, s | total | start |\n|---|---|---|\n| ours | 4.00 | 2.00 (1.00 to 3.00) |\n")


@pytest.mark.parametrize(
    ("goal", "said"),
    [
        (Goal("quick", "ours", "theirs", 2.0), "- quick: 2.00 of `theirs`, met (at most 2)"),
        (Goal("quick", "ours", "theirs", 1.2), "- quick: 2.00 of `theirs`, NOT met (at most 1.2)"),
        (Goal("at once", "ours", None, 3, "start"), "- at once: 2.00 s, met (at most 3)"),
        (Goal("share", "ours", "ours", 0.2, "start", "total"), "- share: 0.50 of total of `ours`, NOT met (at most 0.2)"),
    ],
)
def test_a_goal_says_what_was_reached(goal, said):
    found = report()
    found.goals = [goal]
    assert found.text().splitlines()[-1] == said
    assert found.as_json()["goals"][0]["met"] == ("NOT" not in said)


def test_the_summary_has_every_goal():
    found = report()
    found.goals = [Goal("quick", "ours", "theirs", 2.0), Goal("at once", "ours", None, 1.5, "start")]
    assert measure.summary([found]).splitlines()[2:] == [
        "| start | quick: 4.00 s | theirs: 2.00 s | 2.00 | 2 | yes |",
        "| start | at once: 2.00 s |  |  | 1.5 s | **no** |",
    ]


def test_the_readme_tells_every_benchmark():
    told = (ROOT / "README.md").read_text(encoding="utf-8").partition("\n## How long it takes\n")[2].partition("\n## ")[0]
    assert [name for name in ALL if f"\n| `{name}` |" not in told] == []


def test_cases_take_turns(capsys):
    report()
    assert [line.partition(", ")[0] for line in capsys.readouterr().err.splitlines()] == ["start: ours", "start: theirs"] * 3


def test_seeder_s_own_is_what_is_left_when_nobody_else_is_at_work():
    def progress(t, subject, state):
        return {"event": "progress", "t": t, "subject": subject, "state": state}

    journal = [
        progress(1.0, "db", "starting"),
        progress(1.5, "cache", "starting"),
        progress(2.0, "db", "ready"),
        progress(3.0, "cache", "ready"),
        progress(4.0, "db", "migrating"),
        progress(5.0, "db", "migrated"),
        {"event": "stage.ended", "t": 9.0, "stage": "teardown", "seconds": 2.5},
    ]
    assert services.covered(services.others(journal, "local")) == pytest.approx(3.0)
    assert services.covered(services.others(journal, "docker")) == pytest.approx(5.5)


def test_a_quick_one_leaves_its_values_and_nothing_else(tmp_path):
    written, temporary = tmp_path / "values.json", tmp_path / "tmp"
    temporary.mkdir()
    nothing = {"DOCKER_HOST": f"unix://{tmp_path}/nothing.sock", "TMPDIR": str(temporary), "SEEDER_CACHE": "on"}
    environment = {**os.environ, **nothing, "PYTHONPATH": os.pathsep.join([str(ROOT / "ci"), str(ROOT)])}
    words = [sys.executable, "-m", "benchmarks", "size", "--quick", "--json", str(written)]
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(written.read_text())["reports"]
    assert found["name"] == "size, local"
    assert set(found["rows"]) == {"from a layer of 1mb", "cp -a --reflink=auto, 1mb"}
    assert f"| {found['name']}, s |" in done.stdout
    assert measure.machine() in done.stdout
    assert list(temporary.iterdir()) == []
