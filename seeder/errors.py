"""The error family: every problem has a subject, a cause and a remedy, and says where it was written when a file is to blame."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from seeder.frozen import frozen


@dataclass(frozen=True, order=True)
class Mark:
    """A place in a file: `line` counts from 1."""

    file: Path
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@frozen
class Problem:
    """One thing that is wrong: what it concerns, why it is wrong, what mends it, where it stands."""

    subject: str
    cause: str
    remedy: str = ""
    mark: Mark | None = None

    def __str__(self) -> str:
        place = f"{self.mark}: " if self.mark else ""
        remedy = f"\n    -> {self.remedy}" if self.remedy else ""
        subject = "" if self.mark and self.subject == self.mark.file.name else f"{self.subject}: "
        return f"{place}{subject}{self.cause}{remedy}"


class SeederError(Exception):
    """Base of all errors a user can meet; `code` is the exit code of commands that wrap nothing, `run_code` that of `run` and `replay`."""

    code = 3
    run_code = 123
    ended_by = "environment"

    def __init__(self, subject: str, cause: str, remedy: str = "", mark: Mark | None = None, *, log: str = "") -> None:
        self.problems: tuple[Problem, ...] = (Problem(subject, cause, remedy, mark),)
        self.log = _beyond(cause, log)  # the last lines of whatever was running, shown below the message
        super().__init__(str(self.problems[0]))

    @classmethod
    def of(cls, problems: Iterable[Problem]) -> SeederError:
        """One error that carries several problems, in the order of their places."""
        found = sorted(problems, key=lambda p: (str(p.mark.file) if p.mark else "", p.mark.line if p.mark else 0))
        if not found:
            raise ValueError("an error needs at least one problem")
        error = cls(found[0].subject, found[0].cause, found[0].remedy, found[0].mark)
        error.problems = tuple(found)
        error.args = ("\n".join(str(p) for p in found),)
        return error


def _beyond(cause: str, log: str) -> str:
    """The log without a last line that the cause ends with: nothing is told twice."""
    above, _, last = log.rstrip("\n").rpartition("\n")
    told = last.strip() and (cause == last.strip() or cause.endswith(f": {last.strip()}"))
    return above if told else log


class DefinitionError(SeederError):
    """A file or an argument is wrong. Nothing was started, unless only the load could find it: a row that its table refuses."""

    code = 2
    run_code = 125
    ended_by = "definition"


class UsageError(DefinitionError):
    """The command line is wrong."""

    ended_by = "usage"


class EnvironmentFailed(SeederError):
    """The environment could not be provided."""


class RefusedStatement(EnvironmentFailed):
    """A store did nothing of a statement: what it would make breaks a rule of its tables."""


class WrongStatement(RefusedStatement):
    """A store does not understand a statement: it asks for a table or a right that is not there, or is misspelt. Waiting does not help."""


_PLACES = "seeder keeps what runs below SEEDER_HOME (yours to choose), and evidence in `.seeder` of the project"
_SPACE = f"free space there; {_PLACES}"
_RIGHTS = f"let this user write there; {_PLACES}"
_FILES = "raise the limit of open files: ulimit -n 4096"
_ROOM = "end what is not needed (`seeder ls`, `seeder down`), or raise the limits of this user: ulimit -u"
_PATH = f"name a folder that can be made; {_PLACES}"
_REFUSALS: Mapping[int, str] = {
    errno.ENOTDIR: _PATH, errno.ELOOP: _PATH, errno.ENAMETOOLONG: _PATH,
    errno.ENOSPC: _SPACE, errno.EDQUOT: _SPACE, errno.EROFS: _RIGHTS, errno.EACCES: _RIGHTS, errno.EPERM: _RIGHTS,
    errno.EMFILE: _FILES, errno.ENFILE: _FILES, errno.ENOMEM: _ROOM, errno.EAGAIN: _ROOM,
}  # fmt: skip


def of_machine(error: BaseException) -> SeederError | None:
    """What this machine refused (space, rights, open files, memory) as one of the family; None for every other error."""
    remedy = _REFUSALS.get(error.errno or 0) if isinstance(error, OSError) else None
    if remedy is None or not isinstance(error, OSError):
        return None
    return EnvironmentFailed(str(error.filename or "this machine"), (error.strerror or str(error)).lower(), remedy)


def said_full(output: str) -> SeederError | None:
    """The same of a program that ended with these words, where it found no space."""
    found = os.strerror(errno.ENOSPC).lower() in output.lower()
    return of_machine(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))) if found else None


class GateRefused(SeederError):
    """A gate or an expectation says that the environment is not fit for the test."""

    code = 4
    run_code = 122
    ended_by = "gate"


class TimeLimit(EnvironmentFailed):
    """The run's time limit was reached."""

    run_code = 124
    ended_by = "timeout"


class LeftOver(EnvironmentFailed):
    """Something of the run could not be removed."""

    run_code = 121
    ended_by = "leftover"


class Defect(EnvironmentFailed):
    """seeder itself is wrong."""

    ended_by = "internal"


class Collector:
    """Gathers problems so that all of a file are reported at once."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(self, subject: str, cause: str, remedy: str = "", mark: Mark | None = None) -> None:
        self.problems.append(Problem(subject, cause, remedy, mark))

    def raise_if_any(self, kind: type[SeederError] = DefinitionError) -> None:
        if self.problems:
            raise kind.of(self.problems)


def in_words(error: BaseException) -> str:
    """What an error says; one without words is called by its kind."""
    return str(error) or type(error).__name__


def counted(number: int, thing: str) -> str:
    """`no files`, `1 file`, `2 processes`, `3 capabilities`."""
    if number == 1:
        return f"1 {thing}"
    if thing.endswith("y") and thing[-2] not in "aeiou":
        return f"{number or 'no'} {thing[:-1]}ies"
    return f"{number or 'no'} {thing}{'es' if thing.endswith('s') else 's'}"


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was meant, as far as spelling tells."""
    import difflib  # only needed when something is already wrong

    return next(iter(difflib.get_close_matches(name, list(known), n=1)), None)


def nearest(name: str, known: Sequence[str]) -> str:
    """A remedy for an unknown name: the closest known one, or the list of all."""
    if close := closest(name, known):
        return f"did you mean {close!r}?"
    return f"known: {', '.join(sorted(known))}" if known else "none is known"
