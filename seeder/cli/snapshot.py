"""`seeder snapshot`: the bundles that failed runs left, and those that were asked for."""

from __future__ import annotations

import datetime
import re
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seeder.cli import _inside, _options
from seeder.cli._lines import amount, moment
from seeder.cli._terminal import near, say
from seeder.errors import counted

if TYPE_CHECKING:
    from seeder.errors import Problem, SeederError
    from seeder.evidence.bundle import Bundle
    from seeder.passed.operation import Plan
    from seeder.passed.run import Run

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
NONE = "no run of this project has left a bundle"


@click.group(cls=_options.Group)
def command() -> None:
    """Bundles: what is kept of a failed run, or of an environment on request, and what brings it up again."""


@command.command("save")
@click.argument("run", required=False)
@click.option("--name", help="The name of its folder; the run's id by default.")
@click.option("--cause", default="it was asked for", show_default=True, help="Why it is taken, as the bundle will tell it.")
@_options.as_json
def save(run: str | None, name: str | None, cause: str, as_json: bool) -> int:
    """Save RUN, an environment that is up, as a bundle, and print its folder. Its services are held meanwhile."""
    from seeder import present
    from seeder.cli import _render
    from seeder.stages import snapshot

    with ExitStack() as undo:
        environment, plan = present.rejoin(_inside.found(run), _inside.told, undo)
        told = snapshot.as_recorded(environment, plan, cause)
        saved = snapshot.save(environment, plan, told, _new(environment.run, name))
    if as_json:
        _render.answer({"path": str(saved.path), **{key: saved.index[key] for key in ("id", "cause", "stores", "missing")}})
    else:
        click.echo(saved.path)
    return 3 if any(what.startswith("stores/") for what in saved.index["missing"]) else 0


@command.command("restore")
@click.argument("bundle")
@click.option("--runtime", metavar="NAME", help="Where it is brought up (auto, docker, local); it need not be where it was.")
@click.option("--set", "inputs", multiple=True, metavar="K=V", help="An input that is a secret; may be repeated.")
@click.option("--ttl", default="4h", show_default=True, callback=_options.duration, help="How long it lives.")
@click.option("--timeout", callback=_options.duration, help="Give up after this long, e.g. 5m.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and start nothing.")
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors, and how to reach it.")
@_options.project
@_options.as_json
def restore(bundle: str, runtime: str | None, inputs: tuple[str, ...], project: Path | None, **how: Any) -> int:
    """Bring up the environment that BUNDLE (a run's id, or a folder) was taken of, its stores as they were, and leave it running."""
    from seeder import decide
    from seeder.cli.up import stay
    from seeder.definition.request import find_project
    from seeder.evidence import bundle as bundles
    from seeder.planning import restoration
    from seeder.registry import traits

    found = bundles.verify(_find(bundle, project))
    given = _options.pairs("--set", inputs)
    plan = decide.plan_back(restoration.definition(find_project(project), found, runtime, given, traits()), found)
    if how.pop("dry_run"):
        return _planned(plan, as_json=how["as_json"])
    return stay(plan, how.pop("ttl"), how.pop("timeout"), **how)


def _planned(plan: Plan, *, as_json: bool) -> int:
    from seeder.cli import _render

    if as_json:
        _render.answer(plan.as_json())
    else:
        click.echo(plan.text(), nl=False)
    return 0


@command.command("ls")
@_options.project
@_options.as_json
def ls(project: Path | None, as_json: bool) -> None:
    """List the project's bundles, oldest first."""
    from seeder.cli import _render
    from seeder.evidence import bundle

    found = bundle.list_all(_folder(project))
    if as_json:
        _render.answer([_summary(each) for each in found])
        return
    rows = [{name: "-" if value is None else value for name, value in _row(_summary(each)).items()} for each in found]
    _render.show(rows, NONE)


@command.command("show")
@click.argument("bundle")
@_options.project
@_options.as_json
def show(bundle: str, project: Path | None, as_json: bool) -> None:
    """Show what BUNDLE (a run's id, or a folder) holds and why it was taken."""
    from seeder.cli import _render
    from seeder.evidence import bundle as bundles

    found = bundles.read(_find(bundle, project))
    if as_json:
        _render.answer({"path": str(found.path), **found.index})
    else:
        click.echo(_text(found))


@command.command("verify")
@click.argument("bundles", nargs=-1, metavar="[BUNDLE]...")
@_options.project
@_options.as_json
def verify(bundles: tuple[str, ...], project: Path | None, as_json: bool) -> None:
    """Recompute every digest of each BUNDLE (a run's id, or a folder; all of the project's without one)."""
    from seeder.cli import _render
    from seeder.errors import EnvironmentFailed, SeederError
    from seeder.evidence import bundle

    folders = [_find(each, project) for each in bundles] or [file.parent for file in sorted(_folder(project).glob(f"*/{bundle.INDEX}"))]
    good: list[Bundle] = []
    bad: list[Problem] = []
    for folder in folders:
        try:
            good.append(bundle.verify(folder))
        except SeederError as error:
            bad += error.problems
    if as_json:
        _render.answer({"good": [str(each.path) for each in good], "problems": [_render.problem_json(p) for p in bad]})
    else:
        if not folders:
            say(NONE)
        for each in good:
            say(f"{near(str(each.path))}: {counted(len(each.index['files']), 'file')}, all as they were written")
    if bad:
        raise EnvironmentFailed.of(bad)


