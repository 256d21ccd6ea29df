"""What the tests of one session have in common: their environment, their databases, what is told of them at the end."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from seeder import check, decide, session
from seeder.definition.request import Request, find_project, resolve
from seeder.errors import UsageError
from seeder.frozen import frozen
from seeder.passed.options import Options
from seeder.registry import traits
from seeder.testing import warm
from seeder.testing.database import Databases
from seeder.testing.dependence import Dependence
from seeder.testing.shared import Shared
from seeder.testing.tested import Summary

if TYPE_CHECKING:
    from seeder.session import Session


@frozen
class Asked:
    """What the session was asked for: `request` holds all but scenarios. Its workers share `folder`; `who` is this one."""

    project: Path
    request: Request
    folder: Path
    who: str
    keep_failed: bool = False
    reuse: bool = False


class Suite:
    """Each part is made when a test first needs it, and ends with the session."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked

    @cached_property
    def shared(self) -> Shared:
        return Shared(self._provided, keep_failed=self._asked.keep_failed)

    @cached_property
    def databases(self) -> Databases:
        return Databases(self._asked.folder, self._asked.who, self._asked.project, self._asked.request)

    @cached_property
    def dependence(self) -> Dependence:
        return Dependence()

    def end(self, summary: Summary) -> None:
        """What was made goes, or stays; the summary tells of it."""
        made = vars(self)
        if "shared" in made:
            self.shared.close()
            summary.add(Summary(resets=self.shared.resets, ended=self.shared.ended, stay=self.shared.stay, left=self.shared.left))
        if "databases" in made:
            self.databases.close()
            summary.left += self.databases.left
        if "dependence" in made:
            summary.began |= self.dependence.found

    def _provided(self, scenario: str | None, inputs: Mapping[str, str]) -> AbstractContextManager[Session]:
        request = replace(self._asked.request, scenario=scenario, inputs=inputs)
        with check.entire(self._asked.project, request):
            plan = decide.plan(resolve(find_project(self._asked.project, request.overlays), request, traits()))
        if self._asked.reuse and (target := plan.stack.shared):
            cause = f"would leave what tests made in target {target.name}, which others use, too"
            raise UsageError("--seeder-reuse", cause, "leave it out: to attach takes no longer than to take up")
        if self._asked.reuse:
            return warm.up(plan, keep_failed=self._asked.keep_failed)
        options = Options(marks=True, keep_failed=self._asked.keep_failed)
        return session.handed_over(plan, options, lambda _: None)
