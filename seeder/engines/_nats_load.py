"""One load into the streams of a server: everything is checked in `load`, messages are published in order in `commit`, one by one:
those before one that the broker refuses, for a limit of the stream say, are stored and are deleted again.

What is there already is told by `Nats-Msg-Id`, or by subject, headers and payload where a message has none; each stored message
stands for one in the files. An upsert adds what is missing. Otherwise all are added, and an id that is there already is refused:
the broker would drop the second one without a word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from seeder.engines import _nats_client, _nats_streams
from seeder.engines._nats_client import Link
from seeder.engines._nats_streams import MESSAGE_ID, Stored, Stream
from seeder.errors import Collector, EnvironmentFailed, Mark, nearest
from seeder.passed.content import Messages, Records, encoded
from seeder.passed.target import Target
from seeder.protocols import Finality


class NatsSession:
    def __init__(self, target: Target, *, upsert: bool) -> None:
        self._target = target
        self._upsert = upsert
        self._waiting: list[tuple[Stored, Mark]] = []
        self._published: list[tuple[str, int]] = []  # stream and number of each message
        self._final = False

    @property
    def finality(self) -> Finality:
        return Finality.FINAL if self._final else Finality.REVOCABLE

    def load(self, records: Sequence[Records]) -> Mapping[str, int]:
        files = [item for item in records if isinstance(item, Messages)]
        problems = Collector()
        missing = _nats_client.run(self._target, lambda link: self._checked(link, files, problems))
        problems.raise_if_any()
        self._waiting += missing
        counts: dict[str, int] = {}
        for file in files:
            counts[file.part.name] = counts.get(file.part.name, 0) + len(file.messages)
        return counts

    def verify(self) -> None:
        """All was checked when it was loaded."""

    def commit(self) -> None:
        if self._waiting:
            _nats_client.run(self._target, self._publish)
        self._waiting = []

    def rollback(self) -> None:
        self._waiting = []
        if self._published:
            _nats_client.run(self._target, self._delete)
        self._published = []

    async def _publish(self, link: Link) -> None:
        for message, mark in self._waiting:
            try:
                answer = await link.publish(message.subject, message.headers, message.payload)
            except EnvironmentFailed as error:
                found = error.problems[0]
                raise EnvironmentFailed(found.subject, found.cause, found.remedy, mark) from error
            if answer.get("duplicate"):
                cause = f"the broker took {message.headers.get(MESSAGE_ID)} for a message that it had shortly before, and dropped it"
                raise EnvironmentFailed(self._target.store, cause, "give the message another Nats-Msg-Id", mark)
            self._published.append((answer["stream"], answer["seq"]))

    async def _delete(self, link: Link) -> None:
        for stream, number in reversed(self._published):
            await link.ask(f"STREAM.MSG.DELETE.{stream}", {"seq": number, "no_erase": True})

    async def _checked(self, link: Link, files: Sequence[Messages], problems: Collector) -> list[tuple[Stored, Mark]]:
        """The messages that are to be published; what is wrong with the others goes to `problems`."""
        there = _There(await _nats_streams.streams(link))
        for message, _ in self._waiting:
            there.add(there.stream(message.subject), message)
        missing: list[tuple[Stored, Mark]] = []
        for file in files:
            for given in file.messages:
                message = Stored(0, given.subject, given.headers, encoded(given.payload))
                mark = Mark(file.part.path, given.line)
                stream = there.stream(given.subject)
                await there.learn(link, stream)
                if self._wanted(there, stream, message, mark, problems):
                    missing.append((message, mark))
                    self._final = self._final or there.keeps(stream)
        return missing

    def _wanted(self, there: _There, stream: Stream | None, message: Stored, mark: Mark, problems: Collector) -> bool:
        if stream is None:
            remedy = there.hint(message.subject)
            problems.add(message.subject, "no stream takes this subject, so the message would be lost", remedy, mark)
            return False
        id_ = message.headers.get(MESSAGE_ID)
        twin = there.ids[stream.name].get(id_) if id_ else None
        if twin and (not self._upsert or twin.content != message.content):
            cause = (
                f"the stream {stream.name} holds a message with this id{'' if twin.content == message.content else ' and another content'}"
            )
            problems.add(f"{MESSAGE_ID} {id_}", cause, "give it another id, or leave it out", mark)
            return False
        if twin or (self._upsert and there.take(stream, message)):
            return False
        if id_:
            there.ids[stream.name][id_] = message
        return True


class _There:
    """What the streams hold, read when a stream is first asked for."""

    def __init__(self, streams: Sequence[Stream]) -> None:
        self._streams = streams
        self._stock: dict[str, Counter[object]] = {}
        self.ids: dict[str, dict[str, Stored]] = {}

    def stream(self, subject: str) -> Stream | None:
        return next((stream for stream in self._streams if stream.takes(subject)), None)

    def keeps(self, stream: Stream | None) -> bool:
        """Whether a message cannot be taken out again: the stream forbids it, or hands its messages on."""
        if stream is None or stream.config.get("deny_delete") or stream.config.get("republish"):
            return True
        origins = [of for other in self._streams for of in (other.config.get("mirror"), *(other.config.get("sources") or ())) if of]
        return any(origin["name"] == stream.name for origin in origins)

    def hint(self, subject: str) -> str:
        known = [pattern for stream in self._streams for pattern in stream.config.get("subjects") or ()]
        return nearest(subject, known) if known else "the store has no streams: create them when it is migrated (x-seeder: migrate)"

    async def learn(self, link: Link, stream: Stream | None) -> None:
        if stream is None or stream.name in self._stock:
            return
        self._stock[stream.name], kept = Counter(), self.ids.get(stream.name, {})
        self.ids[stream.name] = {}
        async for message in _nats_streams.messages(link, stream):
            self.add(stream, message)
        self.ids[stream.name] |= kept

    def add(self, stream: Stream | None, message: Stored) -> None:
        if stream is None:
            return
        id_ = message.headers.get(MESSAGE_ID)
        if id_:
            self.ids.setdefault(stream.name, {})[id_] = message
        elif stream.name in self._stock:
            self._stock[stream.name][message.content] += 1

    def take(self, stream: Stream, message: Stored) -> bool:
        """Whether an equal message is stored that stands for no other one yet."""
        if message.headers.get(MESSAGE_ID) or not self._stock[stream.name][message.content]:
            return False
        self._stock[stream.name][message.content] -= 1
        return True
