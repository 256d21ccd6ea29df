"""What every engine promises, on every runtime. An engine's test subclasses EngineContract and says what its store holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from seeder.definition.dataset import Part
from seeder.errors import DefinitionError, EnvironmentFailed
from seeder.passed.content import Records
from seeder.passed.target import Address, Target
from seeder.protocols import Finality
from seeder.registry import LOADERS
from tests.contract.serving import NOON, Server, serving

RUNTIMES = ["local", pytest.param("docker", marks=pytest.mark.docker)]
NOBODY = Address("127.0.0.1", 1)  # a port on which nothing listens


def read(folder: Path, name: str, text: str) -> Records:
    """A dataset file as its loader reads it; the name says what it is: orders.csv, keys.jsonl in cache/, messages in events/, mappings/."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    kinds = {"cache": "keys", "events": "messages", "mappings": "mappings"}
    kind: Any = kinds.get(path.parent.name, "sql" if path.suffix == ".sql" else "table")
    stem = {"sql": path.name, "mappings": f"mappings/{path.name}"}.get(kind, path.stem)
    return LOADERS.get(kind).read(Part(kind, "store", stem, path, path.suffix[1:]), NOON)


def load(
    engine: Any, target: Target, records: Sequence[Records], *, upsert: bool = False, keys: dict[str, tuple[str, ...]] | None = None
) -> dict[str, int]:
    """One session; taken back when it fails."""
    session = engine.begin(target, upsert=upsert, natural_keys=keys or {})
    try:
        counts = dict(session.load(records))
        session.verify()
        session.commit()
    except BaseException:
        session.rollback()
        raise
    return counts


