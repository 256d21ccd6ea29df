"""What a layer's id is made of. Pure: the same inputs give the same id on every machine, runtime and Python.

State is a chain. Every link's id is the SHA-256 (hex) of a canonical JSON list: this format's number, the kind of link, the id of the
link before it, and the link's own inputs by name, keys sorted. So an id names a state and everything that led to it:

    base      engine, image, and what decides how its server begins: settings that are no secret, init scripts, databases
    migrated  the link before  +  store, tool, what all revisions share (env.py, ini, versions, variables), this revision's id and file
    seeded    the link before  +  the files' digests by store, whether and by which keys they are upserted, reference time
    whole     the ends of all servers' chains  +  requests, programs and steps, the services that they act through, seed, reference time

Not in an id: run id, ports, paths, the clock, the order of keys, comments of a compose file, secrets. A secret decides nothing that is
kept; but a server that was initialised with another password does not let its clients in, so a physical form remembers a salted hash.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Literal

_PASSED_OVER = frozenset(
    {".git", ".hg", ".venv", "venv", "node_modules", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".seeder"}
)
FORMAT: Final = 1  # of ids: raised when equal inputs would give another state
Kind = Literal["base", "migrated", "seeded", "whole"]


def link(kind: Kind, before: str, inputs: Mapping[str, Any]) -> str:
    """The id of the state that `inputs` (JSON values) make of the state `before` (empty: of nothing)."""
    return hashlib.sha256(_canonical([FORMAT, kind, before, inputs])).hexdigest()


def content(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def text(value: str) -> str:
    """SHA-256 (hex) of a text."""
    return hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()


def tree(folder: Path, files: Iterable[str]) -> str:
    """SHA-256 (hex) of names and bytes of files below a folder, and of whether they can be executed; not of times and owners."""
    found = {}
    for name in files:
        path = folder / name
        if path.is_symlink():
            found[name] = f"link {path.readlink()}"
        elif path.is_file():
            found[name] = f"{'x' if path.stat().st_mode & 0o111 else '-'} {content(path)}"
    return hashlib.sha256(_canonical(found)).hexdigest()


def inventory(folder: Path) -> list[str]:
    """Every file below a folder, by its path; not what version control, package managers and interpreters keep beside a program."""
    found = []
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(set(folders) - _PASSED_OVER)
        found += [(Path(where) / name).relative_to(folder).as_posix() for name in names if not name.endswith(".pyc")]
    return sorted(found)


def of_secrets(secrets: Mapping[str, Any], salt: str) -> str:
    """A salted hash (scrypt, RFC 7914, N=2^12 r=8 p=1, hex) by which a kept server is known to have been made with these secrets."""
    return _scrypt(_canonical(secrets), salt)


@functools.cache  # it is made to take long, and a run plans twice
def _scrypt(secret: bytes, salt: str) -> str:
    return hashlib.scrypt(secret, salt=bytes.fromhex(salt), n=1 << 12, r=8, p=1, dklen=32).hex()


def same_secrets(secrets: Mapping[str, Any], salt: str, known: str) -> bool:
    return hmac.compare_digest(of_secrets(secrets, salt), known)


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogateescape")
