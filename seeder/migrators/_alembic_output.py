"""What a failed run of Alembic says: which revision, which statement, in whose words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import Final

from seeder.frozen import frozen
from seeder.passed.fitness import Revision

_FRAME: Final = re.compile(r'^\s+File "(?P<path>.+)", line (?P<line>\d+), in ')
_FOREIGN: Final = re.compile(r"[/\\](site|dist)-packages[/\\]|[/\\]lib[/\\]python3|^<")
_RUNNING: Final = re.compile(r"Running upgrade .*-> (?P<id>[^\s,]+)")
_RAISED: Final = re.compile(r"^(?P<kind>[A-Za-z_][\w.]*?): (?P<words>.*)")
_SQL: Final = re.compile(r"^\[SQL: (?P<statement>.*?)\]$(?=\n\[parameters:|\n\(Background|\Z)", re.MULTILINE | re.DOTALL)
_DRIVER: Final = re.compile(r"^\([\w.]+\) ")


@frozen
class Failure:
    """`revision` is the one that ran, if any did; `line` is where it stopped in its file; `statement` what the database refused."""

    revision: Revision | None
    line: int
    cause: str
    statement: str = ""


def read(output: str, revisions: Sequence[Revision]) -> Failure:
    """Make sense of the log: by the traceback's deepest frame in a revision file, else by Alembic's own log lines."""
    by_file = {revision.file.name: revision for revision in revisions}
    lines = output.splitlines()
    frames = [match for line in lines if (match := _FRAME.match(line)) and PurePath(match["path"]).name in by_file]
    running = [match["id"] for line in lines if (match := _RUNNING.search(line))]
    cause, statement = _cause(lines)
    if frames:
        last = frames[-1]
        return Failure(by_file[PurePath(last["path"]).name], int(last["line"]), cause, statement)
    known = {revision.id: revision for revision in revisions}
    return Failure(known.get(running[-1]) if running else None, 1, cause, statement)


def own(output: str) -> str:
    """The log without the frames of packages and of Python itself, which would hide those of the project."""
    kept: list[str] = []
    foreign = False
    for line in output.splitlines():
        frame = _FRAME.match(line)
        foreign = bool(_FOREIGN.search(frame["path"])) if frame else foreign and line.startswith("    ")
        if not foreign:
            kept.append(line)
    return "\n".join(kept)


def _cause(lines: Sequence[str]) -> tuple[str, str]:
    """The message of the last exception, its driver's class and SQLAlchemy's notes taken off, and the statement in it."""
    raised = [index for index, line in enumerate(lines) if _RAISED.match(line) and _follows_a_frame(lines, index)]
    if not raised:
        said = [line.strip() for line in lines if line.strip()]
        return (said[-1] if said else "it said nothing"), ""
    text = "\n".join(lines[raised[-1] :])
    found = _SQL.search(text)
    message = text[: found.start()] if found else text.split("\n[parameters:")[0].split("\n(Background on this error")[0]
    match = _RAISED.match(message)
    kind, words = (match["kind"], message[match.start("words") :]) if match else ("", message)
    plain = " ".join(_DRIVER.sub("", words).split())
    return (plain if "sqlalchemy" in kind else f"{kind}: {plain}"), " ".join(found["statement"].split()) if found else ""


def _follows_a_frame(lines: Sequence[str], index: int) -> bool:
    """An exception's line stands right below an indented line of its traceback."""
    return index > 0 and lines[index - 1].startswith("  ")
