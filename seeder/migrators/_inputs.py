"""The files that decide what a program or a one-shot service does to a store: they stand for its revisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from seeder.definition.stack import Stack, Store
from seeder.errors import Collector, DefinitionError
from seeder.passed.fitness import Revision


def revisions(store: Store, stack: Stack, globs: Sequence[str]) -> tuple[Revision, ...]:
    """Every file that a glob matches, in the order of its path. The id is the file's name, with its folders where two have one name.
    Raises DefinitionError when a glob matches nothing."""
    found = files(store, stack, globs)
    names = Counter(path.name for path in found.values())
    return tuple(Revision(path.name if names[path.name] == 1 else place, path) for place, path in found.items())


def files(store: Store, stack: Stack, globs: Sequence[str]) -> dict[str, Path]:
    """Every file that a glob matches, by its path from the compose file's folder and in that order; a folder stands for all files
    below it. Raises DefinitionError when a glob matches nothing."""
    problems, found = Collector(), dict[str, Path]()
    for glob in globs:
        matched = {path.relative_to(stack.project_dir).as_posix(): path for path in _matches(stack.project_dir, glob)}
        if not matched:
            cause, remedy = f"no file matches {glob}", "globs count from the compose file's folder"
            problems.add(f"{store.name}: inputs", cause, remedy, stack.services[store.service].mark)
        found |= matched
    problems.raise_if_any(DefinitionError)
    return dict(sorted(found.items()))


def _matches(folder: Path, glob: str) -> Iterator[Path]:
    try:
        for path in folder.glob(glob.removeprefix("./").rstrip("/")):
            yield from (file for file in ([path] if path.is_file() else path.rglob("*")) if _counts(file))
    except (ValueError, NotImplementedError):  # `..` or an absolute glob matches nothing below the folder
        return


def _counts(file: Path) -> bool:
    return file.is_file() and "__pycache__" not in file.parts
