"""Copies of one store, made ahead in the background, so that whoever needs one has it at once; used ones are removed there, too."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import closing, suppress

from seeder.errors import EnvironmentFailed
from seeder.passed.target import Target
from seeder.protocols import Cloner

AHEAD = 4
MAKERS = 2  # a copy waits for the disk and for the server's other processes; a third one gains nothing
MOST_USED = 32  # copies that wait for their removal while others are needed more


class Supply:
    """`cloner` makes what copies and removes, one for each thread; `name` names each copy."""

    def __init__(self, cloner: Callable[[], Cloner], name: Callable[[], str]) -> None:
        self._cloner, self._name = cloner, name
        self._change = threading.Condition()
        self._ready: deque[Target] = deque()
        self._used: deque[Target] = deque()
        self._making = 0
        self._wrong: Exception | None = None
        self._closed = False
        self._threads = [threading.Thread(target=self._work, name="seeder-supply", daemon=True) for _ in range(MAKERS)]
        for thread in self._threads:
            thread.start()

    def take(self) -> Target:
        """One that nobody had before. Raises what keeps it from being made, EnvironmentFailed when nothing is made any more."""
        with self._change:
            if not self._ready:
                self._wrong = None  # what kept one from being made before may be over
                self._change.notify_all()
            self._change.wait_for(lambda: self._ready or self._wrong or self._closed)
            if not self._ready:
                raise self._wrong.with_traceback(None) if self._wrong else EnvironmentFailed("copies of a store", "no more are made")
            taken = self._ready.popleft()
            self._change.notify_all()
            return taken

    def give_back(self, used: Target) -> None:
        """It is removed when there is time."""
        with self._change:
            self._used.append(used)
            self._change.notify_all()

    def close(self) -> None:
        """Nothing more is made or removed: what is there goes with its server."""
        with self._change:
            self._closed = True
            self._change.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while self._goes_on():
            try:
                with closing(self._cloner()) as cloner:
                    while todo := self._next():
                        todo(cloner)
            except Exception as error:  # noqa: BLE001  (who asks for one is told)
                self._tell(error)

    def _goes_on(self) -> bool:
        """After something went wrong, not before somebody asks again."""
        with self._change:
            self._change.wait_for(lambda: self._closed or self._wrong is None)
            return not self._closed

    def _tell(self, wrong: Exception) -> None:
        with self._change:
            self._wrong = wrong
            self._change.notify_all()

    def _next(self) -> Callable[[Cloner], None] | None:
        """What to do now; none when all is over."""
        with self._change:
            self._change.wait_for(lambda: self._closed or self._used or self._short)
            if self._closed:
                return None
            if self._short and len(self._used) < MOST_USED:
                self._making += 1
                return self._make
            used = self._used.popleft()
            return lambda cloner: self._remove(cloner, used)

    @property
    def _short(self) -> bool:
        return self._wrong is None and len(self._ready) + self._making < AHEAD

    def _make(self, cloner: Cloner) -> None:
        made, wrong = None, None
        try:
            made = cloner.clone(self._name())
        except Exception as error:  # noqa: BLE001  (who asks for one is told)
            wrong = error
        with self._change:
            self._making -= 1
            self._wrong = wrong or self._wrong
            if made:
                self._ready.append(made)
            self._change.notify_all()

    def _remove(self, cloner: Cloner, used: Target) -> None:
        with suppress(EnvironmentFailed):  # a prepared transaction, say: it goes with its server
            cloner.drop(used)
