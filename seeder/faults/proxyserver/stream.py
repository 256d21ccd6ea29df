"""One direction of a connection: what is read passes stage after stage and is written. Stages come and go while bytes flow."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from socket import SHUT_WR, socket
from typing import Final, Protocol

SIZE: Final = 1 << 16  # bytes that are read at once


@dataclass
class Chunk:
    """Bytes, and when they were read or left the last stage that delays (seconds, monotonic)."""

    data: bytes
    at: float


@dataclass(frozen=True)
class End:
    """Nothing more comes. `cut`: the whole connection ends by it; `abrupt`: by a reset."""

    cut: bool = False
    abrupt: bool = False


CUT: Final = End(cut=True)
RESET: Final = End(cut=True, abrupt=True)
Item = Chunk | End


class Inbox:
    """What waits for a stage, at most `size` items: whoever has more waits, too."""

    def __init__(self, size: int) -> None:
        self._size, self._items = size, deque[Item]()
        self._filled, self._room = asyncio.Event(), asyncio.Event()

    @property
    def empty(self) -> bool:
        return not self._items

    @property
    def full(self) -> bool:
        return len(self._items) >= self._size

    def put(self, item: Item) -> None:
        self._items.append(item)
        self._filled.set()

    async def take(self) -> Item:
        while not self._items:
            self._filled.clear()
            await self._filled.wait()
        self._room.set()
        return self._items.popleft()

    async def room(self) -> None:
        """Until something was taken, or the sender is to look again."""
        self._room.clear()
        await self._room.wait()

    def again(self) -> None:
        """Senders look where they send to: it is another place now."""
        self._room.set()


class Sender:
    """Hands on to the next in the chain, whichever that is by then."""

    def __init__(self, following: Inbox) -> None:
        self.following = following

    async def send(self, item: Item) -> None:
        while (there := self.following).full:
            await there.room()
        there.put(item)


class Pipe(Protocol):
    """What a stage does with its items, until one is an End."""

    async def __call__(self, stage: Stage) -> None: ...


class Stage(Sender):
    """One toxic in one direction of one connection. What was taken and not handed on yet is `held`: it survives a change of the pipe."""

    def __init__(self, size: int, following: Inbox, dice: random.Random) -> None:
        super().__init__(following)
        self.inbox, self.dice = Inbox(size), dice
        self.held: Item | None = None
        self.passed = 0  # bytes that a limit has let through
        self.over = False
        self._task: asyncio.Task[None] | None = None

    def run(self, pipe: Pipe) -> None:
        """From now on by this pipe."""
        self.stop()
        if not self.over:
            self._task = asyncio.create_task(self._run(pipe))

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _run(self, pipe: Pipe) -> None:
        await pipe(self)
        self.over = True

    async def take(self) -> Item:
        if self.held is None:
            self.held = await self.inbox.take()
        return self.held

    async def give(self, item: Item, rest: Chunk | None = None) -> None:
        """Hand on what is held; of a chunk that is handed on in parts, `rest` stays."""
        await self.send(item)
        self.held = rest

    def drop(self) -> None:
        self.held = None


async def through(stage: Stage) -> None:
    """Everything passes as it is."""
    while True:
        item = await stage.take()
        await stage.give(item)
        if isinstance(item, End):
            return


class Direction:
    """From one socket to the other. `ended` is told how it ended, once."""

    def __init__(self, source: socket, target: socket, ended: Callable[[End], None]) -> None:
        self._source, self._target, self._ended = source, target, ended
        self._sink = Inbox(1)
        self._head = Sender(self._sink)
        self._stages: list[tuple[str, Stage]] = []
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._write())]

    # -- toxics -------------------------------------------------------------------------------------------------------

    def add(self, name: str, size: int, dice: random.Random, pipe: Pipe) -> None:
        """As the last stage."""
        before = self._stages[-1][1] if self._stages else self._head
        stage = Stage(size, self._sink, dice)
        self._stages.append((name, stage))
        self._lead(before, stage.inbox)
        stage.run(pipe)

    def change(self, name: str, pipe: Pipe) -> None:
        for known, stage in self._stages:
            if known == name:
                stage.run(pipe)

    def remove(self, name: str) -> None:
        """What it holds passes; then it is gone."""
        for known, stage in self._stages:
            if known == name:
                stage.run(self._leaving)

    async def _leaving(self, stage: Stage) -> None:
        while stage.held is not None or not stage.inbox.empty:
            item = await stage.take()
            await stage.give(item)
            if isinstance(item, End):
                return
        place = next(place for place, (_, one) in enumerate(self._stages) if one is stage)
        del self._stages[place]
        self._lead(self._stages[place - 1][1] if place else self._head, stage.following)

    def _lead(self, sender: Sender, to: Inbox) -> None:
        before, sender.following = sender.following, to
        before.again()

    # -- sockets ------------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        loop, end = asyncio.get_running_loop(), End()
        try:
            while data := await loop.sock_recv(self._source, SIZE):
                await self._head.send(Chunk(data, time.monotonic()))
        except ConnectionError:
            end = RESET
        await self._head.send(end)

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while isinstance(item := await self._sink.take(), Chunk):
                await loop.sock_sendall(self._target, item.data)
        except OSError:  # nobody listens there any more
            item = CUT
        if not item.cut:
            with suppress(OSError):
                self._target.shutdown(SHUT_WR)
        self._ended(item)

    async def close(self) -> None:
        """Once this is over, nothing is at work on the sockets."""
        for _, stage in self._stages:
            stage.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def elapsed(seconds: float) -> None:
    """Time that a toxic takes. Nothing is waited for: that is what it does."""
    if seconds > 0:
        await asyncio.sleep(seconds)


async def before(work: Awaitable[Item], seconds: float) -> Item | None:
    """What the work gives within this time, else None."""
    try:
        return await asyncio.wait_for(work, seconds)
    except TimeoutError:
        return None
