"""One load into a Redis database: checked key by key, written in one MULTI/EXEC at commit.

A server may refuse it even then (it is out of memory, or writes nothing while its disk is full), which nobody can ask it beforehand;
therefore what the keys held is kept, and put back when another store's commit fails.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seeder.engines import _redis_client, _redis_keys
from seeder.engines._redis_keys import Entry
from seeder.errors import Collector, Mark
from seeder.frozen import frozen
from seeder.passed.content import Key, Keys, Records
from seeder.passed.target import Target
from seeder.protocols import Finality


@frozen
class _Before:
    """A key as it was: the server's own form of its value (None: it was not there) and what was left of its time to live, in ms."""

    key: bytes
    content: bytes | None
    left: int

    def write(self, pipe: Any) -> None:
        pipe.delete(self.key)
        if self.content is not None:
            pipe.restore(self.key, max(0, self.left), self.content)


class RedisSession:
    """Nothing is written before `commit`. A key that is there with another value is refused, unless the load is an upsert."""

    finality = Finality.REVOCABLE

    def __init__(self, target: Target, *, upsert: bool) -> None:
        self._target = target
        self._upsert = upsert
        self._marks: dict[bytes, Mark] = {}
        self._entries: list[Entry] = []
        self._before: list[_Before] = []
        self._written = False

    def load(self, records: Sequence[Records]) -> Mapping[str, int]:
        counts: dict[str, int] = {}
        problems = Collector()
        with _redis_client.connect(self._target) as client:
            for file in (item for item in records if isinstance(item, Keys)):
                entries = [self._entry(file, key, problems) for key in file.keys]
                if not self._upsert:
                    self._compare(
                        file, entries, {found.key: found for found in _redis_keys.read(client, [e.key for e in entries])}, problems
                    )
                self._entries += entries
                counts[file.part.name] = counts.get(file.part.name, 0) + len(entries)
        problems.raise_if_any()
        return counts

    def verify(self) -> None:
        """All was checked when it was loaded; what the keys hold now is kept."""
        with _redis_client.connect(self._target) as client:
            pipe = client.pipeline(transaction=False)
            for entry in self._entries:
                pipe.dump(entry.key).pttl(entry.key)
            answers = pipe.execute()
        pairs = zip(answers[::2], answers[1::2], strict=True)
        self._before = [_Before(entry.key, content, left) for entry, (content, left) in zip(self._entries, pairs, strict=True)]

    def commit(self) -> None:
        with _redis_client.connect(self._target) as client:
            pipe = client.pipeline(transaction=True)
            for entry in self._entries:
                _redis_keys.write(pipe, entry)
            self._written = True  # as far as anybody knows, until the server says that it did nothing of it
            try:
                answers = pipe.execute(raise_on_error=False)
            except _redis_client.driver().exceptions.ResponseError:
                self._written = False
                raise
            for refused in (answer for answer in answers if isinstance(answer, Exception)):
                raise refused
        self._entries = []

    def rollback(self) -> None:
        self._entries = []
        if self._written:
            with _redis_client.connect(self._target) as client:
                pipe = client.pipeline(transaction=True)
                for before in self._before:
                    before.write(pipe)
                pipe.execute()
            self._written = False

    def _entry(self, file: Keys, key: Key, problems: Collector) -> Entry:
        entry = Entry(
            key.key.encode(), key.type, _redis_keys.given(key.key, key.type, key.value), None if key.ttl is None else round(key.ttl * 1000)
        )
        mark = Mark(file.part.path, key.line)
        first = self._marks.setdefault(entry.key, mark)
        if first is not mark:
            problems.add(key.key, f"the key stands in {first} already", "keep one of the two", mark)
        return entry

    def _compare(self, file: Keys, entries: Sequence[Entry], there: Mapping[bytes, Entry], problems: Collector) -> None:
        for entry, key in zip(entries, file.keys, strict=True):
            found = there.get(entry.key)
            if found and (found.type, found.value) != (entry.type, entry.value):
                cause = f"the key is there already, with another value (a {found.type})"
                remedy = "take it out of one of the two datasets; reference and config data may replace keys"
                problems.add(key.key, cause, remedy, Mark(file.part.path, key.line))
