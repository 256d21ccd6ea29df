"""The reference is complete: every command, option, exit code, key, variable and event stands in it, and no option that is not there."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from pydantic import BaseModel

from seeder import errors, events, lifecycle
from seeder.cli import COMMANDS, cli
from seeder.definition import extension, generator_file, manifest_file, scenario_file, schema
from seeder.machine import command as wrapped
from seeder.machine import interrupt
from seeder.registry import ENGINES, GATES, RUNTIMES

ROOT = Path(__file__).parents[2]
README, REFERENCE = ROOT / "README.md", ROOT / "docs/reference.md"
TEXT = REFERENCE.read_text(encoding="utf-8")


def section(title: str) -> str:
    """The reference's text below a heading, up to the next one of its level."""
    _, _, rest = TEXT.partition(f"\n## {title}\n")
    assert rest, f"the reference has no section {title}"
    return rest.partition("\n## ")[0]


def words(text: str) -> set[str]:
    """Every word in code quotes, but for examples; of a dotted path each part as well."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    quoted = [word for code in re.findall(r"`([^`]+)`", prose) for word in re.split(r"[\s,|]+", code)]
    return {*quoted, *(part for word in quoted for part in word.split("."))}


def commands() -> Iterator[tuple[str, click.Command]]:
    for name in COMMANDS:
        found = importlib.import_module(f"seeder.cli.{name}").command
        if isinstance(found, click.Group):
            yield from ((f"{name} {sub}", each) for sub, each in found.commands.items())
        else:
            yield name, found


ALL = tuple(commands())


def rows(name: str) -> str:
    """What the reference says of a command: its row, and those of its options below it."""
    text = section("Commands")
    start = text.index(f"| `seeder {name}")
    end = re.search(r"\n\| `seeder |\n\n", text[start + 1 :])
    own = text[start : start + 1 + end.start()] if end else text[start:]
    shared = {"run", "up", "plan", "cache explain", "cache push", "cache pull", "cache verify"}, {"env", "logs", "sql", "digest", "gate"}
    if name in shared[0]:
        own += text[text.index("### Options that say") : text.index("### Environments")]
    return own + ("`--run`" if name in shared[1] and "takes `--run RUN`" in text else "")


@pytest.mark.parametrize(("name", "command"), ALL, ids=[name for name, _ in ALL])
def test_every_command_and_option_is_described(name, command):
    said = words(rows(name))
    options = [option for parameter in command.params if isinstance(parameter, click.Option) for option in parameter.opts]
    assert set(options) - said == set()


@pytest.mark.parametrize(("name", "command"), ALL, ids=[name for name, _ in ALL])
def test_the_reference_promises_no_option_that_is_not_there(name, command):
    options = {option for parameter in command.params for option in parameter.opts}
    own = section("Commands")
    start = own.index(f"| `seeder {name}")
    row = own[start : own.index("\n", start)]
    assert {word for word in words(row) if word.startswith("-") and word != "--"} - options == set()


def test_every_command_that_reads_answers_json():
    acting = {"run", "doctor", "toxiproxy"}
    without = [name for name, command in ALL if not any("--json" in p.opts for p in command.params)]
    assert set(without) <= acting


def test_the_program_s_own_options_are_described():
    own = {option for parameter in cli.params for option in parameter.opts}
    assert own - words(section("Commands").partition("###")[0]) == set()


def test_every_exit_code_is_described():
    said = set(re.findall(r"^\| (\d+|128\+n) \|", section("Exit codes"), re.MULTILINE))
    kinds = [errors.SeederError, wrapped.NotFound, wrapped.NotExecutable]
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        of_pytest = kind.__module__.startswith("seeder.testing")  # it has exit codes of its own
        if kind is not interrupt.Interrupted and not of_pytest:  # 128+n
            assert {str(kind.run_code), str(kind.code)} <= said, kind
    assert "128+n" in said


def models(module: object) -> Iterator[type[BaseModel]]:
    for found in vars(module).values():
        if (
            isinstance(found, type)
            and issubclass(found, BaseModel)
            and found.__module__ == getattr(module, "__name__", "")
            and found is not extension.Strict
        ):
            yield found


KEYS = [(extension, "x-seeder"), (manifest_file, "manifest.yaml"), (scenario_file, "Scenarios"), (generator_file, "Generators")]
FIELDS = [
    (title, model.__name__, f.alias or name) for module, title in KEYS for model in models(module) for name, f in model.model_fields.items()
]


@pytest.mark.parametrize(("title", "model", "key"), FIELDS, ids=[f"{title}-{model}-{key}" for title, model, key in FIELDS])
def test_every_key_is_described(title, model, key):
    assert key in words(section(title)), f"{model}.{key} stands nowhere in the section {title}"


def test_every_variable_is_described():
    used = {name for file in ROOT.glob("seeder/**/*.py") for name in re.findall(r"SEEDER_[A-Z_]*[A-Z]", file.read_text(encoding="utf-8"))}
    said = set(re.findall(r"SEEDER_[A-Z_]*[A-Z]", section("Environment variables")))
    assert used - said == set()
    assert used >= {"SEEDER_HOME", "SEEDER_RUN", "SEEDER_AS_OF"}


@pytest.mark.parametrize(
    ("title", "known"),
    [
        ("Events", [event.kind for event in events.Event.__subclasses__()]),
        ("Gates", GATES.names()),
        ("x-seeder", ENGINES.names()),
        ("Commands", RUNTIMES.names()),
    ],
)
def test_every_choice_is_described(title, known):
    assert set(known) - words(section(title)) == set()


def test_every_stage_is_named_wherever_stages_are():
    named = (events.StageStarted.__doc__ or "").partition(": ")[2].rstrip(".")
    assert f"| {named}; how long" in section("Events")
    assert {name for name, _ in (*lifecycle.FLOW, *lifecycle.BACK, *lifecycle.ACTED)} <= set(named.split(", "))


def test_every_schema_kind_is_described():
    assert set(schema.KINDS) - words(TEXT.partition("\n## ")[0]) == set()


def headings(file: Path) -> set[str]:
    found = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 _-]", "", title.lower()).replace(" ", "-") for title in found}


@pytest.mark.parametrize("page", [README, REFERENCE], ids=lambda page: page.name)
def test_links_lead_to_headings_and_files(page):
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        path, _, heading = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), target
        assert not heading or heading in headings(file), target
