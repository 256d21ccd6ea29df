"""The templates for CI are what the platforms take, and what their scripts do works."""

from __future__ import annotations

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


def workflow() -> tuple[list[str], Mapping[str, str]]:
    model = read("github/workflow.yml")
    return [step["run"] for step in model["jobs"]["integration"]["steps"] if "run" in step], model["env"]


def action() -> tuple[list[str], Mapping[str, str]]:
    model = read("github/action.yml")
    given = {"command": "python -m pytest --junitxml=junit.xml", "options": "small"}
    inputs = {name: given.get(name, about.get("default", "")) for name, about in model["inputs"].items()}
    steps = [step for step in model["runs"]["steps"] if "run" in step]
    told = {name: inputs[value.split("inputs.")[1].split(" ")[0]] for step in steps for name, value in step["env"].items()}
    return [step["run"] for step in steps], told


def gitlab() -> tuple[list[str], Mapping[str, str]]:
    job = read("gitlab/gitlab-ci.yml")[".seeder"]
    return ["\n".join(job["script"]).replace(". .venv/bin/activate", ":")], job["variables"]


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


@pytest.mark.parametrize("platform", [workflow, action, gitlab])
def test_what_its_scripts_do_works_and_the_next_job_begins_at_its_layers(small: Path, tmp_path: Path, platform: Any) -> None:
    scripts, given = platform()
    path = os.pathsep.join([str(tmp_path / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    told = {**os.environ, **given, "PATH": path, "SEEDER_CACHE": "on", "DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    for job in ("first", "next"):
        page = tmp_path / f"{job}.md"
        home = tmp_path / job  # a machine of its own: only the cached folder travels
        for script in scripts:
            here = {**told, "SEEDER_HOME": str(home), "GITHUB_STEP_SUMMARY": str(page)}
            command = ["bash", "-eo", "pipefail", "-c", script]
            done = subprocess.run(command, cwd=small, env=here, capture_output=True, text=True, timeout=300, check=False)
            may_fail = "cache pull" in script and job == "first"  # there is nothing yet
            assert done.returncode == 0 or may_fail, done.stdout + done.stderr
        assert (small / "junit.xml").exists()
        assert "### seeder: ok" in page.read_text()
    last = max((small / ".seeder/runs").iterdir(), key=lambda run: run.stat().st_mtime)
    assert '"state": "migrated"' not in (last / "events.jsonl").read_text()
