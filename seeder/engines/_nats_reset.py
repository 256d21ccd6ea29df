"""A NATS store without streams.

A server that deletes a stream moves its folder aside and removes it later. While it still removes an earlier one of the same name
it cannot move the next aside: it leaves the folder where it is, says that the stream is deleted, and gives its messages to the
next stream of that name. So a stream is taken to be gone when one that is made in its place has never held a message.
"""

from __future__ import annotations

from seeder.engines import _nats_client, _nats_streams
from seeder.engines._nats_client import Link
from seeder.passed.target import Target
from seeder.wait import READY, Verdict, not_yet, wait_for

_SECONDS = 30.0


def reset(target: Target) -> None:
    """Delete every stream. Raises EnvironmentFailed when the server does not let go of one."""
    doubtful: set[str] = set()
    wait_for(target.store, lambda: _nats_client.run(target, lambda link: _emptied(link, doubtful)), within=_SECONDS)


async def _emptied(link: Link, doubtful: set[str]) -> Verdict:
    for stream in await _nats_streams.streams(link):
        await link.ask(f"STREAM.DELETE.{stream.name}")
        doubtful.add(stream.name)
    for name in sorted(doubtful):
        verdict = await gone(link, name)
        if verdict.state != "ready":
            return verdict
        doubtful.remove(name)
    return READY


async def gone(link: Link, name: str) -> Verdict:
    """One look at a deleted stream: has the server let go of it?"""
    made = await link.attempt(f"STREAM.CREATE.{name}", {"name": name, "subjects": [f"_seeder.reset.{name}"]})
    if "error" in made:
        return not_yet(f"stream {name}: {made['error']['description']}")
    await link.ask(f"STREAM.DELETE.{name}")
    return not_yet(f"the server still holds messages of the deleted stream {name}") if made["state"]["last_seq"] else READY
