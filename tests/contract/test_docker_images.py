"""Images are built once for a content, pulled when they are missing, and never a riddle when they cannot be had."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from seeder.errors import EnvironmentFailed, SeederError
from seeder.events import Progress
from seeder.passed.run import Task
from seeder.reuse import room
from seeder.runtimes.docker import Docker
from tests.contract.docker_stack import OnDocker, Opened, docker, owned

BUILT = "services: {web: {build: ., command: [sleep, '60']}}"


def built(opened: Opened) -> list[str]:
    """Services for which something was built."""
    return sorted({e.subject for e in opened.events if isinstance(e, Progress) and e.state == "building"})


def image_of(opened: Opened, service: str = "web") -> str:
    return docker("inspect", "-f", "{{.Config.Image}}", opened.container(service))


@pytest.mark.docker
class TestImages(OnDocker):
    @pytest.fixture(autouse=True)
    def context(self, token: str, tmp_path: Path) -> Path:
        (tmp_path / "Dockerfile").write_text(f"FROM python:3.13-slim\nLABEL seeder.test={token}\nCOPY code.py /code.py\n")
        (tmp_path / "code.py").write_text("print('first')")
        return tmp_path

    def test_an_unchanged_checkout_is_built_once_and_a_changed_file_builds_again(self, opened, context):
        first = opened(BUILT).prepare()
        again = opened(BUILT).prepare()
        (context / "code.py").write_text("print('changed')")
        changed = opened(BUILT).prepare()
        assert [built(one) for one in (first, again, changed)] == [["web"], [], ["web"]]
        assert image_of(first) == image_of(again) != image_of(changed)
        assert changed.containers.execute(Task("say", ("python3", "/code.py"), "web")).output == "changed"

    def test_runs_at_once_build_once(self, opened):
        runs = [opened(BUILT) for _ in range(3)]
        threads = [threading.Thread(target=one.prepare) for one in runs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(built(one) for one in runs) == [[], [], ["web"]]
        assert len({image_of(one) for one in runs}) == 1

    def test_a_built_image_outlives_the_run_and_carries_no_owner(self, opened):
        one = opened(BUILT).prepare()
        image = image_of(one)
        Docker().sweep(one.run.id)
        assert owned(one.run.id) == []
        assert one.run.id not in docker("image", "inspect", image)

    def test_a_built_image_goes_when_nothing_was_made_of_it_for_some_time(self, opened, context, tmp_path, monkeypatch):
        monkeypatch.setenv("SEEDER_HOME", str(tmp_path / "own"))
        first = opened(BUILT).prepare()
        (context / "code.py").write_text("print('second')")
        second = opened(BUILT).prepare()
        old, used = image_of(first), image_of(second)
        Docker().sweep(first.run.id)
        assert room.forget_built(room.stale()) == []
        assert list(room.built(datetime.now(UTC))) == [old], "the other one has a container"
        monkeypatch.setenv("SEEDER_HOME", str(tmp_path / "another"))
        assert room.forget_built(datetime.now(UTC)) == [], "another cache does not know who used it"
        monkeypatch.setenv("SEEDER_HOME", str(tmp_path / "own"))
        assert room.forget_built(datetime.now(UTC)) == [old]
        assert [docker("images", "-q", image) != "" for image in (old, used)] == [False, True]

    def test_a_service_that_names_what_another_builds_gets_that(self, opened):
        one = opened("""
            services:
              web: {build: ., image: "not-pulled:dev"}
              worker: {image: "not-pulled:dev"}
            """).prepare()
        assert image_of(one, "worker") == image_of(one, "web")

    def test_an_image_that_is_given_replaces_the_build(self, opened):
        one = opened(BUILT).prepare({"web": "python:3.13-slim"})
        assert built(one) == []
        assert image_of(one) == "python:3.13-slim"

    def test_a_build_that_fails_shows_its_last_lines(self, opened, context):
        (context / "Dockerfile").write_text("FROM python:3.13-slim\nRUN echo what is wrong; exit 4\n")
        one = opened(BUILT)
        with pytest.raises(EnvironmentFailed, match="web: its image cannot be built") as failed:
            one.prepare()
        assert "what is wrong" in failed.value.log
        assert "what is wrong" in one.containers.logs("web")

    def test_every_image_that_cannot_be_pulled_is_named_with_its_service(self, opened):
        one = opened("services: {db: {image: 'postgres:9-none'}, web: {image: 'seeder.invalid/app:1'}, ok: {image: 'redis:8'}}")
        with pytest.raises(EnvironmentFailed) as failed:
            one.prepare()
        assert sorted(problem.subject for problem in failed.value.problems) == ["db", "web"]
        assert all("cannot be pulled" in p.cause and "--image" in p.remedy for p in failed.value.problems)
        assert owned(one.run.id) == []

    def test_an_image_that_may_not_be_pulled_is_not(self, opened):
        with pytest.raises(EnvironmentFailed, match="image gone:1 is not at the docker engine"):
            opened("services: {web: {image: 'gone:1', pull_policy: never}}").prepare()

    def test_what_compose_itself_refuses_is_said_in_its_words(self, opened, tmp_path):
        one = opened("services: {web: {image: 'redis:8'}}")
        (tmp_path / "compose.yaml").write_text("services: {web: {image: 'redis:8', nonsense: 1}}")
        with pytest.raises(SeederError, match=r"compose cannot read it: .*nonsense"):
            one.prepare()
