"""What every engine that can copy a store for each test promises, on every runtime."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

from seeder.errors import EnvironmentFailed
from seeder.passed.target import Target
from seeder.protocols import Clones
from tests.contract.engine_contract import Filled
from tests.contract.serving import Server

NUMBERS = itertools.count(1)


def fresh() -> str:
    return f"copy_{next(NUMBERS)}"


class ClonesContract(Filled):
    # -- what an engine's test says -----------------------------------------------------------------------------------

    def alter(self, server: Server, target: Target) -> None:
        """Change something that the digest must notice."""
        raise NotImplementedError

    def client(self, target: Target) -> AbstractContextManager[Any]:
        """A client that stays connected; what it gives tells whether it still works."""
        raise NotImplementedError

    # -- fixtures -----------------------------------------------------------------------------------------------------

    @pytest.fixture
    def server(self, filled: Server) -> Server:
        """The server with a store that is kept."""
        filled.engine.template(filled.target())
        return filled

    @pytest.fixture
    def cloner(self, server: Server) -> Iterator[Any]:
        found = server.engine.cloner(server.target())
        yield found
        found.close()

    def digest(self, server: Server, target: Target | None = None) -> Any:
        return server.engine.digest(target or server.target(), ())

    # -- the promises -------------------------------------------------------------------------------------------------

    def test_the_engine_says_that_it_can(self, server: Server) -> None:
        assert isinstance(server.engine, Clones)

    def test_a_copy_holds_what_the_store_held_and_is_told_as_a_store_of_its_own(self, server: Server, cloner: Any) -> None:
        copy = cloner.clone(fresh())
        assert self.digest(server, copy) == self.digest(server)
        assert copy.url() != server.target().url()
        assert server.engine.probe(copy).state == "ready"

    def test_what_is_done_to_a_copy_is_in_no_other_and_not_in_the_store(self, server: Server, cloner: Any) -> None:
        before, one, other = self.digest(server), cloner.clone(fresh()), cloner.clone(fresh())
        self.alter(server, one)
        assert self.digest(server, one) != before
        for untouched in (server.target(), other, cloner.clone(fresh())):
            assert self.digest(server, untouched) == before

    def test_what_is_done_to_the_store_is_in_no_copy_until_it_is_kept_again(self, server: Server, cloner: Any) -> None:
        before = self.digest(server)
        self.alter(server, server.target())
        after = self.digest(server)
        assert self.digest(server, cloner.clone(fresh())) == before != after
        server.engine.template(server.target())
        assert self.digest(server, cloner.clone(fresh())) == after

    def test_a_store_that_is_in_use_is_kept_and_takes_clients_again(self, server: Server, cloner: Any) -> None:
        self.alter(server, server.target())
        with self.client(server.target()):
            server.engine.template(server.target())
        with self.client(server.target()) as works:
            assert works()
        assert self.digest(server, cloner.clone(fresh())) == self.digest(server)

    def test_a_copy_is_made_while_the_store_and_other_copies_are_in_use(self, server: Server, cloner: Any) -> None:
        with self.client(server.target()) as of_store, self.client(cloner.clone(fresh())) as of_copy:
            assert self.digest(server, cloner.clone(fresh())) == self.digest(server)
            assert of_store()
            assert of_copy()

    def test_what_was_removed_once_or_twice_is_gone_whoever_used_it_and_its_name_is_free(self, server: Server, cloner: Any) -> None:
        name, before = fresh(), self.digest(server)
        copy = cloner.clone(name)
        self.alter(server, copy)
        with self.client(copy):
            cloner.drop(copy)
        cloner.drop(copy)
        with pytest.raises(EnvironmentFailed):
            self.digest(server, copy)
        assert self.digest(server, cloner.clone(name)) == before

    def test_a_name_that_is_taken_is_refused_and_keeps_what_it_names(self, server: Server, cloner: Any) -> None:
        copy = cloner.clone(fresh())
        self.alter(server, copy)
        before = self.digest(server, copy)
        with pytest.raises(EnvironmentFailed, match="cannot be copied"):
            cloner.clone(copy.database)
        assert self.digest(server, copy) == before

    def test_what_was_made_outlives_its_maker(self, server: Server) -> None:
        first, second = (server.engine.cloner(server.target()) for _ in range(2))
        copy = first.clone(fresh())
        first.close()
        first.close()
        assert self.digest(server, copy) == self.digest(server)
        second.drop(copy)
        second.close()

    def test_several_make_copies_at_the_same_time(self, server: Server) -> None:
        made: list[Target] = []

        def make() -> None:
            cloner = server.engine.cloner(server.target())
            made.extend(cloner.clone(fresh()) for _ in range(3))
            cloner.close()

        threads = [threading.Thread(target=make) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [self.digest(server, copy) for copy in made] == [self.digest(server)] * 9

    def test_of_a_store_that_was_not_kept_there_is_no_copy(self, running: Server) -> None:
        target = self.unkept(running)
        cloner = running.engine.cloner(target)
        with pytest.raises(EnvironmentFailed):
            cloner.clone(fresh())
        cloner.close()

    def unkept(self, server: Server) -> Target:
        """A store of the server that nobody keeps."""
        raise NotImplementedError
