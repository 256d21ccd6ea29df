"""Short commands stay short: what they do not need is not imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
HEAVY = {"docker", "httpx", "rich", "psycopg", "redis", "nats", "numpy", "pyarrow", "asyncio", "requests", "jsonschema"}


@pytest.mark.parametrize(
    ("line", "spared"),
    [
        ("--help", HEAVY | {"pydantic", "yaml", "seeder.definition", "seeder.protocols"}),
        ("run --help", HEAVY | {"pydantic", "yaml", "seeder.definition"}),
        ("plan shop --scenario checkout-ready --runtime local", HEAVY),
        ("check", HEAVY - {"jsonschema"}),  # what steps are given is held against shapes
        ("schema keys", HEAVY | {"yaml"}),
    ],
)
def test_heavy_packages_are_imported_only_where_they_are_used(line, spared):
    script = (
        "import sys; from seeder.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit as e: print('ended', e.code, file=sys.stderr)\n"
        "print(*sorted(sys.modules), file=sys.stderr)"
    )
    said = subprocess.run([sys.executable, "-c", script, *line.split()], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "ended 0\n" in said.stderr, said.stderr[:500]
    assert spared & set(said.stderr.split()) == set()
