"""What a plan is made of: operations, each with its cause, in a stable form that people and machines read. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, ClassVar

from seeder.definition.dataset import Dataset, Part, Seed
from seeder.definition.request import Definition
from seeder.definition.service import Service
from seeder.definition.stack import Stack, Store
from seeder.definition.step import Step
from seeder.frozen import frozen
from seeder.passed.capability import Capability
from seeder.passed.fitness import Fitness, Revision
from seeder.passed.layer import Base, Begin, Chain
from seeder.passed.notice import Notice

EXPECT = "expect"  # the gate that asks for what steps made; it is asked last: where the scenario acts, once it has


@frozen
class Operation:
    """One thing to do: `verb subject: detail`, and why it is done this way."""

    verb: ClassVar[str] = ""
    subject: str
    detail: str
    cause: str

    def as_json(self) -> dict[str, Any]:
        return {"verb": self.verb, "subject": self.subject, "detail": self.detail, "cause": self.cause}


@frozen
class Start(Operation):
    """Start one compose service. `server` ones hold stores and come up first."""

    verb: ClassVar[str] = "start"
    service: Service
    server: bool
    after: tuple[str, ...] = ()
    within: float = 60.0
    limit: str = "the usual one"  # where `within` comes from


@frozen
class Resume(Operation):
    """Begin a server at a layer instead of empty."""

    verb: ClassVar[str] = "resume"
    begin: Begin

    def as_json(self) -> dict[str, Any]:
        layer = self.begin.layer
        return {**super().as_json(), "layer": {"id": layer.id, "form": layer.form}}


@frozen
class Migrate(Operation):
    """Bring a store to the last of `revisions`, its history up to there; it stands at `since` by then (empty: at no revision)."""

    verb: ClassVar[str] = "migrate"
    store: Store
    tool: str
    revisions: tuple[Revision, ...]
    since: str = ""

    def as_json(self) -> dict[str, Any]:
        return {**super().as_json(), "revisions": [{"id": revision.id, "file": str(revision.file)} for revision in self.revisions]}


@frozen
class Restore(Operation):
    """Give a store what was saved of it in `folder`; `digest` is what it held then, where that is known."""

    verb: ClassVar[str] = "restore"
    folder: Path
    digest: str | None


@frozen
class Load(Operation):
    """Load a dataset's records at rest into its stores, all or nothing. With `at` it is a revision short of the head, of the one store
    that there is; what migrations make of the rows then is nobody's to check."""

    verb: ClassVar[str] = "load"
    dataset: Dataset
    parts: Mapping[str, tuple[Part, ...]]  # store -> its parts
    at: str = ""


@frozen
class Configure(Operation):
    """Give a service extra environment or files from a config dataset, when it is created."""

    verb: ClassVar[str] = "configure"
    environment: Mapping[str, str]
    files: Mapping[str, Path]  # path inside the service -> the file that replaces it


@frozen
class Call(Operation):
    """Load through a service: replay a file of requests against it."""

    verb: ClassVar[str] = "call"
    dataset: Dataset
    part: Part


@frozen
class Sow(Operation):
    """Load by a program of the dataset's own."""

    verb: ClassVar[str] = "run"
    dataset: Dataset
    seed: Seed


@frozen
class Make(Operation):
    """Bring about a step of the scenario: ask its capability, or wait for what it watches. `after`: the steps that come before it."""

    verb: ClassVar[str] = "make"
    step: Step
    after: tuple[str, ...]
    capability: Capability | None


@frozen
class Act(Make):
    """The same in the state that was made, each time."""

    verb: ClassVar[str] = "act"


@frozen
class Check(Operation):
    """Ask a gate. `rows`: it asks what tables hold, which is another matter once the scenario has acted."""

    verb: ClassVar[str] = "gate"
    gate: str
    rows: bool = False


