"""What redis and nats services say of themselves: commands, configuration files, credentials, local launches."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeder.definition.service import Mount, Service
from seeder.definition.stack import Store
from seeder.engines import _image
from seeder.engines._nats_configuration import Unreadable, parse
from seeder.engines._nats_streams import matches
from seeder.engines._sorted_lines import ordered
from seeder.engines.nats import Nats
from seeder.engines.postgres import Postgres
from seeder.engines.redis import Redis
from seeder.errors import DefinitionError, EnvironmentFailed, Mark
from seeder.passed.target import Address, Target

HERE = Mark(Path("compose.yaml"), 3)


def service(image: str, *command: str, mounts: tuple[Mount, ...] = (), **environment: str) -> Service:
    return Service("it", HERE, image=image, command=command or None, environment=environment, mounts=mounts)


def target(engine: Any, given: Service) -> Target:
    found: Target = engine.target(Store("it", "it", engine.name), given, Address("h", 1))
    return found


@pytest.mark.parametrize(
    ("given", "password"),
    [
        (service("redis:8"), None),
        (service("redis:8", "redis-server", "--requirepass", "a b"), "a b"),
        (service("redis:8", "--save", "", "--requirepass", "x", "--appendonly", "no"), "x"),
        (service("valkey/valkey:8", "valkey-server", "--requirepass x"), "x"),
        (service("redis:8", "sh", "-c", 'exec redis-server --requirepass "$PW" && echo done', PW="from env"), "from env"),
        (service("redis:8", "redis-server", "/r.conf", mounts=(Mount("config", "/r.conf", content='# x\nrequirepass "c d"\n'),)), "c d"),
        (service("bitnami/redis:7", REDIS_PASSWORD="b"), "b"),
        (service("redis:8", REDIS_PASSWORD="means nothing to this image"), None),
    ],
)  # fmt: skip
def test_a_redis_password_is_found_where_the_image_looks(given: Service, password: str | None) -> None:
    assert target(Redis(), given).password == password


def test_a_local_redis_listens_here_keeps_nothing_and_hides_its_password() -> None:
    launch = Redis().local(
        service("redis:8", "redis-server", "--requirepass", 's"3c\\rét', "--maxmemory", "5mb", "--port", "7000", "--replicaof", "a", "1")
    )
    lines = launch.files["valkey.conf"].splitlines()
    assert lines[:5] == ["bind {host}", "port {port}", 'dir "{data}"', 'save ""', "appendonly no"]
    assert lines[6:] == ['requirepass "s\\x223c\\x5cr\\xc3\\xa9t"', 'maxmemory "5mb"']
    assert launch.notes == ("replicaof is left out",)
    assert len(launch.command) == 2
    assert Redis().launch(service("redis:8", "--port", "7000")).port == 7000


def test_a_redis_with_modules_has_no_embedded_server() -> None:
    with pytest.raises(EnvironmentFailed, match="redis/redis-stack is an image with more"):
        Redis().local(service("redis/redis-stack:7"))


@pytest.mark.parametrize(
    ("command", "url"),
    [
        ((), "nats://h:1"),
        (("-js", "--user", "u", "--pass", "p:w"), "nats://u:p%3Aw@h:1"),
        (("--jetstream", "--auth=t0ken"), "nats://t0ken@h:1"),
        (("-c", "/n.conf"), "nats://app:from%20env@h:1"),
    ],
)
def test_nats_credentials_come_from_flags_or_configuration(command: tuple[str, ...], url: str) -> None:
    text = "accounts { $SYS { users [{user: admin, pass: a}] }, APP: { jetstream: enabled\n users = [ { user: app, password: $PW } ] } }"
    given = service("nats:2", *command, mounts=(Mount("config", "/n.conf", content=text),), PW="from env")
    assert target(Nats(), given).url() == url


def test_nats_users_without_passwords_are_refused() -> None:
    conf = Mount("config", "/n.conf", content="authorization { users: [ { nkey: UABC } ] }")
    with pytest.raises(DefinitionError, match="its users have keys and no passwords"):
        target(Nats(), service("nats:2", "-c", "/n.conf", mounts=(conf,)))


def test_a_local_nats_keeps_the_meaning_of_its_configuration() -> None:
    text = "port: 9999\nhttp: 8222\njetstream { store_dir: /data, max_mem: 1GB }\nmax_payload: 2MB\ncluster { port: 6222 }\n"
    launch = Nats().local(service("nats:2", "--config", "/n.conf", "-D", mounts=(Mount("config", "/n.conf", content=text),)))
    written = json.loads(launch.files["nats.conf"])
    assert written == {"jetstream": {"store_dir": "{data}", "max_mem": 1 << 30}, "max_payload": 2 << 20, "debug": True}
    assert launch.notes == ("http is left out", "cluster is left out")
    assert launch.command[1:] == ("-c", "{data}/nats.conf", "-a", "{host}", "-p", "{port}")


@pytest.mark.parametrize(("command", "streams"), [((), False), (("-js",), True), (("--jetstream",), True), (("-js", "-sd", "/data"), True)])
def test_a_local_nats_has_streams_when_the_service_has(command: tuple[str, ...], streams: bool) -> None:
    written = json.loads(Nats().local(service("nats:2", *command)).files["nats.conf"])
    assert written == ({"jetstream": {"store_dir": "{data}"}} if streams else {})


def test_the_configuration_is_read_as_the_server_does() -> None:
    text = """
    # comment
    a = 1, b: two; c "th#ree"   // comment
    d { e [1, 'x y' , {f: on}], g: 10k, h: 10KiB, i: 1.5, j: -1 }
    outer: seven
    k { l: $outer, m: $FROM_ENV }
    url: nats://host:4222
    include ./more.conf
    """
    found = parse(text, {"FROM_ENV": "no"}, {"./more.conf": "n: [ ]"}.__getitem__)
    assert found == {
        "a": 1, "b": "two", "c": "th#ree", "d": {"e": [1, "x y", {"f": True}], "g": 10_000, "h": 10_240, "i": 1.5, "j": -1},
        "outer": "seven", "k": {"l": "seven", "m": False}, "url": "nats://host:4222", "n": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [("a {", "missing"), ("a: }", "where a value"), ("{", "where a name"), ("a: $B", "not set"), ('a: "', "line 1"), ("a", "too early")],
)
def test_a_configuration_that_cannot_be_read_says_why(text: str, words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        parse(text, {}, str)
    with pytest.raises(DefinitionError, match=r"compose.yaml:3: it: the configuration /n.conf cannot be read"):
        Nats().local(service("nats:2", "-c", "/n.conf", mounts=(Mount("config", "/n.conf", content=text),)))


@pytest.mark.parametrize(
    ("pattern", "subject", "through"),
    [("a.b", "a.b", True), ("a.*", "a.b", True), ("a.*", "a.b.c", False), ("a.>", "a.b.c", True), ("a.>", "a", False), (">", "a", True),
     ("*.b", "a.b", True), ("a.b", "a", False), ("a", "a.b", False)],
)  # fmt: skip
def test_subjects_match_as_in_the_broker(pattern: str, subject: str, through: bool) -> None:
    assert matches(pattern, subject) is through


@pytest.mark.parametrize(
    ("image", "name", "major"),
    [
        ("postgres:17.2-alpine", "postgres", 17),
        ("library/redis", "redis", None),
        ("registry.example.org:5000/team/postgres:16@sha256:abc", "team/postgres", 16),
        ("timescale/timescaledb:2.17-pg16", "timescale/timescaledb", 16),
        ("redis:latest", "redis", None),
        ("localhost/nats:v2.10", "nats", 2),
    ],
)
def test_images_tell_name_and_version(image: str, name: str, major: int | None) -> None:
    assert (_image.repository(service(image)), _image.major(service(image))) == (name, major)


def test_the_deepest_mount_is_what_a_path_shows(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("bind")
    mounts = (
        Mount("bind", "/etc/x", source=str(tmp_path)),
        Mount("config", "/etc/x/b.txt", content="config"),
        Mount("volume", "/var", source="v"),
    )
    given = service("nats:2", mounts=mounts)
    assert [_image.mounted_text(given, path) for path in ("/etc/x/a.txt", "/etc/x/b.txt", "/etc/y", "/var/z")] == [
        "bind",
        "config",
        None,
        None,
    ]
    with pytest.raises(DefinitionError, match="cannot read"):
        _image.mounted_text(given, "/etc/x/missing")


@given(st.lists(st.binary(max_size=6).map(lambda line: line.replace(b"\n", b"") + b"\n")), st.integers(1, 60))
def test_lines_are_sorted_whatever_fits_in_memory(lines: list[bytes], limit: int) -> None:
    assert list(ordered(lines, limit)) == sorted(lines)


@pytest.mark.parametrize(
    ("engine", "given", "cause"),
    [
        (Redis(), service("redis:8", "redis-server", '--requirepass "a b'), "no closing quotation"),
        (Redis(), service("redis:8", "sh", "-c", "redis-server --save '"), "no closing quotation"),
        (Redis(), service("redis:8", "/r.conf", mounts=(Mount("config", "/r.conf", content='requirepass "a'),)), "no closing quotation"),
        (Redis(), service("redis:8", "redis-server", "--port", "x"), "port is no port: 'x'"),
        (Postgres(), service("postgres:17", PGPORT="abc"), "PGPORT is no port: 'abc'"),
        (Postgres(), service("postgres:17", PGPORT="70000"), "PGPORT is no port: '70000'"),
        (Nats(), service("nats:2", "-p", "x"), "port is no port: 'x'"),
    ],
)
def test_what_cannot_be_read_of_a_service_is_refused_with_its_place(engine, given, cause):
    with pytest.raises(DefinitionError, match=cause) as refused:
        engine.launch(given)
    assert str(refused.value).startswith("compose.yaml:3: it: ")


def test_unreadable_arguments_of_initdb_are_refused_with_their_place():
    with pytest.raises(DefinitionError, match=r"compose\.yaml:3: it: .*no closing quotation"):
        Postgres().local(service("postgres:17", POSTGRES_INITDB_ARGS="--locale 'C"))
