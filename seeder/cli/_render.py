"""What a person reads of a run, its closing summary, and the forms in which commands print their answers."""

from __future__ import annotations

import collections
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from seeder.cli import ANSWERED, _terminal
from seeder.cli._annotations import annotate_places
from seeder.cli._terminal import near, say, styled
from seeder.errors import counted

if TYPE_CHECKING:
    from seeder.errors import Problem, SeederError
    from seeder.events import Emit
    from seeder.evidence.story import Result
    from seeder.passed.operation import Plan

FEW = 4  # names in a line of the summary
SPLIT = (
    "images", "start", "migrate", "restore", "load", "keep", "mark", "gate", "act", "digest", "variants", "command", "snapshot", "teardown",
)  # fmt: skip


def listener(*, quiet: bool = False) -> Emit:
    """What suits where we are: drawn on a terminal, folded on GitHub and GitLab, plain lines elsewhere."""
    if quiet:
        return lambda _: None
    if _terminal.draws():
        from seeder.cli._live import Board

        return Board()
    from seeder.cli._lines import Lines

    return Lines(_terminal.fold())


def beginning(plan: Plan) -> None:
    """What runs in another major version than the stack names, in one line; `plan` tells the rest."""
    told: dict[str, list[str]] = {}
    for notice in plan.notices:
        if notice.other:
            told.setdefault(notice.message, []).append(notice.subject)
    if told:
        lines = "; ".join(f"{message} ({', '.join(names)})" for message, names in told.items())
        say(f"seeder: another version stands in: {lines}")


def closing(result: Result, *, quiet: bool = False) -> None:
    """The end of a run, to stderr: what went wrong, how it ended, with what, and where the time went. `quiet`: of a run that ended as
    its command did, only what stays."""
    if quiet and (not result.code or result.ended_by == "command"):
        for line in staying(result):
            say(line.strip())
        return
    if result.ended_by == "internal":
        failure(f"this is a defect of seeder itself: {result.message}\n    -> report it, with the journal in .seeder/runs/{result.run}")
    elif result.message and result.ended_by != "command":
        _failures([str(problem) for problem in result.problems] or [result.message], result.log)
        annotate_places(result.problems)
    say(summary(result))


def summary(result: Result) -> str:
    """How it ended, where the time went, the figures that make it come again, and where to look."""
    from seeder.cli._lines import moment

    facts = result.facts
    good = result.code == 0
    how = styled("ok" if good else f"{result.ended_by} (exit {result.code})", fg="green" if good else "red", bold=True)
    split = "  ".join(f"{name} {result.split[name]:.1f}" for name in SPLIT if name in result.split)
    lines = [f"seeder: {how} in {result.seconds:.1f} s, run {result.run}"]
    lines.append(f"        {split}" if split else "")
    lines.append(f"        seed {facts['seed']}, as of {moment(facts['as_of'])}, digest {(result.digest or 'none')[:16]}")
    lines.append(f"        {origin}" if result.digest and (origin := _origin(facts)) else "")
    if volatile := facts.get("volatile"):
        lines.append(f"        not in the digest: {', '.join(volatile)}")
    if "differing" in facts:
        same = f"differing: {', '.join(facts['differing'])}" if facts["differing"] else "every store holds what the bundle holds"
        lines.append(f"        restored: {same}")
    lines += [f"        {one}" for one in facts.get("ended", ())]
    if result.bundle:
        lines.append(f"        evidence: {near(result.bundle)}")
    if result.left:
        lines.append(f"        not removed: {'; '.join(result.left)}; once that is mended: `seeder gc`")
    lines += staying(result)
    return "\n".join(line for line in lines if line)


def _origin(facts: Mapping[str, Any]) -> str:
    """Who inserted records, and through whose capabilities they came, where any was asked."""
    said = {"inserted": "inserted by", "services": "through services by"}
    told = [f"{said[origin]} {_few(names)}" for origin, names in facts.get("origins", {}).items() if names]
    capabilities = [name for names in facts.get("origins", {}).values() for name in names if "@" not in name]
    return "; ".join(sorted(told)) if capabilities else ""


def _few(names: Sequence[str]) -> str:
    left = len(names) - FEW
    return ", ".join(names) if left <= 1 else f"{', '.join(names[:FEW])} and {left} more"


def staying(result: Result) -> list[str]:
    """Where its services are, until when it stays and how it ends; nothing of a run that is gone."""
    from seeder.cli._lines import moment

    if not result.kept:
        return []
    lines = [f"        {service} at {', '.join(at)}" for service, at in addresses(result.run).items()]
    return [*lines, f"        kept until {moment(result.facts['expires'])}: `seeder env --run {result.run}`, `seeder down {result.run}`"]


def addresses(run: str) -> dict[str, list[str]]:
    """Service -> where it is reached from here, of a run that stays; empty when it ended before that was known."""
    from seeder import variables
    from seeder.machine import home

    try:
        services = json.loads(variables.file_of(home.run_folder(run)).read_text(encoding="utf-8"))["services"]
    except (OSError, ValueError, KeyError):
        return {}
    return {name: [f"{of['host']}:{port}" for port in of["ports"].values()] for name, of in services.items()}


def failure(message: str, log: str = "") -> None:
    """An error as it is told, with the last lines of whatever was running below it."""
    say(f"{styled('error', fg='red', bold=True)}: {near(message)}")
    if log:
        say("\n".join(styled(f"    | {line}", dim=True) for line in log.splitlines()))


def error(given: SeederError) -> None:
    """Every problem of an error, and how many there are."""
    _failures([str(problem) for problem in given.problems], given.log)
    annotate_places(given.problems)


def _failures(messages: Sequence[str], log: str) -> None:
    for message in messages[:-1]:
        failure(message)
    failure(messages[-1], log)
    if len(messages) > 1:
        say(f"{len(messages)} problems")


def kinds(removed: Sequence[str]) -> str:
    """What was removed, by the kind that each begins with: `2 ports, 1 folder`; a dataset's rows are one thing."""
    words = {"pid": "process", "rows": "dataset"}
    found = collections.Counter(words.get(kind, kind) for kind in (each.partition(" ")[0] for each in removed))
    return ", ".join(counted(number, kind) for kind, number in found.most_common())


def answer(value: Any) -> None:
    """A JSON answer on stdout."""
    ANSWERED.append(True)
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def error_json(error: SeederError, code: int) -> dict[str, Any]:
    """What `seeder schema error` describes."""
    return {"error": {"class": error.ended_by, "code": code, "problems": [problem_json(one) for one in error.problems], "log": error.log}}


def problem_json(problem: Problem) -> dict[str, Any]:
    mark = problem.mark
    place = {"file": str(mark.file) if mark else None, "line": mark.line if mark else None}
    return {"subject": problem.subject, "cause": problem.cause, "remedy": problem.remedy, **place}


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows of equal keys as aligned columns with a head; an empty text for no rows."""
    if not rows:
        return ""
    heads = list(rows[0])
    cells = [[head.upper() for head in heads], *([str(row[head]) for head in heads] for row in rows)]
    widths = [max(len(line[n]) for line in cells) for n in range(len(heads))]
    return "\n".join("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells)


def show(rows: Sequence[Mapping[str, Any]], otherwise: str) -> None:
    """A table on stdout; what to know instead, on stderr, when there are no rows."""
    if rows:
        click.echo(table(rows))
    else:
        say(otherwise)
