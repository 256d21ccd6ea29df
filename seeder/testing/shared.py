"""One environment that many tests share, one after the other: taken back between them, replaced when another scenario is asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from seeder.errors import SeederError
from seeder.session import Session

Key = tuple[str | None, tuple[tuple[str, str], ...]]  # the scenario and its inputs
OUTSIDE = "outside of units"  # who uses the environment without being taken back to its state


class NotPassed(SeederError):
    """Why an environment is kept: a test failed in it."""

    code = run_code = 1
    ended_by = "command"


class Shared:
    """`up` provides the environment of a scenario and its inputs. With `keep_failed` the first one in which a test failed stays as it is:
    who would take it back gets another."""

    def __init__(
        self, up: Callable[[str | None, Mapping[str, str]], AbstractContextManager[Session]], *, keep_failed: bool = False
    ) -> None:
        self._up, self._keep_failed = up, keep_failed
        self.session: Session | None = None  # the one that is up
        self.resets: list[float] = []  # how long each took, in seconds
        self.ended: list[str] = []  # services that died in one of them, and how
        self.stay: list[str] = []  # of environments that were left running: how to reach them
        self.left: list[str] = []  # what went wrong with the end of others
        self._key: Key | None = None
        self._unit = ""  # whose state it holds; empty as long as nobody used it
        self._failed = False
        self._refused: dict[Key, Exception] = {}
        self._block: AbstractContextManager[Session] | None = None

    def get(self, scenario: str | None, inputs: Mapping[str, str]) -> Session:
        """As whoever used it before left it. One that could not be provided is not tried again: the same error is raised."""
        key = (scenario, tuple(sorted(inputs.items())))
        if key in self._refused:
            raise self._refused[key].with_traceback(None)
        if self.session is None or self._key != key:
            self.close()
            try:
                block = self._up(scenario, inputs)
                self.session, self._block, self._key = block.__enter__(), block, key
            except Exception as error:
                self._refused[key] = error
                raise
        return self.session

    def used(self) -> None:
        """Somebody may write to it who is of no unit."""
        self._unit = self._unit or OUTSIDE

    def at(self, unit: str | None, scenario: str | None, inputs: Mapping[str, str]) -> Session:
        """In its seeded state, unless all who used it since are of this unit, too. None shares the state with everybody. In a system that
        others use, too, nothing is reset: what was made there is taken back, and made anew; nor is what is kept of a failed test."""
        session = self.get(scenario, inputs)
        if unit and self._unit not in ("", unit):
            begun = time.perf_counter()
            if session.shared or (self._failed and self._keep_failed):
                self.close()
                session = self.get(scenario, inputs)
            else:
                session.reset()
            self.resets.append(time.perf_counter() - begun)
        self._unit = unit or OUTSIDE
        return session

    def failed(self) -> None:
        """A test did not pass in the one that is up."""
        self._failed = True

    def close(self) -> None:
        """The one that is up goes, or stays for whoever looks into a failure."""
        block, session = self._block, self.session
        failure = NotPassed("tests", "one that used the environment did not pass") if self._failed and self._keep_failed else None
        self._block, self.session, self._unit, self._failed = None, None, "", False
        if block is None or session is None:
            return
        try:
            block.__exit__(type(failure) if failure else None, failure, None)
        except Exception as error:  # noqa: BLE001  (the next environment, and the report, are no worse for it)
            self.left.append(str(error))
        self.ended += session.ended
        if until := session.kept_until:
            self._keep_failed = self._keep_failed and failure is None  # one at a time: each takes as much memory as a run
            self.stay.append(f"kept until {until}: `seeder env --run {session.run}`, `seeder down {session.run}`")
