"""What a run was, as Markdown for the page that GitHub shows of a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seeder import page
from seeder.cli import _render
from seeder.cli._terminal import near

if TYPE_CHECKING:
    from seeder.evidence.story import Result


def append(result: Result) -> None:
    """Append how the run ended to the job's page, where there is one."""
    page.append(lambda: markdown(result))


def markdown(result: Result) -> str:
    """A heading, what the run was of, where its time went; of one that failed also why, and its evidence."""
    facts = result.facts
    how = "ok" if result.code == 0 else f"{result.ended_by} (exit {result.code})"
    split = [(name, result.split[name]) for name in _render.SPLIT if name in result.split]
    known = {
        "run": result.run,
        "stack": facts.get("stack"),
        "scenario": facts.get("scenario"),
        "runtime": facts.get("runtime"),
        "seed": facts.get("seed"),
        "as of": facts.get("as_of"),
        "digest": (result.digest or "")[:16],
    }
    lines = [f"### seeder: {how} in {result.seconds:.1f} s", ""]
    lines += _table([(name, page.code(str(value))) for name, value in known.items() if value not in (None, "")])
    lines += ["", *_table([(name, f"{seconds:.1f} s") for name, seconds in split])] if split else []
    lines += _failure(result) if result.code else []
    return "\n".join([*lines, "", ""])


def _failure(result: Result) -> list[str]:
    told = "\n".join([*(map(str, result.problems) if result.problems else [result.message]), *result.log.splitlines()])
    lines = ["", "<details><summary>What went wrong</summary>", "", _fenced(near(told)), "", "</details>"]
    if result.bundle:
        lines += ["", f"Evidence: {page.code(near(result.bundle))}, `seeder snapshot show {result.run}`"]
    return lines


def _table(cells: list[tuple[str, str]]) -> list[str]:
    heads, values = zip(*cells, strict=True)
    return [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|", f"| {' | '.join(values)} |"]


def _fenced(text: str) -> str:
    """A fence that is longer than any in the text. https://spec.commonmark.org/0.31.2/#fenced-code-blocks"""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}text\n{text}\n{fence}"
