"""The templates for CI are what the platforms take, and what their scripts do works."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

TEMPLATES = Path(__file__).parents[2] / "ci" / "templates"
SCHEMAS = {
    "github/workflow.yml": "vendor.github-workflows",
    "github/action.yml": "vendor.github-actions",
    "gitlab/gitlab-ci.yml": "vendor.gitlab-ci",
}
TESTS = "import os\n\n\ndef test_it_runs_inside():\n    assert os.environ['NOTES_DATABASE'].startswith('postgresql://')\n"

# What is installed here already is not installed again.
PYTHON = '#!/bin/sh\ncase "$*" in\n  "-m pip install "*|"-m venv "*) exit 0 ;;\nesac\nexec {python} "$@"\n'


@pytest.mark.parametrize(("file", "schema"), SCHEMAS.items())
def test_it_fits_the_schema_of_its_platform(file: str, schema: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(TEMPLATES / file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_template_is_looked_at() -> None:
    assert {str(file.relative_to(TEMPLATES)) for file in TEMPLATES.rglob("*.yml")} == set(SCHEMAS)


def read(file: str) -> Any:
    return yaml.safe_load((TEMPLATES / file).read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", ["github/workflow.yml", "github/action.yml"])
def test_the_artefact_on_github_holds_what_tests_write(file: str) -> None:
    model = read(file)
    last = (model["runs"] if "runs" in model else model["jobs"]["integration"])["steps"][-1]
    assert last["with"]["path"].split() == ["junit.xml", ".seeder/runs", ".seeder/bundles"]


def workflow() -> tuple[list[str], Mapping[str, str]]:
    model = read("github/workflow.yml")
    return [step["run"] for step in model["jobs"]["integration"]["steps"] if "run" in step], model["env"]


def action() -> tuple[list[str], Mapping[str, str]]:
    model = read("github/action.yml")
    given = {"command": "python -m pytest --junitxml=junit.xml", "environment": "small", "options": "--timeout 5m"}
    inputs = {name: given.get(name, about.get("default", "")) for name, about in model["inputs"].items()}
    steps = [step for step in model["runs"]["steps"] if "run" in step]
    told = {name: inputs[value.split("inputs.")[1].split(" ")[0]] for step in steps for name, value in step["env"].items()}
    return [step["run"] for step in steps], told


def gitlab() -> tuple[list[str], Mapping[str, str]]:
    job = read("gitlab/gitlab-ci.yml")[".seeder"]
    return ["\n".join([*job["script"], *job["after_script"]]).replace(". .venv/bin/activate", ":")], job["variables"]


PLATFORMS = {"workflow": workflow, "action": action, "gitlab": gitlab}


def test_an_image_without_glibc_installs_no_servers() -> None:
    job = read("gitlab/gitlab-ci.yml")["integration"]
    assert job["image"].startswith("docker:")  # Alpine's
    assert not {"all", "local"} & set(job["variables"]["INSTALL"].partition("[")[2].partition("]")[0].split(","))


@pytest.fixture
def small(project: Any, tmp_path: Path) -> Iterator[Path]:
    """A project as its owners have it, on a machine where everything is installed and no Docker engine answers."""
    folder: Path = project("small")
    (folder / "tests").mkdir()
    (folder / "tests" / "test_inside.py").write_text(TESTS)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "python").write_text(PYTHON.format(python=sys.executable))
    (programs / "python").chmod(0o755)
    yield folder
    shutil.rmtree(folder / ".seeder", ignore_errors=True)


def job(name: str, small: Path, tmp_path: Path) -> str:
    """What the scripts of a platform do on a machine of its own, to which only the cached folder travels; the journal of its run."""
    scripts, given = PLATFORMS[name]()
    page, home = tmp_path / f"{name}.md", tmp_path / name
    for script in scripts:
        told = {**machine(tmp_path, home), **given, "GITHUB_STEP_SUMMARY": str(page)}
        command = ["bash", "-eo", "pipefail", "-c", script]
        done = subprocess.run(command, cwd=small, env=told, capture_output=True, text=True, timeout=300, check=False)
        nothing_yet = "cache pull" in script and not (small / ".seeder/layers").exists()
        assert done.returncode == 0 or nothing_yet, done.stdout + done.stderr
    assert "### seeder: ok" in page.read_text()
    (small / "junit.xml").unlink()
    run = max((small / ".seeder/runs").iterdir(), key=lambda run: run.stat().st_mtime)
    return (run / "events.jsonl").read_text()


def machine(tmp_path: Path, home: Path) -> dict[str, str]:
    path = os.pathsep.join([str(tmp_path / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "SEEDER_CACHE": "on", "DOCKER_HOST": f"unix://{tmp_path}/none.sock", "SEEDER_HOME": str(home)}


def migrated(journal: str) -> list[str]:
    """How the database came to its revision in a run."""
    events = [json.loads(line) for line in journal.splitlines()]
    return [event["detail"].partition(":")[0] for event in events if event.get("state") == "migrated"]


@pytest.mark.long
def test_what_their_scripts_do_works_and_the_next_job_begins_at_the_layers_of_the_one_before(small: Path, tmp_path: Path) -> None:
    """A job of each platform, each with a migration more; last a machine on which nothing but the layers of the last job is looked at."""
    steps = {"workflow": "0001_notes, 0002_pinned, 0003_more", "action": "0003_more -> 0004_more", "gitlab": "0004_more -> 0005_more"}
    for number, name in enumerate(PLATFORMS, start=3):
        (small / f"migrations/{number:04}_more.sql").write_text(f"create table more{number} (id int primary key);\n")
        assert migrated(job(name, small, tmp_path)) == [steps[name]]
    told = machine(tmp_path, tmp_path / "last")
    for words in (["cache", "pull", ".seeder/layers"], ["plan"]):
        command = [sys.executable, "-m", "seeder", *words]
        done = subprocess.run(command, cwd=small, env=told, capture_output=True, text=True, timeout=60, check=True)
    assert "resume  db      0001_notes..0005_more, kinds@1.0.0  (layer " in done.stdout
