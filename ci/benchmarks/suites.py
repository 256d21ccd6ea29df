"""What benchmarks of test suites share: pytest as a process of its own, and the set-up of pytest-postgresql, which is a reference."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import ROOT, clock, ended
from seeder.engines import _postgres_local
from seeder.passed.launch import LocalLaunch
from seeder.runtimes._local_root import guise

STORE = "orders-db"
SEEDER = (
    *("-p", "no:pytest_postgresql", "--seeder-project", str(ROOT), "--seeder-stack", "shop", "--seeder-scenario", "checkout-ready"),
    *("--seeder-runtime", "local"),
)

# The server that seeder's local runtime starts, with its settings; what loads the template is the dump of what seeder gives to a test.
PLUGIN = """
import subprocess
from pytest_postgresql import factories

def load(host, port, user, dbname, password, **_):
    where = ["-h", host, "-p", str(port), "-U", user, dbname]
    subprocess.run(["{programs}/psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", "{dump}", *where], check=True, stdout=subprocess.DEVNULL)

postgresql_proc = factories.postgresql_proc(
    executable="{programs}/pg_ctl",
    host="127.0.0.1",
    port=None,
    unixsocketdir="{folder}",
    postgres_options="-c listen_addresses=127.0.0.1 -c full_page_writes=off -c synchronous_commit=off -c shared_buffers=32MB",
    load=[load],
)
postgresql = factories.postgresql("postgresql_proc")
"""
DUMP = """
import subprocess

def test_dump(seeder_database):
    words = ["{programs}/pg_dump", "--no-owner", "--no-privileges", "-f", "{dump}", seeder_database("{store}").url()]
    subprocess.run(words, check=True)
"""
NOTES = (
    "pytest-postgresql: the same PostgreSQL and settings (nothing is flushed), its template loaded from a dump of what seeder gives; "
    "WAL in segments of 16 MB, where seeder's has 1 MB"
)


def pytest(folder: Path, words: Sequence[str], before: Sequence[str] = (), **more: str) -> dict[str, float]:
    """Seconds of the whole process; one that fails ends the benchmark with what it said."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(folder)]
    words = [*before, *command, "--basetemp", str(folder / "tmp"), *words, str(folder)]
    with clock() as found:
        done = ended(words, folder, **more)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return found


def suite(folder: Path, **files: str) -> Path:
    """A folder with these files of Python in it."""
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return folder


def dumped(folder: Path) -> dict[str, str]:
    """What PLUGIN is filled with. It makes the layer, too, of which seeder's databases are copied."""
    known = {"programs": str(_programs()), "dump": str(folder / "dump.sql"), "folder": str(folder), "store": STORE}
    pytest(suite(folder / "dump", test_dump=DUMP.format(**known)), SEEDER)
    return known


def plugin(folder: Path, **more: str) -> dict[str, float]:
    """The suite in the folder by pytest-postgresql, without seeder's plugin. PostgreSQL refuses root, so all of it runs as seeder runs
    its server for root."""
    server = LocalLaunch("PostgreSQL", (), reads=(_programs(),), refuses_root=True)
    return pytest(folder, ("-p", "no:seeder"), guise(server, folder).command(()), **more)


def _programs() -> Path:
    found = _postgres_local.programs()
    assert found, "the embedded PostgreSQL is not installed"
    return found
