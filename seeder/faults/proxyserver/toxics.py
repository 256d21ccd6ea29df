"""What toxics do to a stream of bytes: https://github.com/Shopify/toxiproxy#toxics. Times are milliseconds unless said."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Final, Literal

from seeder.faults.proxyserver.stream import CUT, RESET, Chunk, End, Pipe, Stage, before, elapsed, through

Stream = Literal["upstream", "downstream"]
STREAMS: Final[tuple[Stream, ...]] = ("upstream", "downstream")


@dataclass(frozen=True)
class Toxic:
    """One kind of toxic with its attributes."""

    waits: ClassVar[int] = 1  # chunks that may wait before it
    ends: ClassVar[bool] = False  # a connection that it has harmed ends with it

    @property
    def attributes(self) -> dict[str, int]:
        return asdict(self)

    def changed(self, given: Mapping[str, Any]) -> Toxic:
        """The same with other attributes; those that it does not have are ignored. Raises ValueError for what is no whole number."""
        known = {field.name for field in fields(self)}
        for name, value in given.items():
            if name in known and (isinstance(value, bool) or not isinstance(value, int)):
                raise ValueError(f"attributes.{name} is no whole number: {value!r}")
        return type(self)(**{**self.attributes, **{name: value for name, value in given.items() if name in known}})

    async def pipe(self, stage: Stage) -> None:
        await through(stage)


@dataclass(frozen=True)
class Noop(Toxic):
    pass


@dataclass(frozen=True)
class Latency(Toxic):
    """Every chunk comes later by `latency`, more or less by up to `jitter`."""

    latency: int = 0
    jitter: int = 0
    waits: ClassVar[int] = 1024

    async def pipe(self, stage: Stage) -> None:
        while isinstance(item := await stage.take(), Chunk):
            jitter = stage.dice.randrange(2 * self.jitter) - self.jitter if self.jitter > 0 else 0
            late = (self.latency + jitter) / 1000
            await elapsed(late - (time.monotonic() - item.at))
            await stage.give(Chunk(item.data, item.at + late))
        await stage.give(item)


@dataclass(frozen=True)
class Bandwidth(Toxic):
    """At most `rate` KB (1,000 bytes) pass in a second, in parts of a tenth of that; 0 is no limit."""

    rate: int = 0

    async def pipe(self, stage: Stage) -> None:
        due = time.monotonic()
        while isinstance(item := await stage.take(), Chunk):
            size = self.rate * 100 if self.rate > 0 else len(item.data)
            due = max(due, time.monotonic() - 0.1)
            for start in range(0, len(item.data), max(size, 1)):
                part, rest = item.data[start : start + size], item.data[start + size :]
                due += len(part) / (self.rate * 1000) if self.rate > 0 else 0
                await elapsed(due - time.monotonic())
                await stage.give(Chunk(part, item.at), Chunk(rest, item.at) if rest else None)
        await stage.give(item)


@dataclass(frozen=True)
class SlowClose(Toxic):
    """The end of the stream comes later by `delay`."""

    delay: int = 0

    async def pipe(self, stage: Stage) -> None:
        while isinstance(item := await stage.take(), Chunk):
            await stage.give(item)
        await elapsed(self.delay / 1000)
        await stage.give(item)


@dataclass(frozen=True)
class Timeout(Toxic):
    """Nothing passes; `timeout` after the last of it the connection is closed; 0: it stays."""

    timeout: int = 0
    ends: ClassVar[bool] = True

    async def pipe(self, stage: Stage) -> None:
        while True:
            item = await before(stage.take(), self.timeout / 1000) if self.timeout > 0 else await stage.take()
            if item is None:
                return await stage.give(CUT)
            if isinstance(item, End):
                return await stage.give(item)
            stage.drop()


@dataclass(frozen=True)
class ResetPeer(Toxic):
    """`timeout` after the first bytes the connection is reset."""

    timeout: int = 0

    async def pipe(self, stage: Stage) -> None:
        await stage.take()
        await elapsed(self.timeout / 1000)
        await stage.give(RESET)


@dataclass(frozen=True)
class Slicer(Toxic):
    """Chunks come in parts of `average_size` bytes, more or less by `size_variation`, each `delay` microseconds after the other."""

    average_size: int = 0
    size_variation: int = 0
    delay: int = 0

    async def pipe(self, stage: Stage) -> None:
        while isinstance(item := await stage.take(), Chunk):
            for start, end in self.cuts(0, len(item.data), stage.dice):
                rest = item.data[end:]
                await stage.give(Chunk(item.data[start:end], item.at), Chunk(rest, item.at) if rest else None)
                await elapsed(self.delay / 1_000_000)
        await stage.give(item)

    def cuts(self, start: int, end: int, dice: random.Random) -> list[tuple[int, int]]:
        """Halved, more or less, until no part is larger than the average one by more than the variation."""
        if end - start <= max(self.average_size + self.size_variation, 1):
            return [(start, end)]
        middle = start + (end - start) // 2
        if self.size_variation > 0:
            middle += dice.randrange(2 * self.size_variation) - self.size_variation
        middle = min(max(middle, start + 1), end - 1)
        return [*self.cuts(start, middle, dice), *self.cuts(middle, end, dice)]


@dataclass(frozen=True)
class LimitData(Toxic):
    """After `bytes` the connection is closed."""

    bytes: int = 0

    async def pipe(self, stage: Stage) -> None:
        while isinstance(item := await stage.take(), Chunk):
            left = max(self.bytes - stage.passed, 0)
            part = item.data[:left]
            if part:
                await stage.give(Chunk(part, item.at))
                stage.passed += len(part)
            if stage.passed >= self.bytes:
                item = CUT
                break
        await stage.give(item)


TYPES: Final[Mapping[str, Toxic]] = {
    "noop": Noop(),
    "latency": Latency(),
    "bandwidth": Bandwidth(),
    "slow_close": SlowClose(),
    "timeout": Timeout(),
    "reset_peer": ResetPeer(),
    "slicer": Slicer(),
    "limit_data": LimitData(),
}


@dataclass(frozen=True)
class Applied:
    """A toxic on one direction of a proxy; `toxicity`: the share of connections that it harms."""

    name: str
    type: str
    stream: Stream
    toxicity: float
    toxic: Toxic

    def pipe(self, dice: random.Random) -> Pipe:
        """What it does to one connection."""
        return self.toxic.pipe if dice.random() < self.toxicity else through

    @property
    def told(self) -> dict[str, Any]:
        toxicity = int(self.toxicity) if self.toxicity == int(self.toxicity) else self.toxicity
        shown = {"name": self.name, "type": self.type, "stream": self.stream, "toxicity": toxicity}
        return {"attributes": self.toxic.attributes, **shown}
