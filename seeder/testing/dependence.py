"""Which tests began at a state that other tests left: what they do may depend on the order of tests."""

from __future__ import annotations

from collections.abc import Mapping

from seeder.session import Session

BEFORE = "what ran before the first test"


class Dependence:
    """Looks at every store before each test, so what changed since the last look is the work of the test before."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}  # test -> which stores, and who wrote to them
        self._run = ""
        self._last: Mapping[str, str] = {}
        self._test = BEFORE
        self._writers: dict[str, dict[str, None]] = {}  # store -> tests, in their order

    def began(self, test: str, session: Session) -> None:
        """A test is about to begin in this environment."""
        if session.run != self._run:
            self._run, self._last, self._test, self._writers = session.run, session.seeded, BEFORE, {}
        now = session.digests()
        for store, digest in now.items():
            if digest != self._last.get(store):
                self._writers.setdefault(store, {})[self._test] = None
            if digest == session.seeded.get(store):
                self._writers.pop(store, None)
        if self._writers:
            self.found[test] = "; ".join(f"{store}, written by {', '.join(who)}" for store, who in sorted(self._writers.items()))
        self._last, self._test = now, test