@frozen
class Plan:
    """What will be done, in order."""

    definition: Definition
    runtime: str
    runtime_cause: str
    notices: tuple[Notice, ...]
    additions: tuple[Configure, ...]
    servers: tuple[Start, ...]
    halts: tuple[Migrate | Load, ...]  # what is done on the way to the heads, each store's in order: it halts, and rows go in
    migrations: tuple[Migrate, ...]
    loads: tuple[Load, ...]
    services: tuple[Start, ...]
    calls: tuple[Call | Sow | Make, ...]
    gates: tuple[Check, ...]
    acts: tuple[Make, ...]  # what is done in the state once it is fit; never kept
    expected: tuple[Check, ...]  # gates that are asked of what came of the acts
    fitness: Fitness
    resumes: tuple[Resume, ...] = ()  # servers that begin at a layer
    restores: tuple[Restore, ...] = ()  # stores that get what a bundle holds of them: all, or none
    chains: Mapping[str, Chain] = field(default_factory=dict)  # server -> its states; none when nothing is to be kept
    full: Plan | None = field(default=None, compare=False, repr=False)  # the same without layers, and from no bundle
    common: Mapping[str, int] = field(default_factory=dict)  # server -> the place in its chain that is kept once `halts` are done
    whole: str = ""  # id of the set that all stores are after what acts through services
    bases: tuple[Base, ...] = ()  # sets on the way to it, that which stands for most first
    base: Base | None = None  # the one where everything begins
    results: Mapping[str, Any] = field(default_factory=dict)  # step -> what it made, where a set or a bundle holds that

    @property
    def spared(self) -> frozenset[str]:
        """One-shot services that migrate and were not run: a layer, or a bundle, holds what they did."""
        every = {m.store.migrate.service for m in (self.full or self).migrations if m.store.migrate and m.store.migrate.service}
        return frozenset(every - {m.store.migrate.service for m in self.migrations if m.store.migrate})

    @property
    def begins(self) -> dict[str, Begin]:
        """Server -> where it begins; the others begin empty."""
        return {resume.subject: resume.begin for resume in self.resumes}

    @property
    def stack(self) -> Stack:
        return self.definition.stack

    @property
    def operations(self) -> tuple[Operation, ...]:
        stores = (*self.resumes, *self.servers, *self.halts, *self.migrations, *self.restores, *self.loads)
        return (*self.additions, *stores, *self.services, *self.calls, *self.gates, *self.acts, *self.expected)

    @property
    def lasting(self) -> tuple[Check, ...]:
        """The gates that hold of an environment as it was handed over."""
        return (*(check for check in self.gates if not (self.acts and check.rows)), *self.expected)

    def header(self) -> str:
        d = self.definition
        scenario = f", scenario {d.scenario.name} {d.scenario.version}" if d.scenario else ""
        policy = f", policy {d.policy.name}" if d.policy else ""
        as_of = d.as_of.strftime("%Y-%m-%dT%H:%M:%SZ")
        runtime = f"runtime {self.runtime} ({self.runtime_cause})"
        return f"stack {d.stack.name} {d.stack.version}{scenario}, {runtime}{policy}, seed {d.seed}, as of {as_of}"

    def text(self) -> str:
        """Stable and readable: one operation a line with its cause, then what stays absent and what cannot be honoured."""
        operations = self.operations
        verbs = max((len(o.verb) for o in operations), default=0)
        subjects = max((len(o.subject) for o in operations), default=0)
        lines = [self.header(), ""]
        lines += [
            f"  {o.verb:<{verbs}}  {o.subject:<{subjects}}  {o.detail}{f'  ({o.cause})' if o.cause else ''}".rstrip() for o in operations
        ]
        for name, reason in sorted(self.stack.absent.items()):
            lines.append(f"  absent: {name}  ({reason})")
        for notice in self.notices:
            lines.append(f"  note: {notice.subject}: {notice.message}{f' -> {notice.remedy}' if notice.remedy else ''}")
        return "\n".join(lines) + "\n"

    def as_json(self) -> dict[str, Any]:
        d = self.definition
        return {
            "stack": d.stack.name,
            "version": d.stack.version,
            "scenario": d.scenario.name if d.scenario else None,
            "runtime": self.runtime,
            "policy": d.policy.name if d.policy else None,
            "seed": d.seed,
            "as_of": d.as_of.isoformat().replace("+00:00", "Z"),
            "operations": [operation.as_json() for operation in self.operations],
            "absent": dict(sorted(d.stack.absent.items())),
            "notices": [{"subject": n.subject, "message": n.message, "remedy": n.remedy} for n in self.notices],
        }
