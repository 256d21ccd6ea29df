"""What the README and the reference tell a reader to type works as it stands there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from seeder.definition.scenario_reader import read_scenario
from tests.conftest import ROOT, copied_shop

PAGES = "\n".join((ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "docs/reference.md"))
BLOCKS = re.findall(r"^```(\w*) ?(\w*)\n(.*?)^```$", PAGES, re.MULTILINE | re.DOTALL)
ELSEWHERE = {"./ci/demo", "./ci/test"}  # the set-up commands: CI runs both on a fresh clone
TESTS = "import os\n\n\ndef test_it_runs_inside():\n    assert os.environ['NOTES_DATABASE'].startswith('postgresql://')\n"


def shell(setting: str) -> list[str]:
    return [block for language, where, block in BLOCKS if language == "sh" and where == setting]


def typed(block: str, folder: Path) -> None:
    """A block in one shell, as a reader pastes it; the first line that fails ends it. Layers are kept, as they are for a reader."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "SEEDER_CACHE": "on"}
    done = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", block], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def shop(tmp_path):
    """The repository as a reader has it, without its history."""
    return copied_shop(tmp_path)


def test_every_shell_block_is_typed_here_or_elsewhere():
    settings = {where for language, where, _ in BLOCKS if language == "sh"}
    assert settings == {"shop", "own", "generator", "elsewhere"}
    assert {line for block in shell("elsewhere") for line in block.splitlines()} == ELSEWHERE
    assert all((ROOT / line).stat().st_mode & 0o111 for line in ELSEWHERE)


SMALLER = pytest.mark.acceptance  # test_remotes and test_cli_inside do the same with a smaller project
GREAT = ("cache pull", "seeder up")


@pytest.mark.long
@pytest.mark.parametrize(
    "block",
    [
        pytest.param(b, marks=[SMALLER] * any(words in b for words in GREAT), id=b.splitlines()[0])
        for b in shell("shop")
        if "docker" not in b
    ],
)
def test_what_is_typed_in_this_repository(shop, block):
    manifest = shop / "manifest.yaml"
    manifest.write_text(manifest.read_text().replace("runtime: auto", "runtime: local"))
    typed(block, shop)


@pytest.mark.docker
@pytest.mark.acceptance  # test_shop does the same, and more
@pytest.mark.parametrize("block", [b for b in shell("shop") if "docker" in b], ids=lambda block: block.splitlines()[0])
def test_what_is_typed_in_this_repository_for_docker(shop, block):
    typed(block, shop)


@pytest.mark.parametrize("block", shell("own"), ids=lambda block: block.splitlines()[0])
def test_what_is_typed_beside_a_compose_file_of_one_s_own(project, block):
    folder = project("small")
    shutil.rmtree(folder / "testdata")
    (folder / "manifest.yaml").unlink()
    (folder / "tests").mkdir()
    (folder / "tests" / "test_inside.py").write_text(TESTS)
    typed(block.replace("seeder run", "seeder run --runtime local"), folder)


@pytest.mark.docker
def test_the_example_is_a_compose_file_that_is_read(tmp_path):
    notes(tmp_path)
    typed("seeder init && seeder check && seeder plan --runtime docker", tmp_path)


def notes(folder: Path) -> None:
    """The project of the examples, before seeder knows of it."""
    migration = "create table notes (id int primary key, body text);\n"
    files = {"compose.yaml": example(), "migrations/0001.sql": migration, "Dockerfile": "FROM python:3.13-slim\n"}
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)


def example(of: str = "") -> str:
    (found,) = [block for language, what, block in BLOCKS if (language, what) == ("yaml", of)]
    return found


@pytest.mark.docker
def test_the_examples_of_datasets_and_of_a_scenario_are_sound(tmp_path):
    notes(tmp_path)
    files = {
        "testdata/reference/lookups/db/countries.csv": "code\nde\n",
        "testdata/golden/two-notes/db/notes.csv": "id,body\n1,first\n2,second\n",
        "testdata/scenarios/ready.yaml": example("scenario"),
    }
    typed("seeder init --name notes", tmp_path)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    with (tmp_path / "manifest.yaml").open("a") as manifest:
        manifest.write(example("manifest"))
    words = "--scenario ready --set note=2 --runtime docker"
    typed(f"seeder dataset lock && seeder check && seeder plan {words}", tmp_path)


def test_the_page_of_the_first_generator_is_followed_from_its_beginning_to_its_end(tmp_path):
    """Files are made where their first lines say, and commands typed, in the order in which they stand there."""
    notes(tmp_path)
    typed("seeder init --name notes", tmp_path)
    kinds = [language for language, what, _ in BLOCKS if what == "generator"]
    assert kinds == ["python", "sh", "yaml", "sh", "sh", "sh"]
    for language, block in ((language, block) for language, what, block in BLOCKS if what == "generator"):
        if language == "sh":
            typed(block.replace("seeder run", "seeder run --runtime local"), tmp_path)
        else:
            file = tmp_path / block.splitlines()[0].removeprefix("# ")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block)
    assert json.loads((tmp_path / "generators.lock").read_text())["capabilities"]["notes.write"]["owner"] == "notes-team"


def test_the_example_of_a_generator_behind_http_is_read_as_it_stands_there(tmp_path):
    notes(tmp_path)
    typed("seeder init --name notes", tmp_path)
    (tmp_path / "generators").mkdir()
    (tmp_path / "generators/reviews.yaml").write_text(example("http"))
    typed("seeder check && seeder generator show reviews.write", tmp_path)


def test_the_example_is_short():
    assert len(example().splitlines()) <= 10


def test_the_demo_installs_what_the_next_commands_of_the_readme_need_and_says_how_to_go_on():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert "seeder-env[all]" in extras["demo"]
    assert "setup demo" in (ROOT / "ci/demo").read_text()
    assert ". $VENV/bin/activate" in (ROOT / "ci/demo").read_text()
    assert "`. .venv/bin/activate`" in PAGES


def test_the_examples_of_events_are_sound(tmp_path):
    scenario = tmp_path / "scenarios/told.yaml"
    for path, text in (
        (tmp_path / "events/accounts.yaml", example("events")),
        (scenario, f'scenario: told\nversion: "1.0.0"\nstack: notes\n{example("told")}{example("variants")}'),
    ):
        path.parent.mkdir()
        path.write_text(text)
    found = read_scenario(scenario)
    assert found.problems == ()
    assert {("missing", "verified"), ("out_of_order", "")} == found.variants.keys()
    assert [event.type.name for event in found.act[0].events] == ["AccountCreated", "EmailVerified"]