@command.command("prune")
@click.option("--older", callback=_options.duration, help="Those that were taken longer ago than this, e.g. 7d.")
@click.option("--keep", type=click.IntRange(min=0), help="Those beyond the newest N.", metavar="N")
@click.option("--all", "everything", is_flag=True, help="All of them.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@_options.project
@_options.as_json
def prune(older: float | None, keep: int | None, everything: bool, dry_run: bool, project: Path | None, as_json: bool) -> None:
    """Remove the project's bundles that --older and --keep both let go, and what is left of those that were never finished; never one
    that is being written."""
    from seeder.cli import _render
    from seeder.errors import UsageError
    from seeder.evidence import bundle

    if everything == (older is not None or keep is not None):
        raise UsageError(
            "seeder snapshot prune", "which bundles it is to remove is not said", "say --older 7d, --keep 10 or both, or --all"
        )
    before = _inside.now().timestamp() - older if older is not None else None
    gone = bundle.old(_folder(project), keep or 0, before)
    size = sum(file.lstat().st_size for one in gone for file in one.rglob("*") if not file.is_dir())
    for one in [] if dry_run else gone:
        bundle.remove(one)
    if as_json:
        _render.answer([{"bundle": one.name, "path": str(one)} for one in gone])
        return
    for one in gone:
        say(f"{'would remove' if dry_run else 'removed'} {near(str(one))}")
    say(f"{counted(len(gone), 'bundle')}, {amount(size)}")


def _folder(project: Path | None) -> Path:
    """Where the project's bundles are; its files need not be valid for that."""
    from seeder.definition.manifest import find_manifest
    from seeder.evidence import story

    return story.bundles(find_manifest(project or Path.cwd()).parent)


def _new(run: Run, name: str | None) -> Path:
    """Where a bundle of the run will be. Raises UsageError for a name that is none, or taken."""
    from seeder.errors import UsageError
    from seeder.evidence import story

    if name is None:
        return story.free(run.checkout, run.id)
    if not NAME.fullmatch(name):
        raise UsageError(f"--name {name}", "is no name of a folder", "use letters, digits, dots, dashes and underscores")
    folder = story.bundles(run.checkout) / name
    if folder.exists():
        raise UsageError(f"--name {name}", "there is a bundle of this name", "name another, or remove that one")
    return folder


def _find(name: str, project: Path | None) -> Path:
    """A folder as it was named, or the project's bundle whose name begins so."""
    from seeder.errors import UsageError, nearest
    from seeder.evidence import bundle

    path = Path(name)
    if path.exists() or "/" in name:
        return path.absolute()
    known = [file.parent for file in sorted(_folder(project).glob(f"*/{bundle.INDEX}"))]
    exact = [folder for folder in known if folder.name == name]
    found = exact or [folder for folder in known if folder.name.startswith(name)]
    if len(found) == 1:
        return found[0]
    names = [folder.name for folder in found or known]
    if found:
        raise UsageError(name, "more than one bundle begins so", f"name one of {', '.join(names)}")
    raise UsageError(name, "there is no such bundle", nearest(name, names))


def _summary(found: Bundle | SeederError) -> dict[str, Any]:
    from seeder.errors import SeederError

    if isinstance(found, SeederError):
        name = Path(found.problems[0].subject).parent.name
        return {"bundle": name, "run": name, "taken": None, "stack": None, "scenario": None, "size": None,
                "cause": f"unreadable: {found.problems[0].cause}"}  # fmt: skip
    index = found.index
    taken = datetime.datetime.fromtimestamp((found.path / "bundle.json").stat().st_mtime, datetime.UTC)
    return {
        "bundle": found.path.name,
        "run": found.id,
        "taken": taken.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "stack": index.get("stack"),
        "scenario": index.get("scenario"),
        "size": found.size,
        "cause": str(index.get("cause", "")).partition("\n")[0],
    }


def _row(summary: dict[str, Any]) -> dict[str, Any]:
    return {**summary, "cause": near(str(summary["cause"])), "size": None if summary["size"] is None else amount(summary["size"])}


def _text(found: Bundle) -> str:
    index = found.index
    scenario = f", scenario {index['scenario']}" if index.get("scenario") else ""
    lines = [f"run {found.id}: stack {index.get('stack')}{scenario} on {index.get('runtime')}", f"  folder   {near(str(found.path))}"]
    lines.append(f"  cause    {near(str(index.get('cause')))}")
    lines.append(f"  seed     {index.get('seed')}, as of {moment(str(index.get('as_of')))}")
    for kind in ("inputs", "outputs", "missing"):
        lines += [f"  {kind:<8} {name}: {value}" for name, value in (index.get(kind) or {}).items()]
    lines += [f"  ended    {service}" for service in index.get("ended") or ()]
    for kind, versions in (index.get("versions") or {}).items():
        told = versions if isinstance(versions, str) else ", ".join(f"{name} {version}" for name, version in versions.items())
        lines.append(f"  {kind:<8} {told or '-'}")
    lines += [f"  file     {name}  {amount((found.path / name).stat().st_size)}" for name in index["files"] if (found.path / name).exists()]
    return "\n".join(lines)
