"""Presets with the tools themselves: a run goes on where the last one stood, and comes to what one without layers comes to."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tests.scenarios.cases import RUNTIMES
from tests.scenarios.seeder import Said, docker, seeder

MANIFEST = """
seeder: "1"
project: {name}
defaults: {{stack: {name}, seed: 1, as_of: 2026-01-15T12:00:00Z}}
stacks: {{{name}: {{compose: [compose.yaml], version: "1.0.0"}}}}
"""
COMPOSE = """
services:
  db:
    image: postgres:17
    environment: {{POSTGRES_USER: app, POSTGRES_PASSWORD: app, POSTGRES_DB: "{name}"}}
    x-seeder: {{migrate: {{command: [sh, migrate.sh], preset: {preset}, inputs: [{inputs}]}}}}
"""
SETTINGS = """
    import os, sys
    from urllib.parse import urlsplit
    SECRET_KEY, DEFAULT_AUTO_FIELD = "none", "django.db.models.BigAutoField"
    INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "people", "blog"]
    url = urlsplit(os.environ.get("SEEDER_DB_URL", "postgresql://nobody@127.0.0.1:1/none"))
    DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": url.path[1:], "USER": url.username,
                             "PASSWORD": url.password, "HOST": url.hostname, "PORT": url.port}}
    if __name__ == "__main__":
        os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
        from django.core.management import execute_from_command_line
        execute_from_command_line(sys.argv)
"""
POST = "class Post(models.Model):\n    by = models.ForeignKey('people.Person', models.CASCADE)\n"


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(dedent(text))


def installed(program: str, *command: str, cwd: Path) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    subprocess.run([program, *command], cwd=cwd, check=True, capture_output=True, timeout=600, env={**os.environ, "GOBIN": str(cwd)})


class Django:
    preset, inputs, joined = "django", "'*/migrations'", True  # a new model is no step of its own

    def __init__(self, folder: Path, tools: Path) -> None:
        self.folder, self.python, self.number = folder, tools / "venv/bin/python", 0
        installed(sys.executable, "-m", "venv", "venv", cwd=tools)
        installed(str(self.python), "-m", "pip", "install", "-q", "django>=5", "psycopg[binary]", cwd=tools)
        write(folder, "settings.py", SETTINGS)
        write(folder, "people/models.py", "from django.db import models\nclass Person(models.Model):\n    name = models.TextField()\n")
        write(folder, "blog/models.py", f"from django.db import models\n{POST}")
        write(folder, "migrate.sh", f"exec {self.python} settings.py migrate\n")
        self.generate()

    def generate(self) -> None:
        for app in ("people", "blog"):
            installed(str(self.python), "-W", "ignore", "settings.py", "makemigrations", app, cwd=self.folder)

    def add(self) -> None:
        self.change("    name = models.TextField()\n", "    name = models.TextField()\n    mail{} = models.TextField(default='')\n")

    def add_apart(self) -> None:
        self.change("class Person", "class Group{}(models.Model):\n    pass\n\n\nclass Person")

    def change(self, old: str, new: str) -> None:
        self.number += 1
        models = self.folder / "people/models.py"
        models.write_text(models.read_text().replace(old, new.format(self.number)))
        self.generate()


class Knex:
    preset, inputs, joined = "knex", "migrations, knexfile.js", False

    def __init__(self, folder: Path, tools: Path) -> None:
        self.folder = folder
        installed("npm", "install", "--silent", "--no-save", "--prefix", str(tools), "knex@3", "pg@8", cwd=tools)
        (folder / "node_modules").symlink_to(tools / "node_modules")
        write(folder, "knexfile.js", "module.exports = {client: 'pg', connection: process.env.SEEDER_DB_URL};\n")
        write(folder, "migrate.sh", "exec node_modules/.bin/knex migrate:latest\n")
        self.number = 0
        self.add()
        self.add()

    def add(self) -> None:
        self.number += 1
        table = f"t{self.number}"
        up = f"exports.up = knex => knex.schema.createTable('{table}', t => t.increments('id'));"
        write(
            self.folder, f"migrations/2024010{self.number}_{table}.js", f"{up}\nexports.down = knex => knex.schema.dropTable('{table}');\n"
        )

    add_apart = add


class GolangMigrate:
    preset, inputs, joined = "golang-migrate", "migrations", False

    def __init__(self, folder: Path, tools: Path) -> None:
        self.folder = folder
        installed("go", "install", "-tags", "postgres", "github.com/golang-migrate/migrate/v4/cmd/migrate@v4.18.1", cwd=tools)
        write(folder, "migrate.sh", f'exec {tools}/migrate -path migrations -database "$SEEDER_DB_URL?sslmode=disable" up\n')
        self.number = 8
        self.add()
        self.add()

    def add(self) -> None:
        self.number += 1
        write(self.folder, f"migrations/{self.number}_t.up.sql", f"create table t{self.number} (id int primary key);\n")
        write(self.folder, f"migrations/{self.number}_t.down.sql", f"drop table t{self.number};\n")

    add_apart = add


@pytest.fixture(scope="module", params=[Django, Knex, GolangMigrate], ids=lambda tool: tool.preset)
def project(request, tmp_path_factory):
    """The tool and its project of two revisions; with a home of its own."""
    tools, folder = tmp_path_factory.mktemp("tools"), tmp_path_factory.mktemp("project")
    name = f"presets-{request.param.preset}-{os.getpid()}"
    tool = request.param(folder, tools)
    write(folder, "manifest.yaml", MANIFEST.format(name=name))
    write(folder, "compose.yaml", COMPOSE.format(name=name, preset=tool.preset, inputs=tool.inputs))
    home = tmp_path_factory.mktemp("home")
    yield tool, home
    for layer in json.loads(asked(tool, home, "cache", "ls", "--json").out):
        if layer["project"] == name and str(layer["place"]).startswith("seeder-layer:"):
            docker("rmi", "-f", str(layer["place"]))


def asked(tool, home: Path, *words: str) -> Said:
    said = seeder(*words, cwd=tool.folder, SEEDER_HOME=str(home), SEEDER_CACHE="on", timeout=600)
    assert said.code == 0, said.err
    return said


def run(tool, home: Path, runtime: str, *words: str) -> str:
    asked(tool, home, "run", "--runtime", runtime, *words, "--", "true")
    results = tool.folder.glob(".seeder/runs/*/result.json")
    digest: str = json.loads(max(results, key=lambda path: path.stat().st_mtime).read_text())["digest"]
    return digest


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_run_goes_on_where_the_last_one_stood_and_comes_to_the_same(project, runtime):
    tool, home = project
    run(tool, home, runtime)
    for add, joined in ((tool.add, False), (tool.add_apart, tool.joined)):
        add()
        said = asked(tool, home, "plan", "--runtime", runtime).out
        assert (f"1 revision by {tool.preset}  (layer of" in said) is not joined, said
        assert run(tool, home, runtime) == run(tool, home, runtime, "--no-cache")
