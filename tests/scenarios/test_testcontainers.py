"""`seeded` in suites that live on Testcontainers: their own containers, at a store's state."""

from __future__ import annotations

from pathlib import Path

import pytest

from seeder.errors import EnvironmentFailed, UsageError
from tests.scenarios.failing import change

testcontainers = pytest.importorskip("testcontainers")

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("cached")]


@pytest.fixture(autouse=True)
def no_reaper(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its image would have to be pulled; the blocks here end."""
    from testcontainers.core.config import testcontainers_config

    monkeypatch.setattr(testcontainers_config, "ryuk_disabled", True)


def test_a_postgres_begins_at_the_layer_with_the_credentials_of_the_stack(project):
    import psycopg
    from testcontainers.community.postgres import PostgresContainer

    from seeder.testcontainers import seeded

    folder = project("small")
    for _ in range(2):  # the first may have to make the layer
        with seeded(PostgresContainer("postgres:17", driver=None), store="db", scenario="ready", project=str(folder)) as postgres:
            assert postgres.username == "app"
            with psycopg.connect(postgres.get_connection_url()) as connection:
                assert connection.execute("select count(*) from notes").fetchone() == (2,)
                connection.execute("delete from notes")
    assert len(list(Path(folder).glob(".seeder/runs/*"))) <= 1


def test_a_redis_is_filled(project):
    from testcontainers.community.redis import RedisContainer

    from seeder.testcontainers import seeded

    with seeded(RedisContainer("redis:8"), store="cache", scenario="ready", project=project("small")) as redis:
        assert redis.get_client().get("note:1") == b"first"


def test_a_container_of_another_version_is_refused(project):
    from testcontainers.community.postgres import PostgresContainer

    from seeder.testcontainers import seeded

    with (
        pytest.raises(UsageError, match=r'the stack runs this store on postgres:17\n    -> use that: PostgresContainer\("postgres:17"\)'),
        seeded(PostgresContainer("postgres:16"), store="db", scenario="ready", project=project("small")),
    ):
        pass


def test_a_scenario_that_acts_has_no_layer_to_begin_at(project):
    from testcontainers.community.redis import RedisContainer

    from seeder.testcontainers import seeded

    folder = project("small")
    acts = "act: {seen: {eventually: {get: web, path: /health, until: {status: ok}}}}\n"
    change(folder, "testdata/scenarios/ready.yaml", "expect:", f"{acts}expect:")
    with (
        pytest.raises(EnvironmentFailed, match="the scenario acts in it, which is done each time"),
        seeded(RedisContainer("redis:8"), store="cache", scenario="ready", project=folder),
    ):
        pass
