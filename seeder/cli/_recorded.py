"""`seeder dataset record` and `diff`: golden data out of an environment, and what became of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seeder.cli import _inside, _options
from seeder.cli._datasets import chosen
from seeder.cli._terminal import near, say
from seeder.errors import counted

if TYPE_CHECKING:
    from seeder.datasets.differing import Difference
    from seeder.definition.manifest import Manifest
    from seeder.recording import Recorded

SHOWN = 10  # rows of a table in the text


@click.command("record")
@click.argument("name")
@click.option("--from", "run", metavar="RUN", help=_inside.RUN_HELP)
@click.option("--kind", type=click.Choice(["golden", "reference", "fixture"]), default="golden", show_default=True)
@click.option("--stores", metavar="A,B", help="Only these stores.")
@click.option("--version", default="1.0.0", show_default=True, help="As the manifest's entry will say.")
@click.option("--into", type=click.Path(path_type=Path, file_okay=False), help="The folder; testdata/KIND/NAME by default.")
@click.option("--force", is_flag=True, help="Replace the recorded stores' files that are there.")
@_options.as_json
def record(
    name: str, run: str | None, kind: str, stores: str | None, version: str, into: Path | None, *, force: bool, as_json: bool
) -> None:
    """Write what the stores of an environment hold, beyond migrations, lookups and settings, as the dataset NAME, with its SHA256SUMS.

    Prints what to add below `datasets:` of the manifest.
    """
    from seeder import recording
    from seeder.cli import _render
    from seeder.definition.fields import NAME
    from seeder.definition.request import find_project
    from seeder.errors import UsageError

    if not NAME.fullmatch(name):
        raise UsageError(name, "is not a name of a dataset", "use small letters, digits, - and _, and begin with a letter or digit")
    where = _inside.found(run)
    manifest = find_project(where.claim.checkout if where.claim else None)
    folder = into.resolve() if into else manifest.root / "testdata" / kind / name
    if not force and folder.is_dir() and any(folder.iterdir()):
        raise UsageError(
            near(str(folder)), "holds files already", "--force replaces those of the stores that are recorded, --into writes elsewhere"
        )
    with _inside.explained(where):
        found = recording.record(where, tuple(stores.split(",")) if stores else (), _inside.told)
    found.write(folder)
    path = folder.relative_to(manifest.root).as_posix() if folder.is_relative_to(manifest.root) else str(folder)
    entry = recording.entry(name, kind, version, path, found)
    _lock(manifest, folder, entry)
    if as_json:
        counts = {store: {one.name: len(one.lines) for one in files} for store, files in found.files.items()}
        _render.answer({"folder": str(folder), "entry": entry, "records": counts, "left": list(found.left)})
        return
    _tell(found, folder)
    click.echo("\n".join(recording.lines(entry)))


def _lock(manifest: Manifest, folder: Path, entry: dict[str, Any]) -> None:
    from seeder.definition import checksums
    from seeder.definition.dataset import Dataset, data_files
    from seeder.errors import Mark

    checksums.lock(
        Dataset(entry["name"], entry["version"], entry["kind"], folder, data_files(folder), Mark(manifest.root / "manifest.yaml", 1))
    )


def _tell(found: Recorded, folder: Path) -> None:
    for store, files in found.files.items():
        records = sum(len(one.lines) for one in files)
        say(f"{near(str(folder / store))}: {counted(records, 'record')} in {counted(len(files), 'file')}")
    for one in found.left:
        say(f"left out: {one}")
    say("add to `datasets:` of manifest.yaml:")


@click.command("diff")
@click.argument("before")
@click.argument("after")
@_options.project
@_options.as_json
def diff(before: str, after: str, project: Path | None, as_json: bool) -> None:
    """Show the rows and keys that differ between two datasets, by store and table: BEFORE and AFTER are NAME@VERSION, or folders."""
    from seeder.cli import _render
    from seeder.datasets import differing
    from seeder.definition.request import find_project

    manifest = find_project(project)
    found = differing.compare(_folder(manifest, before), _folder(manifest, after), manifest.defaults.as_of)
    if as_json:
        _render.answer([one.as_json() for one in found])
        return
    for one in found:
        click.echo("\n".join(_lines(one)))
    if not found:
        say("no difference")


def _folder(manifest: Manifest, name: str) -> Path:
    from seeder.errors import UsageError

    if "@" not in name and Path(name).is_dir():
        return Path(name)
    found = chosen(manifest, [name])
    if len(found) > 1:
        raise UsageError(name, "several versions are meant", f"name one of {', '.join(one.label for one in found)}")
    return found[0].path


def _lines(one: Difference) -> list[str]:
    place = f"{one.store}/{one.name}"
    if one.whole:
        return [f"{place}: the file is {'another' if one.whole == 'changed' else one.whole}"]
    counts = {"added": len(one.added), "removed": len(one.removed), "changed": len(one.changed or {})}
    lines = [f"{place}: {', '.join(f'{count} {word}' for word, count in counts.items() if count)}"]
    for mark, keys in (("+", one.added), ("-", one.removed)):
        lines += [f"  {mark} {key}" for key in keys[:SHOWN]]
        lines += [f"  {mark} and {len(keys) - SHOWN} more"] if len(keys) > SHOWN else []
    changed = list((one.changed or {}).items())
    for key, columns in changed[:SHOWN]:
        lines.append(f"  ~ {key}: {', '.join(f'{name} {was!r} -> {now!r}' for name, (was, now) in columns.items())}")
    return lines + ([f"  ~ and {len(changed) - SHOWN} more"] if len(changed) > SHOWN else [])
