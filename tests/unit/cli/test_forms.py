"""How answers are printed so that other programs read them back."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import dotenv
import jsonschema
import pytest

from seeder.cli import _lines, _render, env, main
from seeder.definition.schema import schema

HARD = {
    "PLAIN": "http://127.0.0.1:8000/a?b=c",
    "SPACE": "two words",
    "QUOTES": 'it\'s "so"',
    "DOLLAR": "$HOME `id` \\n",
    "EMPTY": "",
    "HASH": "a # b",
}


def test_the_shell_form_is_evaluated_to_the_same_values():
    script = env.shell(HARD) + f"\n{sys.executable} -c 'import json,os; print(json.dumps(dict(os.environ)))'"
    said = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)
    assert {name: json.loads(said.stdout)[name] for name in HARD} == HARD


def test_the_dotenv_form_is_read_to_the_same_values():
    assert dotenv.dotenv_values(stream=io.StringIO(env.dotenv(HARD)), interpolate=False) == HARD


def test_a_table_is_aligned_and_nothing_is_nothing():
    assert _render.table([{"a": "long value", "b": 1}, {"a": "x", "b": 22}]) == "A           B\nlong value  1\nx           22"
    assert _render.table([]) == ""


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2_000_000, "2.0 MB"), (3_200_000_000, "3.2 GB")]
)
def test_sizes_are_told_in_decimal_units(count, text):
    assert _lines.amount(count) == text


READS = [
    "plan", "check", "scenario ls", "scenario show ready", "dataset ls", "dataset validate", "snapshot ls", "snapshot verify", "ls", "gc",
    "schema", "schema manifest", "doctor",
]  # fmt: skip


@pytest.mark.parametrize("line", READS)
def test_every_read_answers_json_alone(project, monkeypatch, capfd, tmp_path, line):
    monkeypatch.chdir(project("small"))
    monkeypatch.setenv("SEEDER_HOME", str(tmp_path / "home"))
    with pytest.raises(SystemExit) as ended:
        main([*line.split(), "--json", *(["--runtime", "local"] if line == "plan" else [])])
    assert ended.value.code == 0
    json.loads(capfd.readouterr().out)


def test_a_home_that_would_be_elsewhere_in_each_folder_is_refused(project, monkeypatch, capfd):
    folder = project("small")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SEEDER_HOME", "home")
    with pytest.raises(SystemExit) as ended:
        main(["ls"])
    assert ended.value.code == 2
    assert "SEEDER_HOME=home: it is a relative path" in capfd.readouterr().err
    assert not (folder / "home").exists()


def test_annotations_for_github_name_file_and_line(project, monkeypatch, capfd):
    folder = project("small")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    scenario = folder / "testdata" / "scenarios" / "ready.yaml"
    scenario.write_text(scenario.read_text().replace("data: [", "data: [nosuch, ", 1))
    with pytest.raises(SystemExit) as ended:
        main(["check"])
    said = capfd.readouterr().err
    assert ended.value.code == 2
    assert "::error file=testdata/scenarios/ready.yaml,line=" in said
    assert "1 error," in said


def test_a_good_definition_has_no_errors_and_ends_with_0(project, shown):
    code, _, err = shown(project("small"), "check")
    assert code == 0
    assert "no errors" in err


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("runn", "error: runn: there is no such command\n    -> did you mean 'run'?\n"),
        ("up --foo", "error: seeder up: no such option '--foo'\n    -> `seeder up --help` says how it is used\n"),
        ("sql", "error: seeder sql: missing argument 'STORE'\n    -> `seeder sql --help` says how it is used\n"),
    ],
)
def test_a_mistyped_command_line_is_told_like_every_error(shown, tmp_path, line, told):
    assert shown(tmp_path, line) == (2, "", told)


@pytest.mark.parametrize("place", ["/dev/null/x", "/proc/nope"])
def test_the_doctor_looks_at_everything_where_its_folders_cannot_be_made(monkeypatch, capfd, place):
    monkeypatch.setenv("SEEDER_HOME", place)
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--json"])
    found = {each["subject"]: each for each in json.loads(capfd.readouterr().out)}
    assert ended.value.code == 3
    failing = {name for name, each in found.items() if each["state"] == "fail"}
    assert failing - {"docker", "local"} == {"run folders", "cache"}  # a runtime that nothing can be used with fails as well
    assert place in found["cache"]["finding"]
    assert "SEEDER_HOME" in found["cache"]["remedy"]
    assert {"seeder"} | {name for name in found if name.startswith("docker")} > {"seeder"}, "it goes on with what does not need them"


@pytest.mark.parametrize("place", ["/dev/null/x", "/proc/nope"])
def test_a_home_that_cannot_be_made_is_named_with_its_variable(project, monkeypatch, capfd, place):
    monkeypatch.chdir(project("small"))
    monkeypatch.setenv("SEEDER_HOME", place)
    with pytest.raises(SystemExit) as ended:
        main(["run", "--runtime", "local", "--", "true"])
    said = capfd.readouterr().err
    assert ended.value.code == 123, said
    assert f"error: {place}/" in said
    assert "\n    -> name a folder that can be made; seeder keeps what runs below SEEDER_HOME" in said


def dangling(place: Path) -> None:
    place.symlink_to("Not-Mounted")


@pytest.mark.parametrize(
    ("what", "told"),
    [
        (dangling, "it is a link to {home}/Not-Mounted, which is not there\n    -> make that folder, or remove the link; SEEDER_HOME"),
        (Path.touch, "it is no folder, and seeder needs one of that name\n    -> remove or rename it; SEEDER_HOME"),
    ],
)
def test_what_stands_in_the_place_of_its_folders_is_named(tmp_path, monkeypatch, capfd, what, told):
    what(tmp_path / "cache")
    monkeypatch.setenv("SEEDER_HOME", str(tmp_path))
    with pytest.raises(SystemExit) as ended:
        main(["cache", "prune"])
    said = capfd.readouterr().err
    assert ended.value.code == 3, said
    assert f"error: {tmp_path}/cache: {told.format(home=tmp_path)}" in said


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("scenario ls --tag nope", "no scenario has the tag nope; known: smoke\n"),
        ("snapshot ls", "no run of this project has left a bundle\n"),
        ("snapshot verify", "no run of this project has left a bundle\n"),
    ],
)
def test_that_there_is_nothing_to_list_is_said_and_is_no_error(project, shown, line, told):
    assert shown(project("small"), line) == (0, "", told)


@pytest.mark.parametrize(
    ("line", "kind", "code"),
    [
        ("plan nope --json", "usage", 2),
        ("plan --foo --json", "usage", 2),
        ("plan --json", "definition", 2),
        ("snapshot show nothing --json", "usage", 2),
        ("snapshot show . --json", "environment", 3),
        ("env --json", "usage", 2),
        ("logs --json --follow", "usage", 2),
        ("dataset lock nobody --json", "definition", 2),
    ],
)
def test_a_command_that_fails_says_so_in_json_where_json_is_asked_for(project, shown, monkeypatch, tmp_path, line, kind, code):
    folder = project("small")
    monkeypatch.setenv("SEEDER_HOME", str(tmp_path / "home"))
    if kind == "definition":
        (folder / "testdata/scenarios/broken.yaml").write_text("scenario: broken\n")
        (folder / "manifest.yaml").write_text((folder / "manifest.yaml").read_text().replace("kind: ", "kid: ", 1))
    ended, out, err = shown(folder, line)
    told = json.loads(out)
    jsonschema.validate(told, schema("error"))
    assert (told["error"]["class"], told["error"]["code"], ended) == (kind, code, code)
    assert all(one["cause"] in err for one in told["error"]["problems"])
    assert kind != "definition" or told["error"]["problems"][0]["line"] > 0


def test_a_command_that_has_answered_says_no_more_in_json(project, shown):
    folder = project("small")
    (folder / ".seeder/bundles/one").mkdir(parents=True)
    (folder / ".seeder/bundles/one/bundle.json").write_text("{}")
    code, out, _ = shown(folder, "snapshot verify --json")
    assert (code, len(json.loads(out)["problems"])) == (3, 1)
