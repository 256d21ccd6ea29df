"""A service as a process: command, variables, and what a container would have mounted."""

from __future__ import annotations

import datetime
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from seeder.definition.compose import read_stack
from seeder.definition.manifest import StackEntry
from seeder.definition.service import Port, Service
from seeder.errors import EnvironmentFailed, Mark
from seeder.passed.run import Addition, Run
from seeder.passed.target import Address
from seeder.registry import traits
from seeder.runtimes import _local_service
from seeder.runtimes._local_service import Invocation
from seeder.runtimes._rewrite import hosts_of

NOON = datetime.datetime(2026, 1, 15, 12, tzinfo=datetime.UTC)
PLACES = {("web", 8000): 20001, ("web", 9000): 20002, ("db", 5432): 20003}
HEAD = "services:\n  db: {image: 'postgres:17'}\n  web:\n    image: x\n    expose: [8000, 9000]\n"
Invoke = Callable[..., Invocation]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    folder = tmp_path / "run"
    folder.mkdir()
    return Run("one", "p", "small", "local", folder, tmp_path, NOON, 42, NOON)


@pytest.fixture
def invoke(write: Callable[..., Path], run: Run) -> Invoke:
    """How `web` would be started, given the rest of its definition and the files beside the compose file."""

    def make(rest: str, files: dict[str, str | bytes] | None = None, addition: Addition | None = None, **more: bool) -> Invocation:
        folder = write({"compose.yaml": HEAD + rest, **(files or {})})
        stack = read_stack(StackEntry(name="small", compose=(folder / "compose.yaml",), version="1"), engines=traits(), environment={})
        addresses = {key: Address("127.0.0.1", port) for key, port in PLACES.items()}
        own = {port: address for (name, port), address in addresses.items() if name == "web"}
        hosts = hosts_of(stack, addresses)
        isolate = more.get("isolate_binds", False)
        return _local_service.invocation(stack.services["web"], stack, run, hosts, own, addition or Addition(), isolate_binds=isolate)

    return make


def test_placeholders_are_filled_in_the_command_and_the_local_environment(invoke: Invoke) -> None:
    made = invoke(
        "    environment: {LITERAL: '{port}'}\n"
        "    x-seeder:\n      local:\n        command: ['{python}', '{host}', '{port}', '{port:9000}', '{other}']\n"
        "        environment: {ADMIN: '{host}:{port:9000}'}\n"
    )
    assert made.command == (sys.executable, "127.0.0.1", "20001", "20002", "{other}")
    assert (made.environment["ADMIN"], made.environment["LITERAL"]) == ("127.0.0.1:20002", "{port}")


def test_the_port_that_is_meant_is_the_first_written_one_else_the_lowest() -> None:
    service = Service("web", Mark(Path("compose.yaml"), 1), ports=(Port(9000), Port(8000)))
    assert [service.first_port(known) for known in ((8000, 9000), (80, 8000), (81, 80), ())] == [9000, 8000, 80, None]


def test_the_local_environment_wins_over_compose_and_an_addition_over_both(invoke: Invoke) -> None:
    local = "    x-seeder: {local: {command: [x], environment: {B: local, C: local}}}\n"
    made = invoke("    environment: {A: compose, B: compose, C: compose}\n" + local, addition=Addition({"C": "addition:db:5432"}))
    assert [made.environment[name] for name in "ABC"] == ["compose", "local", "addition:127.0.0.1:20003"]


def test_run_time_and_seed_are_seeder_s_to_say(invoke: Invoke) -> None:
    made = invoke("    environment: {SEEDER_AS_OF: '', SEEDER_SEED: x, SEEDER_OWNER: other}\n    x-seeder: {local: {command: [x]}}\n")
    assert made.environment["SEEDER_OWNER"] == "one"
    assert datetime.datetime.fromisoformat(made.environment["SEEDER_AS_OF"]) == NOON
    assert made.environment["SEEDER_SEED"] == "42"


