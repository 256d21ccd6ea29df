"""A scenario's graph, drawn: as text, as Mermaid, as SVG. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from html import escape

from seeder.definition.scenario import Scenario
from seeder.definition.step import Step
from seeder.graph import edges
from seeder.order import sort

WIDE, HIGH, GAP, MARGIN = 220, 44, 36, 16  # of a box, and between boxes, in pixels
HEAD = '<marker id="to" markerWidth="8" markerHeight="8" refX="7" refY="3" orient="auto"><path d="M0,0 L7,3 L0,6 z"/></marker>'


def text(scenario: Scenario) -> str:
    """One line a step, in an order in which they may be done, with what it needs."""
    before, lines = edges.of(scenario.every), []
    does = {step.name: _does(step) for step in scenario.every}
    for key, steps in scenario.lists.items():
        lines += [f"{key}:"] if steps else []
        lines += [f"  {name}: {does[name]}{_after(before[name])}" for name in sort(edges.of(steps))]
    return "\n".join(lines) or "the scenario has no steps"


def mermaid(scenario: Scenario) -> str:
    """A flowchart: https://mermaid.js.org/syntax/flowchart.html."""
    lines = ["flowchart TD"]
    for key, steps in scenario.lists.items():
        if steps:
            lines.append(f'  subgraph {key}["{key}"]')
            lines += [f'    {_id(step.name)}["{escape(step.name)}<br/>{escape(_does(step))}"]' for step in steps]
            lines.append("  end")
    lines += [f"  {_id(one)} --> {_id(name)}" for name, before in edges.of(scenario.every).items() for one in before]
    return "\n".join(lines)


def svg(scenario: Scenario) -> str:
    """The same as a picture: a row for each distance from the steps that need nothing."""
    before, acts = edges.of(scenario.every), {step.name for step in scenario.act}
    rows = _rows(before, acts)
    cells = [(name, row, column) for row, names in enumerate(rows) for column, name in enumerate(names)]
    at = {name: (MARGIN + column * (WIDE + GAP), MARGIN + row * (HIGH + GAP)) for name, row, column in cells}
    wide = max((x for x, _ in at.values()), default=0) + WIDE + MARGIN
    high = max((y for _, y in at.values()), default=0) + HIGH + MARGIN
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" font-family="sans-serif" font-size="13">']
    lines.append(f"<defs>{HEAD}</defs>")
    for name, needed in before.items():
        lines += [_edge(at[one], at[name]) for one in needed]
    lines += [_box(step.name, _does(step), at[step.name], acts=step.name in acts) for step in scenario.every]
    return "\n".join([*lines, "</svg>"])


def _does(step: Step) -> str:
    return step.does + (" for each" if step.each is not None else "") + (f" x {step.count}" if step.count is not None else "")


def _after(needed: Sequence[str]) -> str:
    return f"  (after {', '.join(needed)})" if needed else ""


def _id(name: str) -> str:
    return "s_" + "".join(letter if letter.isalnum() and letter.isascii() else f"_{ord(letter):x}_" for letter in name)


def _rows(before: Mapping[str, Sequence[str]], acts: Collection[str]) -> list[list[str]]:
    """Acting begins below all that makes the state."""
    depth: dict[str, int] = {}
    for name in sort(before):
        depth[name] = max((depth[one] + 1 for one in before[name]), default=0)
    floor = max((row for name, row in depth.items() if name not in acts), default=-1) + 1
    for name in sort(before):
        if name in acts:
            depth[name] = max([floor, *(depth[one] + 1 for one in before[name])])
    rows: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for name in before:
        rows[depth[name]].append(name)
    return rows


def _box(name: str, does: str, at: tuple[int, int], *, acts: bool) -> str:
    x, y = at
    fill = "#fff3e0" if acts else "#e8f0fe"
    return (
        f'<g><rect x="{x}" y="{y}" width="{WIDE}" height="{HIGH}" rx="6" fill="{fill}" stroke="#555"/>'
        f'<text x="{x + 10}" y="{y + 18}" font-weight="bold">{escape(name)}</text>'
        f'<text x="{x + 10}" y="{y + 35}" fill="#333">{escape(does)}</text></g>'
    )


def _edge(start: tuple[int, int], end: tuple[int, int]) -> str:
    (x1, y1), (x2, y2) = start, end
    return f'<line x1="{x1 + WIDE // 2}" y1="{y1 + HIGH}" x2="{x2 + WIDE // 2}" y2="{y2 - 2}" stroke="#555" marker-end="url(#to)"/>'
