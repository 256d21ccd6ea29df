"""SQL files: written by hand or by pg_dump. The engine reads their statements; here they are looked at as files."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from seeder.definition.dataset import Part, PartKind
from seeder.errors import Mark, Problem
from seeder.loaders import _mistakes
from seeder.passed.content import Script

_ARCHIVE: Final = b"PGDMP"


class SqlLoader:
    kind: PartKind = "sql"

    def read(self, part: Part, as_of: datetime.datetime) -> Script:  # noqa: ARG002  (SQL knows no relative dates)
        """The file can be read and is UTF-8 text. Raises DefinitionError with all lines that are not."""
        try:
            _mistakes.refuse(part.path, _problems(part.path))
        except OSError as error:
            raise _mistakes.unreadable(part.path, error) from error
        return Script(part)


def _problems(path: Path) -> Iterator[Problem]:
    with path.open("rb") as lines:
        for number, raw in enumerate(lines, 1):
            if number == 1 and raw.startswith(_ARCHIVE):
                cause, remedy = "this is an archive of pg_dump, not SQL", f"pg_restore -f {path.name} ARCHIVE writes it as SQL"
                yield Problem(path.name, cause, remedy, Mark(path, 1))
                return
            text = _mistakes.decoded(path, number, raw)
            if isinstance(text, Problem):
                yield text
