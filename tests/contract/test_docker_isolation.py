"""What a run has on docker is its own, and goes with it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from seeder.errors import EnvironmentFailed
from seeder.passed.run import Task
from seeder.runtimes.docker import Docker
from seeder.wait import wait_for
from tests.contract.docker_stack import OnDocker, Opened, docker, owned
from tests.contract.runtime_contract import accepts

SERVE = ["python3", "-m", "http.server", "8000"]
POSTGRES = "image: postgres:17, environment: {POSTGRES_USER: app, POSTGRES_PASSWORD: 'p$$w', POSTGRES_DB: orders}"


def sql(opened: Opened, statement: str) -> list[tuple]:
    import psycopg

    address = opened.addresses["db", 5432]
    with psycopg.connect(f"postgresql://app:p$w@{address}/orders", autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def says(opened: Opened, service: str, *command: str) -> str:
    done = opened.containers.execute(Task("say", command, service))
    assert done.code == 0, done.output
    return done.output.strip()


def connects(opened: Opened, client: str, host: str, port: int) -> bool:
    words = ("python3", "-c", f"import socket; socket.create_connection(('{host}', {port}), 3)")
    return opened.containers.execute(Task("dial", words, client)).code == 0


@pytest.mark.docker
class TestIsolation(OnDocker):
    def test_a_developers_data_folder_is_not_touched(self, opened, tmp_path):
        (tmp_path / "pgdata").mkdir()
        (tmp_path / "pgdata" / "mine").write_text("keep")
        one = opened(f"services: {{db: {{{POSTGRES}, volumes: ['./pgdata:/var/lib/postgresql/data']}}}}").prepare().up("db")
        sql(one, "create table t (a int)")
        assert [path.name for path in (tmp_path / "pgdata").iterdir()] == ["mine"]
        assert (tmp_path / "pgdata" / "mine").read_text() == "keep"

    def test_a_restarted_server_keeps_its_port_and_its_rows(self, opened):
        one = opened(f"services: {{db: {{{POSTGRES}}}}}").prepare().up("db")
        before = one.addresses["db", 5432]
        sql(one, "create table t as select 7 as a")
        docker("kill", one.container("db"))
        one.up("db")
        assert one.addresses["db", 5432] == before
        assert sql(one, "select a from t") == [(7,)]

    def test_a_container_name_stays_a_name_on_the_network(self, opened):
        one = opened(f"""
            services:
              web: {{image: "python:3.13-slim", command: {SERVE}, container_name: taken-everywhere, hostname: www, expose: [8000]}}
              client: {{image: "python:3.13-slim"}}
            """)  # fmt: skip
        one.prepare().up("web")
        assert [connects(one, "client", host, 8000) for host in ("web", "taken-everywhere")] == [True, True]
        assert docker("inspect", "-f", "{{.Config.Hostname}}", one.container("web")) == "www"

    def test_nothing_is_left_whatever_the_stack_made(self, opened):
        one = opened(f"""
            services:
              db: {{{POSTGRES}, volumes: ["data:/var/lib/postgresql/data", "/scratch"], networks: [a, b]}}
              cache: {{image: "redis:8", restart: always, networks: [outer]}}
            networks: {{a: , b: {{name: pinned-name}}, outer: {{external: true}}}}
            volumes: {{data: {{external: true, name: someone-elses}}}}
            """).prepare().up("db", "cache")  # fmt: skip
        one.containers.execute(Task("t", ("true",), "cache"))
        assert len(owned(one.run.id)) > 5
        assert one.run.id in Docker().owners()
        assert Docker().sweep(one.run.id).left == ()
        assert owned(one.run.id) == []
        assert "someone-elses" not in docker("volume", "ls", "-q").split()
        assert not {"pinned-name", "outer"} & set(docker("network", "ls", "--format", "{{.Name}}").split())

    def test_a_sweep_removes_images_of_the_run_and_nothing_else(self, opened):
        one = opened("services: {cache: {image: 'redis:8'}}").prepare()
        docker("commit", "-c", f"LABEL dev.seeder.run={one.run.id}", one.container("cache"), f"seeder-test:{one.run.id}")
        assert Docker().sweep(one.run.id).left == ()
        assert owned(one.run.id) == []
        assert docker("image", "inspect", "-f", "{{.Id}}", "redis:8")

    def test_several_runs_of_one_checkout_do_not_meet(self, opened):
        text = f"services: {{web: {{image: 'python:3.13-slim', command: {SERVE}, container_name: web, ports: ['8000:8000']}}}}"
        runs = [opened(text) for _ in range(4)]
        threads = [threading.Thread(target=lambda one=one: one.prepare().up("web")) for one in runs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({one.addresses["web", 8000].port for one in runs}) == 4
        assert all(one.look("web").state == "ready" for one in runs)

    def test_a_taken_port_is_drawn_anew(self, opened):
        one = opened(f"services: {{web: {{image: 'python:3.13-slim', command: {SERVE}, expose: [8000]}}}}").prepare()
        before = one.addresses["web", 8000]
        with listening(before.port):
            one.up("web")
            assert one.addresses["web", 8000] != before
        assert one.notices == ["web"]

    def test_services_that_start_at_once_may_all_find_their_ports_taken(self, opened):
        names = ["a", "b", "c", "d"]
        web = f"{{image: 'python:3.13-slim', command: {SERVE}, expose: [8000]}}"
        one = opened(f"services: {{{', '.join(f'{name}: {web}' for name in names)}}}").prepare()
        before = {name: one.addresses[name, 8000] for name in names}
        with contextlib.ExitStack() as taken:
            for address in before.values():
                taken.enter_context(listening(address.port))
            with ThreadPoolExecutor(len(names)) as pool:
                list(pool.map(one.up, names))
        assert all(one.addresses[name, 8000] != before[name] for name in names)
        published = {name: docker("port", one.container(name), "8000") for name in names}
        assert published == {name: str(one.addresses[name, 8000]) for name in names}
        model = json.loads(one.run.model.read_text())["services"]
        assert {name: int(model[name]["ports"][0]["published"]) for name in names} == {n: one.addresses[n, 8000].port for n in names}

    def test_a_port_that_stays_taken_is_an_error_that_names_its_holder(self, opened):
        one = opened(f"services: {{web: {{image: 'python:3.13-slim', command: {SERVE}, expose: [8000]}}}}").prepare()
        with listening(port := one.addresses["web", 8000].port), pytest.raises(EnvironmentFailed, match=rf"port {port} is taken by pid"):
            one.containers.start("web", draws=0)

    def test_stores_of_internal_networks_are_reached_from_here_and_stay_shut(self, opened):
        one = opened(f"""
            services:
              db: {{{POSTGRES}, networks: [back]}}
              web: {{image: "python:3.13-slim", command: {SERVE}, expose: [8000], networks: [back]}}
              outside: {{image: "python:3.13-slim"}}
            networks: {{back: {{internal: true}}}}
            """).prepare().up("db", "web")  # fmt: skip
        assert sql(one, "select 1") == [(1,)]
        assert connects(one, "web", "db", 5432)
        assert not connects(one, "outside", "db", 5432)

    def test_a_service_in_anothers_network_is_reached_there(self, opened):
        one = opened(f"""
            services:
              front: {{image: "python:3.13-slim", command: [sleep, "60"]}}
              web: {{image: "python:3.13-slim", command: {SERVE}, network_mode: "service:front", x-seeder: {{ready: {{tcp: 8000}}}}}}
            """).prepare()  # fmt: skip
        one.containers.start("front")
        one.up("web")
        assert accepts(one.addresses["web", 8000])


def listening(port: int) -> socket.socket:
    from seeder.runtimes import _ports

    _ports.let_go(port)
    return socket.create_server(("127.0.0.1", port))


@pytest.mark.docker
class TestFiles(OnDocker):
    def test_secrets_and_configs_are_there_before_the_service_starts(self, opened, tmp_path, monkeypatch):
        monkeypatch.setenv("TOKEN", "s3cret$")
        (tmp_path / "file").write_text("from a file")
        one = opened("""
            services:
              web:
                image: python:3.13-slim
                command: [sh, -c, "cat /run/secrets/token /run/secrets/plain /etc/conf; stat -c %a:%u /run/secrets/token"]
                secrets: [{source: token, mode: 0440, uid: "70", gid: "70"}, plain]
                configs: [{source: conf, target: /etc/conf}]
            secrets: {token: {environment: TOKEN}, plain: {file: ./file}}
            configs: {conf: {content: "cost: $$5\\n"}}
            """).prepare()  # fmt: skip
        one.containers.start("web")
        wait_for("web", lambda: one.look("web", "completed"), within=20)
        owner = "70" if os.geteuid() == 0 else str(os.geteuid())
        assert one.containers.logs("web") == f"s3cret$from a filecost: $5\n440:{owner}"
        assert json.loads((one.run.folder / "compose.resolved.json").read_text())["services"]["web"]
        assert (one.run.folder / "compose.resolved.json").stat().st_mode & 0o777 == 0o600

    def test_isolated_binds_leave_the_checkout_alone(self, opened, tmp_path):
        (tmp_path / "drafts").mkdir()
        (tmp_path / "drafts" / "old").write_text("old")
        (tmp_path / "state").write_text("before")
        one = opened("""
            services:
              web:
                image: python:3.13-slim
                command: [sh, -c, "cat /drafts/old /state; echo new > /drafts/new; rm /drafts/old; echo after > /state"]
                volumes: [./drafts:/drafts, ./state:/state]
            """, isolate_binds=True).prepare()  # fmt: skip
        one.containers.start("web")
        wait_for("web", lambda: one.look("web", "completed"), within=20)
        assert one.containers.logs("web") == "oldbefore"
        assert [path.name for path in (tmp_path / "drafts").iterdir()] == ["old"]
        assert (tmp_path / "state").read_text() == "before"
        assert says(one, "web", "cat", "/drafts/new") == "new"

    def test_a_bind_of_a_folder_that_is_not_there_makes_none(self, opened, tmp_path):
        one = opened("services: {web: {image: 'python:3.13-slim', volumes: ['./made:/made', './conf:/conf:ro']}}").prepare()
        assert says(one, "web", "touch", "/made/x") == ""
        assert says(one, "web", "sh", "-c", "ls /conf; ! touch /conf/x 2>/dev/null") == ""
        assert not (tmp_path / "made").exists()
        assert not (tmp_path / "conf").exists()
