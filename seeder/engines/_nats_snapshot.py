"""The broker's own copy of a stream: taken and given back over the client's connection, in acknowledged pieces.

Numbers, times and the floors of its consumers come back with it. Ids of later messages are forgotten; those of the messages that come
back are remembered by brokers of 2.10, and no more by 2.15, for what is left of the stream's duplicate window.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seeder.engines._nats_client import Link
from seeder.errors import EnvironmentFailed

_PIECE = 128 << 10
_SECONDS = 30.0


async def take(link: Link, stream: str, path: Path) -> dict[str, Any]:
    """Write the copy; answer the configuration and state that go with it. Raises EnvironmentFailed where the broker makes none."""
    inbox = await link.connection.subscribe(link.connection.new_inbox())
    try:
        answer = await link.ask(f"STREAM.SNAPSHOT.{stream}", {"deliver_subject": inbox.subject, "chunk_size": _PIECE})
        with path.open("wb") as file:
            while piece := await inbox.next_msg(timeout=_SECONDS):
                if not piece.data:
                    _complete(stream, piece.headers)
                    break
                file.write(piece.data)
                if piece.reply:
                    await piece.respond(b"")
    finally:
        await inbox.unsubscribe()
    return {"config": answer["config"], "state": answer["state"]}


def _complete(stream: str, headers: Mapping[str, str] | None) -> None:
    status = (headers or {}).get("Status", "204")
    if status != "204":
        raise EnvironmentFailed(stream, f"the broker broke off its copy: {(headers or {}).get('Description', status)}")


async def give_back(link: Link, stream: str, about: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Make the stream, which must not be there, from the copy; answer its state. Raises EnvironmentFailed."""
    answer = await link.ask(f"STREAM.RESTORE.{stream}", {"config": about["config"], "state": about["state"]})
    subject = answer["deliver_subject"]
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            _accepted(stream, await link.connection.request(subject, piece, timeout=_SECONDS))
    made = _accepted(stream, await link.connection.request(subject, b"", timeout=_SECONDS))
    state: dict[str, Any] = made["state"]
    return state


def _accepted(stream: str, message: Any) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(message.data) if message.data else {}
    if "error" in answer:
        raise EnvironmentFailed(stream, f"the broker does not take its copy back: {answer['error']['description']}")
    return answer
