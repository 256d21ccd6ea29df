"""Values as COPY writes them, parameters by name, and what a postgres service's definition says."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from seeder.definition.service import Mount, Service
from seeder.definition.stack import Store
from seeder.engines._postgres_catalog import Column
from seeder.engines._postgres_query import bound
from seeder.engines._postgres_values import Unfit, line, renderer
from seeder.engines.postgres import Postgres
from seeder.errors import DefinitionError, EnvironmentFailed, Mark
from seeder.passed.target import Address

HERE = Mark(Path("compose.yaml"), 3)
PLAIN, JSON = Column("c", "text", True), Column("c", "jsonb", True, "json")
TEXTS, NUMBERS = Column("c", "text[]", True, "array"), Column("c", "integer[]", True, "array")
DOCUMENTS, VECTOR = Column("c", "jsonb[]", True, "array", "json"), Column("c", "vector(2)", True, "vector")


def service(
    image: str | None = "postgres:17", *, mounts: tuple[Mount, ...] = (), command: tuple[str, ...] | None = None, **environment: str
) -> Service:
    return Service("db", HERE, image=image, environment=environment, mounts=mounts, command=command)


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        (PLAIN, None, None),
        (PLAIN, "\\N", "\\N"),
        (PLAIN, True, "true"),
        (PLAIN, 0.1, "0.1"),
        (PLAIN, Decimal("1.50"), "1.50"),
        (PLAIN, b"\x00\xff", "\\x00ff"),
        (JSON, {"b": Decimal("1.50"), "a": [None, True, "ü\n"]}, '{"b":1.50,"a":[null,true,"ü\\n"]}'),
        (JSON, "text", '"text"'),
        (JSON, None, None),
        (TEXTS, ["a", None, 'b"c', "d\\e", "", "{,}"], '{"a",NULL,"b\\"c","d\\\\e","","{,}"}'),
        (NUMBERS, [[1, 2], [3, None]], '{{"1","2"},{"3",NULL}}'),
        (TEXTS, [], "{}"),
        (TEXTS, "{a,b}", "{a,b}"),
        (DOCUMENTS, [{"a": [1]}, [2]], '{"{\\"a\\":[1]}","[2]"}'),
        (VECTOR, [0.5, 1], "[0.5,1]"),
    ],
)
def test_values_become_the_text_of_their_column(column: Column, value: Any, text: str | None) -> None:
    assert renderer(column, documents=True)(value) == text


def test_text_in_a_json_column_of_a_csv_file_is_json_as_it_stands() -> None:
    assert renderer(JSON, documents=False)('{"a": 1}') == '{"a": 1}'


@pytest.mark.parametrize("value", [{"a": 1}, [1]])
def test_structures_fit_no_plain_column(value: Any) -> None:
    with pytest.raises(Unfit):
        renderer(PLAIN, documents=True)(value)


def test_a_row_is_one_line() -> None:
    assert line(["a\tb", None, "\\N", "c\nd\re", ""]) == "a\\tb\t\\N\t\\\\N\tc\\nd\\re\t\n"


@pytest.mark.parametrize(
    ("statement", "written"),
    [
        ("select :a, :a::int", "select %(a)s, %(a)s::int"),
        ("select ':a', \":a\", $$:a$$, $q$ :a $q$", "select ':a', \":a\", $$:a$$, $q$ :a $q$"),
        ("select E'\\':a', 'it''s :a'", "select E'\\':a', 'it''s :a'"),
        ("select 1 -- :a\n, /* :a */ :a", "select 1 -- :a\n, /* :a */ %(a)s"),
        ("select x[1:2], y[:a], :b", "select x[1:2], y[%(a)s], :b"),
        ("select 5 % 2, '%s' like :a", "select 5 %% 2, '%%s' like %(a)s"),
    ],
)
def test_only_named_parameters_are_parameters(statement: str, written: str) -> None:
    assert bound(statement, {"a": 1}) == written


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({"POSTGRES_PASSWORD": "p@ss"}, "postgresql://postgres:p%40ss@127.0.0.1:1/postgres"),
        ({"POSTGRES_USER": "app", "POSTGRES_PASSWORD": "x"}, "postgresql://app:x@127.0.0.1:1/app"),
        ({"POSTGRES_USER": "app", "POSTGRES_DB": "shop", "POSTGRES_HOST_AUTH_METHOD": "trust"}, "postgresql://app@127.0.0.1:1/shop"),
        ({"POSTGRESQL_USERNAME": "app", "POSTGRESQL_PASSWORD": "x", "POSTGRESQL_DATABASE": "shop"}, "postgresql://app:x@127.0.0.1:1/shop"),
        ({"POSTGRESQL_PASSWORD": "x"}, "postgresql://postgres:x@127.0.0.1:1/postgres"),
    ],
)
def test_credentials_come_from_the_images_variables(environment: dict[str, str], url: str) -> None:
    assert Postgres().target(Store("db", "db", "postgres"), service(**environment), Address("127.0.0.1", 1)).url() == url


def test_a_secret_is_read_where_it_is_mounted(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("s3cret\n")
    mounts = (Mount("secret", "/run/secrets/pw", source=str(tmp_path / "pw")), Mount("config", "/user", content="app\n"))
    given = service(mounts=mounts, POSTGRES_PASSWORD_FILE="/run/secrets/pw", POSTGRES_USER_FILE="/user")
    target = Postgres().target(Store("db/x", "db", "postgres", "x"), given, Address("h", 1))
    assert (target.user, target.password, target.database) == ("app", "s3cret", "x")


def test_a_secret_that_is_mounted_nowhere_is_named() -> None:
    with pytest.raises(
        DefinitionError, match=r"compose.yaml:3: db: POSTGRES_PASSWORD_FILE names /run/secrets/pw, and nothing is mounted there"
    ):
        Postgres().target(Store("db", "db", "postgres"), service(POSTGRES_PASSWORD_FILE="/run/secrets/pw"), Address("h", 1))


@pytest.mark.parametrize(
    ("image", "version"),
    [("postgres:13-alpine", "16."), ("postgres:16.3", "16."), ("postgres:17", "18."), ("docker.io/library/postgres:18@sha256:00", "18."),
     ("postgres", "18."), ("localhost:5000/bitnami/postgresql:15", "16."), ("pgvector/pgvector:pg16", "16."), (None, "18.")],
)  # fmt: skip
def test_the_embedded_version_is_the_smallest_that_is_not_older(image: str | None, version: str) -> None:
    assert Postgres().local(service(image)).program.startswith(f"PostgreSQL {version}")


@pytest.mark.parametrize(
    ("image", "told"),
    [("postgres:19", "postgres:19 is newer than the embedded"), ("postgis/postgis:17-3.5", "postgis/postgis is an image with more")],
)
def test_what_has_no_embedded_server_is_refused_with_a_way_out(image: str, told: str) -> None:
    with pytest.raises(EnvironmentFailed, match=told) as error:
        Postgres().local(service(image))
    assert "--runtime docker" in error.value.problems[0].remedy


def test_a_launch_honours_the_command_and_names_what_it_cannot() -> None:
    command = ("postgres", "-c", "max_connections=50", "-N", "60", "--work-mem=5MB", "-c", "fsync=on", "-c",
               "shared_preload_libraries=pg_stat_statements,vector", "-c", "config_file=/etc/pg.conf", "-d", "1")  # fmt: skip
    configuration = "# ours\nlisten_addresses = '*'\nlog_statement = 'all' # noisy\nwork_mem=1MB\nsearch_path = 'a''b, c'\n"
    launch = Postgres().local(
        service(command=command, mounts=(Mount("config", "/etc/pg.conf", content=configuration),), TZ="Europe/Berlin")
    )
    options = [word for word in launch.command if "=" in word]
    wanted = ["max_connections=60", "work_mem=5MB", "fsync=off", "log_statement=all", "search_path=a'b, c", "timezone=Europe/Berlin"]
    assert set(wanted) <= set(options)
    assert [option for option in options if option.startswith(("listen_addresses", "port", "unix_socket"))] == [
        "listen_addresses={host}", "port={port}", "unix_socket_directories="]  # fmt: skip
    assert launch.notes == (
        "postgres -d is left out",
        "postgres 1 is left out",
        "shared_preload_libraries: the embedded server has no pg_stat_statements",
    )


def test_no_secret_stands_in_a_launchs_commands_or_depends_on_the_service() -> None:
    one = Postgres().local(service(POSTGRES_USER="app", POSTGRES_PASSWORD="s3cret"))
    other = Postgres().local(service(POSTGRES_USER="other", POSTGRES_PASSWORD="0ther"))
    assert (one.program, one.prepare, one.given, one.files) == (other.program, other.prepare, other.given, other.files)
    assert "s3cret" not in f"{one}"
    assert one.given["bootstrap"].strip() not in f"{one.command}{one.prepare}"


def test_arguments_of_initdb_are_honoured_and_shown() -> None:
    launch = Postgres().local(service(POSTGRES_INITDB_ARGS="--data-checksums --locale=C"))
    assert launch.prepare[0][-2:] == ("--data-checksums", "--locale=C")
    assert "--locale-provider" not in launch.prepare[0]
    assert "initdb --data-checksums --locale=C" in launch.program
