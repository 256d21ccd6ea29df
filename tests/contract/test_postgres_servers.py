"""PostgreSQL servers are set up without an image as they are with one."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import pytest

from seeder.errors import EnvironmentFailed
from tests.contract.engine_contract import RUNTIMES, load, read
from tests.contract.serving import serving

COMPOSE = "services: {db: {image: 'postgres:17', environment: {POSTGRES_PASSWORD: pw, POSTGRES_DB: shop}}}"

SEVERAL = """
services:
  pg:
    image: postgres:17
    command: ["postgres", "-c", "max_connections=37", "-c", "work_mem=5MB"]
    environment: {POSTGRES_USER: the owner, POSTGRES_PASSWORD_FILE: /run/secrets/pw, POSTGRES_DB: main}
    secrets: [pw]
    volumes: ["./init:/docker-entrypoint-initdb.d:ro"]
    x-seeder: {databases: {main: {}, audit: {}, "odd % name": {}}}
secrets: {pw: {file: ./password.txt}}
"""


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_server_is_set_up_as_its_image_would(runtime: str, tmp_path: Path) -> None:
    (tmp_path / "password.txt").write_text("s3cret / 'quoted'\n")
    (tmp_path / "init").mkdir(mode=0o755)
    (tmp_path / "init/1-roles.sql").write_text("create role reader login password 'r'; create table made (who text default current_user);")
    (tmp_path / "init/2-more.sql.gz").write_bytes(
        gzip.compress(b"insert into made default values;\n\\c postgres\ncreate table elsewhere ();")
    )
    (tmp_path / "init/3-shell.sh").write_text(
        'psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "grant select on made to reader"\n'
    )
    (tmp_path / "init/README.md").write_text("left alone")
    with serving(runtime, SEVERAL, tmp_path) as server:
        main = server.target("pg/main")
        assert server.engine.query(main, "select who from made") == [("the owner",)]
        assert server.engine.query(replace(main, user="reader", password="r"), "select who from made") == [("the owner",)]
        assert server.engine.tables(replace(main, database="postgres")).keys() == {"elsewhere"}
        roles = "select rolname::text, rolsuper from pg_roles where rolname !~ '^pg_' order by 1"
        assert server.engine.query(main, roles) == [("reader", False), ("the owner", True)]
        for store in ("pg/audit", "pg/odd % name"):
            assert server.engine.probe(server.target(store)).state == "ready"
            assert server.engine.tables(server.target(store)) == {}
        assert server.engine.query(main, "show max_connections") + server.engine.query(main, "show work_mem") == [("37",), ("5MB",)]
        assert server.engine.query(main, "show timezone") in ([("UTC",)], [("Etc/UTC",)])
        server.engine.initialise(server.stack.services["pg"], server.stack.stores_of("pg"), server.address, image=runtime == "docker")
        assert server.engine.counts(main, ["made"]) == {"made": 1}


def test_a_failing_init_script_is_told_with_its_output(tmp_path: Path) -> None:
    (tmp_path / "init").mkdir()
    (tmp_path / "password.txt").write_text("pw")
    (tmp_path / "init/1.sql").write_text("select 1;\nselect broken;\n")
    with pytest.raises(EnvironmentFailed, match=r"the init script 1\.sql ended with code 3") as error, serving("local", SEVERAL, tmp_path):
        pass
    assert 'column "broken" does not exist' in error.value.log


TRUSTING = "services: {db: {image: 'postgres:17', environment: {POSTGRES_HOST_AUTH_METHOD: trust}}}"
BITNAMI = """
services:
  db:
    image: bitnami/postgresql:16
    environment: {POSTGRESQL_USERNAME: app, POSTGRESQL_PASSWORD: pw, POSTGRESQL_DATABASE: shop, POSTGRESQL_POSTGRES_PASSWORD: root}
"""


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_server_may_trust_everybody(runtime: str, tmp_path: Path) -> None:
    with serving(runtime, TRUSTING, tmp_path) as server:
        assert server.target().url() == f"postgresql://postgres@{server.address}/postgres"
        assert server.engine.probe(replace(server.target(), password="anything")).state == "ready"


def test_bitnamis_user_owns_its_database_and_is_no_superuser(tmp_path: Path) -> None:
    with serving("local", BITNAMI, tmp_path) as server:
        roles = "select rolname::text, rolsuper, rolcreatedb from pg_roles where rolname in ('app', 'postgres') order by 1"
        assert server.engine.query(server.target(), roles) == [("app", False, True), ("postgres", True, True)]
        server.engine.query(server.target(), "create table a (id int primary key); create table b (id int primary key references a)")
        server.engine.query(server.target(), "alter table a add foreign key (id) references b")
        load(server.engine, server.target(), [read(tmp_path, "a.csv", "id\n1\n"), read(tmp_path, "b.csv", "id\n1\n")])
        before = server.engine.digest(server.target(), ())
        server.engine.save(server.target(), tmp_path / "saved")
        server.engine.query(
            server.target(), "create or replace function boom() returns trigger language plpgsql as 'begin raise exception ''no''; end'"
        )
        server.engine.query(server.target(), "create trigger boom before insert on a for each row execute function boom()")
        server.engine.restore(server.target(), tmp_path / "saved")
        assert server.engine.digest(server.target(), ()) == before
        server.empty()


def test_nobody_gets_in_before_a_server_is_handed_over(tmp_path: Path) -> None:
    with serving("local", COMPOSE, tmp_path, initialised=False) as server:
        while server.engine.probe(server.target()).state == "not yet":
            pass
        assert server.engine.probe(server.target()).state == "ready"
        with pytest.raises(EnvironmentFailed, match="password authentication failed"):
            server.engine.query(replace(server.target(), user="seeder_bootstrap", password="guess", database="postgres"), "select 1")