class Served:
    """A suite whose tests share one server of the class's compose file on each runtime."""

    compose: ClassVar[str]

    @pytest.fixture(scope="class", params=RUNTIMES)
    @classmethod
    def running(cls, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
        with serving(request.param, cls.compose, tmp_path_factory.mktemp(request.param)) as server:
            yield server


class Filled(Served):
    """Each test finds the same in the store."""

    def fill(self, server: Server, folder: Path) -> None:
        """What is there when a test begins; the folder is for files of it."""
        raise NotImplementedError

    @pytest.fixture
    def filled(self, running: Server, tmp_path: Path) -> Server:
        running.empty()
        (tmp_path / "files").mkdir()
        self.fill(running, tmp_path / "files")
        return running


class EngineContract(Served):
    volatile: ClassVar[tuple[str, ...]] = ()

    # -- what an engine's test says -----------------------------------------------------------------------------------

    def make(self, server: Server) -> None:
        """What migrations would have made."""

    def records(self, folder: Path) -> list[Records]:
        raise NotImplementedError

    def counts(self) -> dict[str, int]:
        raise NotImplementedError

    def bad(self, folder: Path) -> tuple[list[Records], tuple[str, ...]]:
        """Records of which one is refused, and what the message must hold."""
        raise NotImplementedError

    def alter(self, server: Server) -> None:
        """Change something that the digest must notice."""
        raise NotImplementedError

    def client(self, target: Target) -> AbstractContextManager[Any]:
        """A client that stays connected; what it gives can be called to see that it still works."""
        raise NotImplementedError

    def seen(self, server: Server) -> object:
        """What another client can see of the store while a load is going on."""
        return self.digest(server)

    # -- fixtures -----------------------------------------------------------------------------------------------------

    @pytest.fixture
    def server(self, running: Server) -> Server:
        """The server, with nothing in its store but what migrations make."""
        running.empty()
        self.make(running)
        return running

    @pytest.fixture
    def loaded(self, server: Server, tmp_path: Path) -> Server:
        load(server.engine, server.target(), self.records(tmp_path))
        return server

    def digest(self, server: Server) -> str:
        found: str = server.engine.digest(server.target(), self.volatile).digest
        return found

    # -- the promises -------------------------------------------------------------------------------------------------

    def test_a_server_that_is_there_is_ready(self, server: Server) -> None:
        assert server.engine.probe(server.target()).state == "ready"

    def test_a_server_that_is_not_there_is_not_ready_yet(self, server: Server) -> None:
        verdict = server.engine.probe(replace(server.target(), address=NOBODY))
        assert verdict.state == "not yet"
        assert "refused" in verdict.reason.lower()

    def test_a_wrong_password_never_becomes_right(self, server: Server) -> None:
        assert server.engine.probe(replace(server.target(), password="wrong")).state == "never"

    def test_passwords_stand_in_no_text(self, server: Server) -> None:
        target = server.target()
        assert target.password
        assert target.password not in repr(target)

    def test_records_are_counted_by_name(self, server: Server, tmp_path: Path) -> None:
        assert load(server.engine, server.target(), self.records(tmp_path)) == self.counts()

    def test_loading_changes_the_digest_and_looking_does_not(self, server: Server, tmp_path: Path) -> None:
        before = self.digest(server)
        load(server.engine, server.target(), self.records(tmp_path))
        after = self.digest(server)
        assert before != after == self.digest(server)

    def test_an_upsert_twice_is_as_good_as_once(self, server: Server, tmp_path: Path) -> None:
        load(server.engine, server.target(), self.records(tmp_path), upsert=True)
        once = self.digest(server)
        load(server.engine, server.target(), self.records(tmp_path), upsert=True)
        assert self.digest(server) == once

    def test_an_upsert_into_an_empty_store_is_a_plain_load(self, server: Server, tmp_path: Path) -> None:
        load(server.engine, server.target(), self.records(tmp_path), upsert=True)
        upserted = self.digest(server)
        server.empty()
        self.make(server)
        load(server.engine, server.target(), self.records(tmp_path))
        assert self.digest(server) == upserted

    def test_nothing_is_there_before_the_commit_or_after_a_rollback(self, server: Server, tmp_path: Path) -> None:
        before, seen = self.digest(server), self.seen(server)
        session = server.engine.begin(server.target(), upsert=False, natural_keys={})
        session.load(self.records(tmp_path))
        assert self.seen(server) == seen
        session.verify()
        assert self.seen(server) == seen
        session.rollback()
        assert self.digest(server) == before

    def test_what_can_be_revoked_is_gone_after_a_rollback_of_the_commit(self, server: Server, tmp_path: Path) -> None:
        """And what cannot be is made last, so that it never has to be."""
        before = self.digest(server)
        session = server.engine.begin(server.target(), upsert=True, natural_keys={})
        session.load(self.records(tmp_path))
        session.verify()
        session.commit()
        after = self.digest(server)
        session.rollback()
        assert before != after
        assert self.digest(server) == (before if session.finality == Finality.REVOCABLE else after)

    @pytest.mark.parametrize("upsert", [False, True])
    def test_of_a_load_with_a_bad_record_nothing_stays(self, server: Server, tmp_path: Path, upsert: bool) -> None:
        before = self.digest(server)
        records, told = self.bad(tmp_path)
        with pytest.raises(DefinitionError) as refused:
            load(server.engine, server.target(), records, upsert=upsert)
        assert [words for words in told if words not in str(refused.value)] == []
        assert self.digest(server) == before

    def test_what_was_saved_comes_back(self, loaded: Server, tmp_path: Path) -> None:
        before = self.digest(loaded)
        loaded.engine.save(loaded.target(), tmp_path / "saved")
        self.alter(loaded)
        assert self.digest(loaded) != before
        loaded.engine.restore(loaded.target(), tmp_path / "saved")
        assert self.digest(loaded) == before

    def test_what_was_saved_comes_back_into_an_empty_store(self, loaded: Server, tmp_path: Path) -> None:
        before = self.digest(loaded)
        loaded.engine.save(loaded.target(), tmp_path / "saved")
        loaded.empty()
        loaded.engine.restore(loaded.target(), tmp_path / "saved")
        assert self.digest(loaded) == before

    def test_a_saved_file_that_was_changed_is_refused(self, loaded: Server, tmp_path: Path) -> None:
        loaded.engine.save(loaded.target(), tmp_path / "saved")
        before = self.digest(loaded)
        data = max((tmp_path / "saved").glob("*.[cj]*[yl]"), key=lambda path: path.stat().st_size)
        data.write_bytes(data.read_bytes() + data.read_bytes().splitlines(keepends=True)[-1])
        with pytest.raises(EnvironmentFailed):
            loaded.engine.restore(loaded.target(), tmp_path / "saved")
        assert self.digest(loaded) == before

    def test_a_folder_that_holds_nothing_saved_is_refused(self, server: Server, tmp_path: Path) -> None:
        with pytest.raises(EnvironmentFailed, match="this is no saved"):
            server.engine.restore(server.target(), tmp_path)

    def test_an_emptied_store_is_as_before_its_migrations(self, running: Server, tmp_path: Path) -> None:
        running.empty()
        empty = self.digest(running)
        self.make(running)
        load(running.engine, running.target(), self.records(tmp_path))
        running.empty()
        assert self.digest(running) == empty
        assert running.engine.digest(running.target(), ()).parts == {}

    def test_clients_stay_connected_while_a_store_is_restored(self, loaded: Server, tmp_path: Path) -> None:
        loaded.engine.save(loaded.target(), tmp_path / "saved")
        with self.client(loaded.target()) as works:
            works()
            loaded.engine.restore(loaded.target(), tmp_path / "saved")
            works()

    @pytest.mark.docker
    def test_both_runtimes_hold_the_same_and_read_what_the_other_saved(self, tmp_path: Path) -> None:
        for name in ("local", "docker", "files", "saved"):
            (tmp_path / name).mkdir()
        with serving("local", self.compose, tmp_path / "local") as local, serving("docker", self.compose, tmp_path / "docker") as docker:
            for server in (local, docker):
                self.make(server)
                load(server.engine, server.target(), self.records(tmp_path / "files"))
            same = self.digest(local)
            assert self.digest(docker) == same
            for source, target in ((local, docker), (docker, local)):
                source.engine.save(source.target(), tmp_path / "saved" / source.name)
                self.alter(target)
                target.engine.restore(target.target(), tmp_path / "saved" / source.name)
                assert self.digest(target) == same
