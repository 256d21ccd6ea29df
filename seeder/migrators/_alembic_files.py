"""Alembic's revision files, read without running them, and the order in which they apply."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from seeder.errors import Collector, DefinitionError, Mark, nearest
from seeder.frozen import frozen
from seeder.order import Cycle, sort
from seeder.passed.fitness import Revision

_NAMES: Final = ("revision", "down_revision", "depends_on", "branch_labels")


@frozen
class Script:
    """One revision file: its id, the ids it follows, the ids or branch labels it needs besides, the labels it gives its branch."""

    id: str
    file: Path
    summary: str
    follows: tuple[str, ...]
    needs: tuple[str, ...]
    labels: tuple[str, ...]
    lines: Mapping[str, int]

    def mark(self, name: str = "revision") -> Mark:
        return Mark(self.file, self.lines.get(name, 1))


def history(files: Sequence[Path]) -> tuple[Revision, ...]:
    """The files as revisions, in the order in which they apply. Raises DefinitionError with everything that is wrong: files
    that cannot be read, ids given twice, a parent that is not there, a cycle, more than one head."""
    problems = Collector()
    scripts: dict[str, Script] = {}
    for file in files:
        script = _script(file, problems)
        if script and script.id in scripts:
            cause = f"the id stands in {scripts[script.id].file.name} already"
            problems.add(f"revision {script.id}", cause, "give one of them another id", script.mark())
        elif script:
            scripts[script.id] = script
    parents = {script.id: _parents(script, scripts, problems) for script in scripts.values()}
    problems.raise_if_any(DefinitionError)
    ordered = _ordered(scripts, parents)
    _refuse_heads(scripts, parents)
    return tuple(Revision(scripts[id_].id, scripts[id_].file, scripts[id_].summary) for id_ in ordered)


def _script(file: Path, problems: Collector) -> Script | None:
    try:
        tree = ast.parse(file.read_bytes(), filename=str(file))
    except (SyntaxError, ValueError) as error:
        problems.add(file.name, f"this is not Python: {error}", "correct the line", Mark(file, getattr(error, "lineno", None) or 1))
        return None
    given: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for name, value in _assignments(tree):
        lines[name] = value.lineno
        try:
            given[name] = _named(ast.literal_eval(value))
        except (ValueError, TypeError):
            problems.add(name, "the value is not written out as text, or as a tuple of texts", "write it as text", Mark(file, value.lineno))
            return None
    if not isinstance(given.get("revision"), str):
        problems.add(file.name, "the file names no `revision`", 'write `revision = "..."`, or move it elsewhere', Mark(file, 1))
        return None
    summary = (ast.get_docstring(tree) or "").strip().splitlines()
    follows, needs, labels = (_ids(given.get(name)) for name in _NAMES[1:])
    return Script(given["revision"], file, summary[0].strip() if summary else "", follows, needs, labels, lines)


def _assignments(tree: ast.Module) -> list[tuple[str, ast.expr]]:
    found = []
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        found += [(t.id, value) for t in targets if isinstance(t, ast.Name) and t.id in _NAMES and value is not None]
    return found


def _named(value: Any) -> Any:
    """The value, when it is what Alembic takes: text, several, or None."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, tuple | list | set) and all(isinstance(item, str) for item in value):
        return tuple(sorted(value))
    raise ValueError(value)


def _ids(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value or ()


def _parents(script: Script, scripts: Mapping[str, Script], problems: Collector) -> list[str]:
    labels = {label: other.id for other in scripts.values() for label in other.labels}
    parents = []
    for name, ids in (("down_revision", script.follows), ("depends_on", script.needs)):
        for id_ in ids:
            known = labels.get(id_, id_) if name == "depends_on" else id_
            if known in scripts:
                parents.append(known)
            else:
                remedy = nearest(id_, sorted(scripts))
                problems.add(f"revision {script.id}", f"{name} {id_} is not there", remedy, script.mark(name))
    return parents


def _ordered(scripts: Mapping[str, Script], parents: Mapping[str, Sequence[str]]) -> list[str]:
    try:
        return sort(parents)
    except Cycle as cycle:
        first = scripts[cycle.path[0]]
        files = ", ".join(scripts[id_].file.name for id_ in cycle.path[:-1])
        cause = f"revisions follow each other in a circle: {cycle} ({files})"
        raise DefinitionError(f"revision {first.id}", cause, "correct one down_revision", first.mark("down_revision")) from None


def _refuse_heads(scripts: Mapping[str, Script], parents: Mapping[str, Sequence[str]]) -> None:
    """`depends_on` counts as following, as it does in the version table."""
    followed = {parent for ids in parents.values() for parent in ids}
    heads = [script for id_, script in sorted(scripts.items()) if id_ not in followed]
    if len(heads) > 1:
        named = " and ".join(f"{script.id} ({script.file.name})" for script in heads)
        remedy = f"join them: alembic merge {' '.join(script.id for script in heads)}"
        raise DefinitionError(f"revision {heads[-1].id}", f"the history has {len(heads)} heads: {named}", remedy, heads[-1].mark())
