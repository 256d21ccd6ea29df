"""A layer on its way to or from a remote: its name there, what is told of its pack, and what became of it.

A layer is called there as here, by its key. What belongs to a set has more to its name: the same set may have been made on two machines,
in other forms or in another cut, and no pack of one may take the place of the other's. So a member's name ends with its cut, the
manifest's with the forms of its members.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

from seeder.errors import Problem
from seeder.frozen import frozen
from seeder.machine import home
from seeder.machine.pack import Seal
from seeder.passed.layer import SET, Layer, key

FORMAT: Final = 1  # of what is told beside a pack
NAME: Final = re.compile(r"(?P<key>[0-9a-f]{64}\.(?P<form>[A-Za-z0-9_-][A-Za-z0-9_.-]*?))(?:\.of-(?P<cut>[0-9a-f]{8}))?")
NOBODY: Final[Mapping[str, str]] = {}
State = Literal["moved", "there", "unfit", "left out"]


@frozen
class Parcel:
    """What a remote tells of one layer under a name. `members` of a set: their keys, and the SHA-256 of each one's pack."""

    name: str
    layer: Layer
    seal: Seal
    members: Mapping[str, str]

    @property
    def of(self) -> str:
        return whose(self.layer.facts)


@frozen
class Transfer:
    """`moved`, `there` already, `unfit` for this stack, or `left out` because something is wrong with it; `why`: the last two's reason."""

    name: str
    of: str
    state: State
    length: int = 0
    why: Problem | None = None


def shown(name: str) -> str:
    """A layer as errors name it."""
    return f"layer {name[:12]}"


def whose(facts: Mapping[str, Any]) -> str:
    """The stack and the server that a layer is of."""
    return f"{facts.get('stack', '-')}/{facts.get('server', 'set')}"


def manifest_name(whole: str, members: Iterable[str]) -> str:
    """Of a set whose members have these keys."""
    return f"{key(whole, SET)}.of-{_short(sorted(members))}"


def member_name(member: str, members: Mapping[str, str]) -> str:
    """Of one member. `members`: their keys, and the SHA-256 of each one's pack, which together are the cut."""
    return f"{member}.of-{_short(sorted(members.items()))}"


def _short(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:8]


def told(layer: Layer, seal: Seal, facts: Mapping[str, Any], members: Mapping[str, str] = NOBODY) -> dict[str, Any]:
    """What stands beside the pack, as JSON values."""
    return {
        "format": FORMAT,
        "id": layer.id,
        "form": layer.form,
        "where": layer.where,
        "made": layer.made.isoformat(timespec="seconds"),
        "size": layer.size,
        "facts": {**layer.facts, **facts},
        "sha256": seal.sha256,
        "length": seal.length,
        **({"members": dict(members)} if members else {}),
    }


def read(name: str, given: Mapping[str, Any]) -> Parcel | None:
    """What is told under a name; None when it is not understood."""
    try:
        made = datetime.datetime.fromisoformat(given["made"])
        facts, size = dict(given["facts"]), int(given["size"])
        layer = Layer(str(given["id"]), str(given["form"]), "", size, made, made, facts, str(given["where"]))
        members = {str(member): str(digest) for member, digest in dict(given.get("members", {})).items()}
        parcel = Parcel(name, layer, Seal(str(given["sha256"]), int(given["length"])), members)
    except (LookupError, TypeError, ValueError):
        return None
    named, known = NAME.fullmatch(name), all(NAME.fullmatch(member) for member in members)
    return parcel if given.get("format") == FORMAT and named and named["key"] == layer.key and known else None


@contextmanager
def bench() -> Iterator[Path]:
    """A folder for packs beside the layers: there is room for them, and it goes with what killed processes leave there."""
    folder = home.cache() / "layers" / f".packs.{secrets.token_hex(6)}"
    folder.mkdir(mode=0o700, parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
