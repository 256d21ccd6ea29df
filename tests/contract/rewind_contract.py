"""What every engine that can be taken back to a mark promises, on every runtime."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from seeder.errors import EnvironmentFailed
from tests.contract.engine_contract import Filled
from tests.contract.serving import Server


class RewindContract(Filled):
    # -- what an engine's test says -----------------------------------------------------------------------------------

    replaced: str
    """The way that a store goes which is to be replaced at once."""

    def work(self, server: Server) -> None:
        """Something that a test does: it adds, changes and removes."""
        raise NotImplementedError

    def worked(self) -> tuple[str, ...]:
        """What is named as changed by it."""
        raise NotImplementedError

    def client(self, server: Server) -> AbstractContextManager[Any]:
        """A client that stays connected; what it gives can be called to see that it still works."""
        raise NotImplementedError

    # -- fixtures -----------------------------------------------------------------------------------------------------

    @pytest.fixture
    def server(self, filled: Server) -> Server:
        """The server with the state that is marked."""
        return filled

    @pytest.fixture
    def rewinder(self, server: Server, tmp_path: Path) -> Iterator[Any]:
        found = server.engine.rewinder(server.target(), tmp_path / "mark")
        found.mark()
        yield found
        found.close()

    def digest(self, server: Server) -> Any:
        return server.engine.digest(server.target(), ())

    # -- the promises -------------------------------------------------------------------------------------------------

    def test_what_was_done_is_undone_and_named_every_time(self, server: Server, rewinder: Any) -> None:
        before = self.digest(server)
        for _ in range(3):
            self.work(server)
            assert self.digest(server) != before
            found = rewinder.rewind("in place")
            assert (found.way, found.changed, found.restart) == ("in place", self.worked(), "")
            assert self.digest(server) == before

    def test_where_nothing_happened_nothing_is_touched(self, server: Server, rewinder: Any) -> None:
        assert rewinder.rewind("in place").way == "untouched"
        self.work(server)
        rewinder.rewind("in place")
        assert rewinder.rewind("in place").way == "untouched"
        assert rewinder.rewind("in place").way == "untouched"

    def test_the_whole_store_is_replaced_where_that_was_asked(self, server: Server, rewinder: Any) -> None:
        before = self.digest(server)
        for _ in range(2):
            self.work(server)
            assert rewinder.rewind("swap").way == self.replaced
            assert self.digest(server) == before

    def test_an_emptied_store_comes_back(self, server: Server, rewinder: Any) -> None:
        before = self.digest(server)
        server.empty()
        rewinder.rewind("in place")
        assert self.digest(server) == before
        self.work(server)
        rewinder.rewind("in place")
        assert self.digest(server) == before

    def test_clients_stay_connected(self, server: Server, rewinder: Any) -> None:
        with self.client(server) as works:
            works()
            self.work(server)
            assert rewinder.rewind("in place").restart == ""
            works()

    def test_another_process_takes_up_the_mark(self, server: Server, rewinder: Any, tmp_path: Path) -> None:
        before = self.digest(server)
        self.work(server)
        rewinder.rewind("in place")
        rewinder.close()
        for _ in range(2):
            again = server.engine.rewinder(server.target(), tmp_path / "mark")
            self.work(server)
            assert again.rewind("in place").changed == self.worked()
            assert self.digest(server) == before
            again.close()

    def test_a_process_that_was_killed_leaves_a_mark_that_holds(self, server: Server, rewinder: Any, tmp_path: Path) -> None:
        before = self.digest(server)
        self.work(server)
        rewinder.rewind("in place")  # and never closed: what it knew of the last rewind is written nowhere
        again = server.engine.rewinder(server.target(), tmp_path / "mark")
        self.work(server)
        again.rewind("in place")
        assert self.digest(server) == before
        again.close()

    def test_a_later_mark_takes_the_place_of_an_earlier_one(self, server: Server, rewinder: Any) -> None:
        self.work(server)
        rewinder.mark()
        later = self.digest(server)
        server.empty()
        rewinder.rewind("in place")
        assert self.digest(server) == later

    def test_without_a_mark_there_is_nothing_to_go_back_to(self, server: Server, tmp_path: Path) -> None:
        found = server.engine.rewinder(server.target(), tmp_path / "nowhere")
        with pytest.raises(EnvironmentFailed, match="no state was marked there"):
            found.rewind("in place")
        found.close()
