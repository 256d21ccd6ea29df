"""What is known of a run: its journal, how long each stage took, how it ended. Kept in the checkout's `.seeder`."""

from __future__ import annotations

import dataclasses
import itertools
import json
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seeder.errors import Problem, SeederError, TimeLimit, of_machine
from seeder.events import Digested, Emit, Event, Failed, Journal, Noticed, Progress, RunEnded, StageEnded, StageStarted, Waited
from seeder.evidence import redact
from seeder.graph import origins
from seeder.machine import atomic
from seeder.machine.interrupt import Interrupted
from seeder.registry import volatile

if TYPE_CHECKING:
    from seeder.passed.operation import Plan
    from seeder.passed.run import Run

FOLDER = ".seeder"
KEPT_RUNS = 100  # journals of older runs are removed; bundles stay until someone removes them


@dataclass
class Result:
    """How a run ended. `code` is the exit code, `ended_by` what decided it; times in seconds."""

    run: str
    code: int = 0
    ended_by: str = "success"
    message: str = ""
    problems: tuple[Problem, ...] = ()  # the message, one by one
    log: str = ""  # the last lines of whatever was to blame
    seconds: float = 0.0
    split: dict[str, float] = field(default_factory=dict)
    digest: str | None = None
    bundle: str | None = None
    kept: bool = False
    left: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)  # stack, scenario, runtime, seed, as_of, policy

    def as_json(self) -> dict[str, Any]:
        known = {k: v for k, v in vars(self).items() if k not in ("facts", "problems")}
        return {**known, **self.facts, "left": list(self.left)}


def bundles(checkout: Path) -> Path:
    """Where the checkout's bundles are."""
    return checkout / FOLDER / "bundles"


def free(checkout: Path, name: str) -> Path:
    """The folder of a bundle that is not there yet: of this name, or with a number behind it."""
    numbered = (name if number == 1 else f"{name}-{number}" for number in itertools.count(1))
    return next(path for one in numbered if not (path := bundles(checkout) / one).exists())


def chains(checkout: Path) -> Path:
    """Where it is written what the states of the last runs were made of."""
    return checkout / FOLDER / "chains"


def journal(checkout: Path, run: str) -> Path:
    """Where the journal of one of the checkout's runs is."""
    return checkout / FOLDER / "runs" / run / "events.jsonl"


