"""new-migration: one new revision on a cached stack; parallel: eight environments at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.measure import SHOP, Case, Goal, Report, alternate, clock, run, seeder, shop

REVISION = '''"""Measured: one more column."""

import sqlalchemy as sa
from alembic import op

revision = "bench_{number}"
down_revision = "{head}"


def upgrade() -> None:
    op.add_column("orders", sa.Column("bench_{number}", sa.Text()))


def downgrade() -> None:
    op.drop_column("orders", "bench_{number}")
'''


def new_migration(times: int, runtime: str) -> Report:
    """Each time a revision that was never applied is added to the history of orders, and taken away."""
    report = Report(f"new-migration, {runtime}", times)
    with shop() as folder:
        run(*SHOP, "--runtime", runtime, cwd=folder)
        added = Case("one new revision on layers", lambda: _with_one_more(folder, runtime))
        alternate(report, [added, Case("seeder run, cold", lambda: run(*SHOP, "--runtime", runtime, "--no-cache", cwd=folder))])
    report.goals = [Goal("one new revision", added.name, "seeder run, cold", 0.25)]
    return report


def parallel(times: int, at_once: int = 8) -> Report:
    """From layers; the share of one environment in the time of all, per core."""
    report = Report("parallel", times)
    words = (*SHOP, "--runtime", "local", "--quiet", "--", "true")
    seeder("run", *words)

    def together() -> Mapping[str, float]:
        with clock() as found, ThreadPoolExecutor(at_once) as pool:
            list(pool.map(lambda _: seeder("run", *words), range(at_once)))
        share = found["total"] / at_once * (os.cpu_count() or 1)
        return {**found, "share": share}

    def alone() -> Mapping[str, float]:
        with clock() as found:
            seeder("run", *words)
        return {**found, "share": found["total"]}

    alternate(report, [Case(f"{at_once} at once", together), Case("one alone", alone)])
    report.goals = [Goal("a core's share of one environment", f"{at_once} at once", "one alone", 2.5, "share")]
    return report


def _with_one_more(folder: Path, runtime: str) -> Mapping[str, float]:
    versions = next((folder / "stacks/shop/orders").rglob("versions"))
    head, number = _head(versions), os.urandom(4).hex()
    added = versions / f"bench_{number}.py"
    added.write_text(REVISION.format(number=number, head=head), encoding="utf-8")
    try:
        return run(*SHOP, "--runtime", runtime, cwd=folder)
    finally:
        added.unlink()


def _head(versions: Path) -> str:
    """The revision that no other follows, read as alembic reads it."""
    from alembic.script import ScriptDirectory

    head = ScriptDirectory(str(versions.parent)).get_current_head()
    assert head
    return head