def test_python_in_a_task_is_the_interpreter_of_the_service(invoke: Invoke, tmp_path: Path) -> None:
    own = invoke("    x-seeder: {local: {command: [venv/bin/python, -m, x], cwd: src}}\n", {"src/venv/bin/python": ""})
    assert own.environment["PATH"].split(os.pathsep)[0] == str(tmp_path / "src" / "venv" / "bin")
    assert own.cwd == tmp_path / "src"
    same = invoke("    x-seeder: {local: {command: [serve]}}\n")
    assert same.environment["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)


def test_configs_and_secrets_are_private_files_that_variables_and_arguments_name(invoke: Invoke) -> None:
    made = invoke(
        "    environment: {TOKEN_FILE: /run/secrets/token}\n    secrets: [token]\n    configs: [{source: app, target: /etc/app.yaml}]\n"
        "    x-seeder: {local: {command: [serve, --config=/etc/app.yaml]}}\n"
        "secrets: {token: {file: ./token}}\nconfigs: {app: {content: 'db: db:5432'}}\n",
        {"token": "s3cret\n"},
    )
    token, config = Path(made.environment["TOKEN_FILE"]), Path(made.command[1].partition("=")[2])
    assert token.read_text(encoding="utf-8") == "s3cret\n"
    assert config.read_text(encoding="utf-8") == "db: 127.0.0.1:20003"
    assert stat.S_IMODE(config.stat().st_mode) == 0o600


def test_a_config_may_name_where_another_one_is(invoke: Invoke) -> None:
    made = invoke(
        "    configs: [{source: a, target: /etc/a}, {source: b, target: /etc/b}]\n    x-seeder: {local: {command: [serve, /etc/a]}}\n"
        "configs: {a: {content: 'include /etc/b'}, b: {content: 'x'}}\n"
    )
    other = Path(made.command[1]).read_text(encoding="utf-8").removeprefix("include ")
    assert Path(other).read_text(encoding="utf-8") == "x"


@pytest.mark.parametrize(("text", "copied"), [("upstream db:5432;", True), ("nothing to change", False)])
def test_a_read_only_bind_is_copied_when_its_addresses_change(invoke: Invoke, tmp_path: Path, text: str, copied: bool) -> None:
    rest = "    environment: {CONF: /etc/conf}\n    volumes: ['./conf:/etc/conf:ro']\n    x-seeder: {local: {command: [x]}}\n"
    made = invoke(rest, {"conf/deep/site.conf": text, "conf/logo.png": b"\x89PNG\xff\x00db:5432"})
    place = Path(made.environment["CONF"])
    assert (place != tmp_path / "conf") == copied
    assert (place / "deep" / "site.conf").read_text(encoding="utf-8") == text.replace("db:5432", "127.0.0.1:20003")
    assert (place / "logo.png").read_bytes() == b"\x89PNG\xff\x00db:5432"
    assert (tmp_path / "conf" / "deep" / "site.conf").read_text(encoding="utf-8") == text


@pytest.mark.parametrize("isolate_binds", [True, False])
def test_a_writable_bind_is_used_in_place_unless_a_copy_is_asked_for(invoke: Invoke, tmp_path: Path, isolate_binds: bool) -> None:
    rest = "    environment: {DATA: /data}\n    volumes: ['./data:/data']\n    x-seeder: {local: {command: [x]}}\n"
    made = invoke(rest, {"data/file": "1"}, isolate_binds=isolate_binds)
    assert (Path(made.environment["DATA"]) != tmp_path / "data") == isolate_binds
    assert (Path(made.environment["DATA"]) / "file").read_text(encoding="utf-8") == "1"


def test_volumes_are_folders_of_the_run(invoke: Invoke, run: Run) -> None:
    made = invoke("    volumes: ['files:/var/files']\n    x-seeder: {local: {command: [serve, /var/files/x]}}\nvolumes: {files: {}}\n")
    place = Path(made.command[1]).parent
    assert place.is_dir()
    assert place.is_relative_to(run.folder)


def test_files_of_an_addition_are_where_the_variables_say(invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "flags.json").write_text('{"db": "db:5432"}', encoding="utf-8")
    made = invoke("    x-seeder: {local: {command: [x]}}\n", addition=Addition({"FLAGS": "/etc/f"}, {"/etc/f": tmp_path / "flags.json"}))
    assert Path(made.environment["FLAGS"]).read_text(encoding="utf-8") == '{"db": "127.0.0.1:20003"}'


def test_a_mounted_file_that_is_not_there_is_named(invoke: Invoke, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailed, match=r"gone.json is to be mounted at /etc/f and is not there"):
        invoke("    x-seeder: {local: {command: [x]}}\n", addition=Addition(files={"/etc/f": tmp_path / "gone.json"}))
