"""Why a policy refuses a dataset: its kind, its privacy, its rows, its age. Reads files, asks nobody."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from seeder.definition.dataset import Dataset, Part
from seeder.definition.duration import words
from seeder.definition.manifest import Policy
from seeder.definition.records import count
from seeder.errors import Problem

LEVELS: Final = ("raw", "masked", "no-pii")
_DUMP = re.compile(rb"^-- PostgreSQL database dump\b|^COPY\s.+\sFROM\s+stdin\b|^-- MySQL dump\b", re.IGNORECASE)


def refusals(policy: Policy, dataset: Dataset, parts: Iterable[Part] | None = None, *, now: datetime.datetime) -> list[Problem]:
    """Why the policy forbids this dataset, naming both sides; nothing when it may be loaded.

    `parts` are the files that would be loaded (all of the dataset's when left out); `now` is the time that ages count to.
    """
    files = [dataset.path / path for path in dataset.files] if parts is None else [part.path for part in parts]
    found = [*_kind(policy, dataset), *_privacy(policy, dataset), *_rows(policy, dataset.label, files, dataset)]
    return found + list(_age(policy, dataset, now))


def too_many(policy: Policy, datasets: Sequence[Dataset]) -> list[Problem]:
    """Datasets that each fit the policy's rows and together do not."""
    if policy.rows is None or len(datasets) < 2:  # noqa: PLR2004 - one alone is judged by `refusals`
        return []
    counts = [sum(count(dataset.path / path) for path in dataset.files) for dataset in datasets]
    if sum(counts) <= policy.rows or max(counts) > policy.rows:
        return []
    labels = " and ".join(dataset.label for dataset in datasets)
    cause = f"together hold {sum(counts)} rows; policy {policy.name} allows {policy.rows}"
    return [Problem(labels, cause, f"use less data, or another policy than {policy.name}", datasets[-1].mark)]


def privacy_of(dataset: Dataset) -> str:
    """The dataset's privacy: as declared; else raw for what came from an incident or holds an SQL dump, no-pii for curated data."""
    if dataset.privacy:
        return dataset.privacy
    return "raw" if dataset.kind == "fixture" or _dump(dataset) else "no-pii"


def _kind(policy: Policy, dataset: Dataset) -> Iterator[Problem]:
    if policy.sources and dataset.kind not in policy.sources:
        cause = f"is {dataset.kind} data; policy {policy.name} allows {', '.join(policy.sources)}"
        yield Problem(dataset.label, cause, "use another dataset, or another policy", dataset.mark)


def _privacy(policy: Policy, dataset: Dataset) -> Iterator[Problem]:
    if policy.privacy is None:
        return
    needed = "no-pii" if policy.privacy == "strict" else policy.privacy
    if LEVELS.index(privacy_of(dataset)) < LEVELS.index(needed):
        cause = f"{_why(dataset)}; policy {policy.name} asks for {policy.privacy}"
        remedy = f"mask it and declare `privacy: {needed}`, or use another dataset"
        yield Problem(dataset.label, cause, remedy, dataset.mark)
    elif policy.privacy == "strict" and dataset.privacy is None:
        cause = f"does not declare its privacy; policy {policy.name} asks for strict"
        yield Problem(dataset.label, cause, "declare `privacy: no-pii` if it holds no personal data", dataset.mark)


def _why(dataset: Dataset) -> str:
    if dataset.privacy:
        return f"is {dataset.privacy}"
    dump = _dump(dataset)
    reason = f"holds an SQL dump without a privacy label ({dump.name})" if dump else "declares no privacy"
    return f"counts as raw, for it {reason}"


def _dump(dataset: Dataset) -> Path | None:
    """The dataset's first SQL file that a dump tool wrote."""
    return next((dataset.path / path for path in dataset.files if path.suffix == ".sql" and _is_dump(dataset.path / path)), None)


def _is_dump(file: Path) -> bool:
    if not file.is_file():
        return False
    with file.open("rb") as lines:
        return any(_DUMP.match(line) for line in lines)


def _rows(policy: Policy, label: str, files: Sequence[Path], dataset: Dataset) -> Iterator[Problem]:
    if policy.rows is None:
        return
    total = sum(count(file) for file in files)
    if total > policy.rows:
        cause = f"holds {total} rows; policy {policy.name} allows {policy.rows}"
        yield Problem(label, cause, "use a smaller dataset, or another policy", dataset.mark)


def _age(policy: Policy, dataset: Dataset, now: datetime.datetime) -> Iterator[Problem]:
    if policy.max_age is None:
        return
    if dataset.captured_at is None:
        if dataset.kind == "fixture":
            cause = f"does not say when it was captured; policy {policy.name} allows data of the last {words(policy.max_age)}"
            yield Problem(dataset.label, cause, "add `captured_at`", dataset.mark)
        return
    age = (now - dataset.captured_at).total_seconds()
    if age > policy.max_age:
        cause = f"was captured {words(age)} ago; policy {policy.name} allows {words(policy.max_age)}"
        yield Problem(dataset.label, cause, "capture it anew, or use another policy", dataset.mark)
