"""What the local runtime says of a stack before anything starts."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from seeder.definition.compose import read_stack
from seeder.definition.manifest import StackEntry
from seeder.passed.notice import Notice
from seeder.registry import traits
from seeder.runtimes.local import Local

Survey = Callable[[str], list[Notice]]


@pytest.fixture
def survey(write: Callable[..., Path]) -> Survey:
    """The notices for a compose file."""

    def look(text: str) -> list[Notice]:
        folder = write({"compose.yaml": text, "settings.ini": "url = http://web:8000\n", "data/file": "x"})
        entry = StackEntry(name="small", compose=(folder / "compose.yaml",), version="1")
        return list(Local().survey(read_stack(entry, engines=traits(), environment={})))

    return look


def said(notices: list[Notice], *, refused: bool = False) -> str:
    return "\n".join(f"{n.subject}: {n.message} -> {n.remedy}" for n in notices if n.refused == refused)


def test_every_engine_says_what_will_run(survey: Survey) -> None:
    notices = survey("services:\n  db: {image: 'postgres:17', environment: {POSTGRES_PASSWORD: x}}\n  cache: {image: 'redis:8'}\n")
    assert "db: postgres:17 -> PostgreSQL 18" in said(notices)
    assert next(one for one in notices if one.subject == "db").other
    assert not [one for one in survey("services: {db: {image: 'postgres:18'}, events: {image: 'nats:2'}}") if one.other]
    assert "cache: redis:8 -> Valkey 9" in said(notices)
    assert said(notices, refused=True) == ""


def test_every_init_script_is_named_with_where_it_runs(survey: Survey, write: Callable[..., Path]) -> None:
    write({"init/10-roles.sh": "", "init/20-data.sql": "", "init/30-big.sql.xz": "", "init/README": "", "init/old.sql.bak": ""})
    environment = "environment: {POSTGRES_PASSWORD: x}"
    notices = survey(f"services: {{db: {{image: 'postgres:17', {environment}, volumes: ['./init:/docker-entrypoint-initdb.d:ro']}}}}")
    whose = "root" if os.geteuid() == 0 else "your rights"
    assert [n.message.partition(" script ")[2].split()[0] for n in notices if " script " in n.message] == [
        "10-roles.sh", "20-data.sql", "30-big.sql.xz",
    ]  # fmt: skip
    assert f"10-roles.sh runs on this machine, with {'the rights of ' if whose == 'root' else ''}{whose}" in said(notices)


def test_an_init_script_that_cannot_be_unpacked_is_refused(survey: Survey, write: Callable[..., Path]) -> None:
    write({"init/10-roles.sql": "", "init/30-big.sql.zst": ""})
    notices = survey("services: {db: {image: 'postgres:17', volumes: ['./init:/docker-entrypoint-initdb.d:ro']}}")
    cause = "db: nothing here unpacks its init script 30-big.sql.zst, which the image would run"
    assert said(notices, refused=True) == f"{cause} -> pack it with gzip or xz, or use --runtime docker"


def test_a_service_without_a_local_form_is_refused_with_what_to_add(survey: Survey) -> None:
    notices = survey("services:\n  web: {image: x, command: [python, -m, app, --host, 0.0.0.0, --port, '8000'], expose: [8000]}\n")
    expected = '`x-seeder: {local: {command: ["{python}", "-m", "app", "--host", "{host}", "--port", "{port}"]}}`'
    assert said(notices, refused=True) == f"web: it has no local form -> add {expected}, or use --runtime docker"


def test_what_to_add_tells_a_port_that_no_word_of_the_command_says(survey: Survey) -> None:
    notices = survey("services:\n  web: {image: x, command: [python, app.py], ports: ['8000']}\n")
    assert '{local: {command: ["{python}", "app.py"], environment: {PORT: "{port}"}}}`' in said(notices, refused=True)


def test_what_to_add_runs_where_the_service_would(survey: Survey) -> None:
    mounted = "{image: x, command: [./web], working_dir: /app/src, volumes: ['./lib:/app/src/lib', './app:/app:ro']}"
    assert '{command: ["./web"], cwd: app/src}' in said(survey(f"services: {{web: {mounted}}}"), refused=True)
    assert '{command: ["./web"], cwd: web}' in said(survey("services: {web: {build: ./web, command: [./web]}}"), refused=True)


def test_an_image_newer_than_the_embedded_engine_is_refused(survey: Survey) -> None:
    notices = survey("services:\n  db: {image: 'postgres:99', environment: {POSTGRES_PASSWORD: x}}\n")
    assert "db: postgres:99 is newer than the embedded PostgreSQL" in said(notices, refused=True)


@pytest.mark.parametrize("words", ["[app, --port, '8000']", "[app, --http-port=8000]", "[app, -port, '8000']"])
def test_a_literal_port_in_the_local_command_is_refused(survey: Survey, words: str) -> None:
    notices = survey(f"services:\n  web: {{image: x, expose: [8000], x-seeder: {{local: {{command: {words}}}}}}}\n")
    assert "web: its local command has the port 8000" in said(notices, refused=True)


def test_a_port_that_nobody_gave_a_number_is_refused(survey: Survey) -> None:
    notices = survey("services:\n  web: {image: x, x-seeder: {local: {command: [app, '{port}']}}}\n")
    assert "web: its local command asks for {port} and the service has none -> name it under `expose`" in said(notices, refused=True)


def test_what_a_process_cannot_honour_is_named(survey: Survey) -> None:
    notices = survey(
        "services:\n  web: {image: x, user: '1000', privileged: true, cap_add: [NET_ADMIN], mem_limit: 64m, networks: [a],"
        " x-seeder: {local: {command: [app]}}}\n  api: {image: x, networks: [b], x-seeder: {local: {command: [app]}}}\n"
        "networks: {a: {}, b: {}}\n"
    )
    honoured = next(line for line in said(notices).splitlines() if "cannot honour" in line)
    assert all(key in honoured for key in ("user", "privileged", "cap_add", "mem_limit"))
    assert "small: networks a, b do not separate processes" in said(notices)


def test_rights_of_configs_and_secrets_are_named_where_they_are_given(survey: Survey) -> None:
    notices = survey(
        "services:\n  web: {image: x, configs: [plain, {source: conf, uid: '5', mode: 0440}], environment: {A: /conf, B: /plain},"
        " x-seeder: {local: {command: [app]}}}\nconfigs: {conf: {content: x}, plain: {content: x}}\n"
    )
    assert [n.message for n in notices if "/" in n.message] == ["uid, mode of config /conf are not set: the file is yours alone"]


def test_volumes_of_others_are_named(survey: Survey) -> None:
    text = "services: {cache: {image: 'redis:8', volumes: ['theirs:/data']}}\nvolumes: {theirs: {external: true}}\n"
    assert "theirs: is an external volume; the run gets an empty folder of its own" in said(survey(text))


def test_binds_are_written_in_place_and_read_from_a_copy_where_addresses_change(survey: Survey) -> None:
    notices = survey(
        "services:\n  web:\n    image: x\n    expose: [8000]\n    environment: {DATA: /data, SETTINGS: /etc/settings.ini}\n"
        "    volumes: ['./data:/data', './settings.ini:/etc/settings.ini:ro']\n    x-seeder: {local: {command: [app]}}\n"
    )
    assert "data is used and written in place -> --isolate-binds copies it" in said(notices)
    assert "settings.ini is read from a copy, its addresses rewritten" in said(notices)


def test_a_mount_that_nothing_names_is_said_not_to_be_there(survey: Survey) -> None:
    notices = survey("services:\n  web: {image: x, volumes: ['./data:/srv/data:ro'], x-seeder: {local: {command: [app]}}}\n")
    assert "web: nothing is mounted at /srv/data" in said(notices)


def test_a_healthcheck_that_cannot_run_here_says_what_stands_in_for_it(survey: Survey) -> None:
    notices = survey(
        "services:\n  web: {image: x, expose: [8000], healthcheck: {test: [CMD, /no/such/probe]}, x-seeder: {local: {command: [app]}}}\n"
        "  api: {image: x, depends_on: {web: {condition: service_healthy}}, x-seeder: {local: {command: [app]}}}\n"
    )
    expected = "web: its healthcheck runs /no/such/probe, which is not on this machine; healthy means here: port 8000 is open"
    assert expected in said(notices)


def test_the_contract_s_stack_needs_no_remark() -> None:
    file = Path(__file__).parents[2] / "data" / "runtime" / "compose.yaml"
    notices = Local().survey(read_stack(StackEntry(name="small", compose=(file,), version="1"), engines=traits(), environment={}))
    assert said(list(notices), refused=True) == ""