def recorded(plan: Plan, us: Run) -> dict[str, Any]:
    """The result of a run as it is written down; of one that is still at work, what is known of it at its beginning."""
    try:
        found: dict[str, Any] = json.loads((journal(us.checkout, us.id).parent / "result.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Result(us.id, facts=facts(plan, us)).as_json()
    return found


class Story:
    """The journal, the clock and the result of one run."""

    def __init__(self, us: Run, plan: Plan, listener: Emit, *, goes_on: bool = False) -> None:
        """`goes_on`: of a run that another process began, in the journal that it wrote."""
        self.run = us
        self.folder = _folder(us.checkout, us.id, there=goes_on)
        self._secrets = redact.of_plan(plan)
        self.journal_path = self.folder / "events.jsonl"
        self.journal_path.touch(mode=0o600)
        self._journal = Journal(self.journal_path)
        self._listeners: list[Emit] = [self._journal, listener]
        self.result = Result(us.id, facts=facts(plan, us))
        self._failures: list[BaseException] = []
        self._stage = ""  # the last that began
        self._waits: list[Waited] = []
        self._under_way: dict[str, Progress] = {}  # what is not at its end there, by subject
        self._lock = threading.Lock()
        self._start = time.monotonic()

    def emit(self, event: Event) -> None:
        """Journal it and tell the caller, both without secrets. One that cannot be told any more (a full disk, a closed terminal) is
        left out, and the other hears of it: the run still has its teardown to do."""
        shown = self._without_secrets(event)
        self._follow(shown)
        for listener in tuple(self._listeners):
            try:
                listener(shown)
            except OSError as error:
                self._listeners = [other for other in self._listeners if other is not listener]
                what = str(self.journal_path) if listener is self._journal else "the terminal"
                self.emit(Noticed(what, f"cannot be written any more: {error.strerror or error}"))

    def _follow(self, event: Event) -> None:
        if isinstance(event, StageStarted):
            self._stage, self._under_way = event.stage, {}
        elif isinstance(event, Progress):
            with self._lock:  # steps that run beside each other tell at the same time
                self._under_way.pop(event.subject, None)
                self._under_way |= {} if event.ended else {event.subject: event}
        elif isinstance(event, Waited):
            self._waits.append(event)
            self.result.facts["waits"] = summed(self._waits)
        elif isinstance(event, Digested):
            self.result.digest = event.digest
            self.result.facts |= {} if event.differing is None else {"differing": event.differing}

    def _without_secrets(self, event: Event) -> Event:
        fields = {field.name: getattr(event, field.name) for field in dataclasses.fields(event)}
        return dataclasses.replace(event, **redact.texts(fields, self._secrets))

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage; a name may come several times and its times add up."""
        begun, ok, interrupted = time.monotonic(), False, False
        self.emit(StageStarted(name))
        try:
            yield
            ok = True
        except Interrupted:
            interrupted = True
            raise
        finally:
            seconds = time.monotonic() - begun
            self.result.split[name] = round(self.result.split.get(name, 0.0) + seconds, 3)
            self.emit(StageEnded(name, round(seconds, 3), ok, interrupted))

    def failed(self, error: BaseException) -> None:
        """The first failure decides how the run ended; later ones are only journalled, each once."""
        known = error if isinstance(error, SeederError) else of_machine(error)
        if isinstance(known, TimeLimit):
            known = TimeLimit.of([dataclasses.replace(one, cause=f"{one.cause}; under way: {self._at()}") for one in known.problems])
        self._tell(error, known, *((known.run_code, known.ended_by) if known else (123, "internal")))

    def _at(self) -> str:
        """The stage, and what there was not at its end."""
        with self._lock:
            each = [f"{one.subject} {one.state}{f' ({one.detail})' if one.detail else ''}" for one in self._under_way.values()]
        return f"{self._stage}: {', '.join(each)}" if each else self._stage

    def tell_outputs(self, outputs: Mapping[str, Any]) -> None:
        """What its scenario told, without what is named like a secret."""
        if outputs:
            self.result.facts["outputs"] = redact.tree(dict(outputs), self._secrets)

    def program_failed(self, error: BaseException) -> None:
        """The same for what comes out of a program that uses the environment: a defect of seeder it is not."""
        if isinstance(error, SeederError):
            self.failed(error)
        else:
            self._tell(error, None, *_as_program(error))

    def _tell(self, error: BaseException, known: SeederError | None, code: int, by: str) -> None:
        if any(error is told for told in self._failures):
            return
        self._failures.append(error)
        if code == 0:  # a program may leave by `sys.exit()`
            return
        message = redact.text(str(known or error) or type(error).__name__, self._secrets)
        self.emit(Failed(by, message))
        if self.result.code == 0:
            self.result.code, self.result.ended_by, self.result.message = code, by, message
            self.result.problems = tuple(self._redacted(one) for one in known.problems) if known else ()
            self.result.log = redact.text(known.log, self._secrets) if known else ""

    def _redacted(self, one: Problem) -> Problem:
        subject, cause, remedy = (redact.text(given, self._secrets) for given in (one.subject, one.cause, one.remedy))
        return dataclasses.replace(one, subject=subject, cause=cause, remedy=remedy)

    def bundle(self) -> Path:
        """Where the run's next bundle goes: it may have several, and only the first has no number."""
        return free(self.run.checkout, self.run.id)

    def so_far(self, bundle: Path) -> dict[str, Any]:
        """The result as it is known now, for a bundle: how long the rest takes comes after it is sealed."""
        return {**self._told(), "seconds": round(time.monotonic() - self._start, 3), "bundle": str(bundle)}

    def _told(self) -> dict[str, Any]:
        told: dict[str, Any] = redact.texts(self.result.as_json(), self._secrets)
        return told

    def close(self) -> Result:
        """Write result.json, end the journal, answer the result."""
        self.result.seconds = round(time.monotonic() - self._start, 3)
        r = self.result
        self.emit(RunEnded(r.code, r.ended_by, r.seconds, r.split))
        self._journal.close()
        path = self.folder / "result.json"
        try:
            atomic.write(path, json.dumps(self._told(), indent=2) + "\n")
        except OSError as error:
            self.emit(Noticed(str(path), f"cannot be written: {error.strerror or error}"))
        return r


def summed(waits: Sequence[Waited]) -> dict[str, Any]:
    """How often and how long states were waited for, and what ended otherwise than it should."""
    late, strange = (sum(one.ending == ending for one in waits) for ending in ("late", "strange"))
    times = [one.seconds for one in waits]
    return {"count": len(waits), "seconds": round(sum(times), 3), "longest": max(times), "late": late, "strange": strange}


def _as_program(error: BaseException) -> tuple[int, str]:
    """The code with which Python ends when nobody catches it, and what decided that."""
    if isinstance(error, KeyboardInterrupt):
        return 128 + signal.SIGINT, "signal"
    if isinstance(error, SystemExit) and (error.code is None or isinstance(error.code, int)):
        return error.code or 0, "command"
    return 1, "command"


def asked(plan: Plan, us: Run) -> dict[str, Any]:
    """What was asked for, as results and bundles tell it."""
    definition = plan.definition
    return {
        "project": us.project,
        "stack": us.stack,
        "scenario": definition.scenario.name if definition.scenario else None,
        "runtime": us.runtime,
        "policy": definition.policy.name if definition.policy else None,
        "seed": us.seed,
        "as_of": us.moment,
    }


def facts(plan: Plan, us: Run) -> dict[str, Any]:
    """What a result says of its run beside how it ended."""
    return {
        **asked(plan, us),
        "expires": us.expires.isoformat(timespec="seconds"),
        "origins": origins.of(plan),
        "datasets": {dataset.name: dataset.version for dataset in plan.definition.datasets},
        "volatile": [f"{name}.{column}" for name, store in sorted(plan.stack.stores.items()) for column in volatile(store)],
    }


def _folder(checkout: Path, run: str, *, there: bool) -> Path:
    """The run's own folder below `.seeder/runs`; git ignores all of `.seeder`."""
    runs = checkout / FOLDER / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    ignore = checkout / FOLDER / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")
    folder = runs / run
    folder.mkdir(mode=0o700, exist_ok=there)
    _forget_oldest(runs)
    return folder


def _forget_oldest(runs: Path) -> None:
    """Other runs of the checkout may be at it too: what is gone is gone."""
    ages = {}
    for result in runs.glob("*/result.json"):
        with suppress(FileNotFoundError):
            ages[result.parent] = result.stat().st_mtime
    for old in sorted(ages, key=ages.__getitem__)[:-KEPT_RUNS]:
        for file in ("events.jsonl", "result.json"):
            (old / file).unlink(missing_ok=True)
        with suppress(OSError):  # gone, or something else is in it
            old.rmdir()
