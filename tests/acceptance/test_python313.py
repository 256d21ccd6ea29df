"""seeder on Python 3.13, in a container with nothing but Python: the unit tests, and the main job with embedded engines."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
IMAGE = "python:3.13-slim"
INSIDE = """
set -e
cp -r /source /work && cd /work
python3 -m venv /venv 2>/dev/null && PY=/venv/bin/python || PY=python3
export PIP_BREAK_SYSTEM_PACKAGES=1
$PY -m pip install -q --no-index --find-links /wheels hatchling editables
$PY -m pip install -q --no-index --find-links /wheels --no-build-isolation -e '.[test]'
$PY -c 'import sys; assert sys.version_info >= (3, 13), sys.version'
$PY -m pytest -q -p no:cacheprovider -n 2 tests/unit
cd tests/data/small && $PY -m seeder run small --scenario ready --runtime local -- env
"""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """Wheels for 3.13 of all that the tests need, so that the container needs no network."""
    folder = tmp_path_factory.mktemp("wheels")
    wanted = [sys.executable, "-m", "pip", "download", "-q", "-d", str(folder), "--python-version", "3.13", "--only-binary=:all:"]
    own = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(ROOT)]
    subprocess.run(own, check=True)
    (wheel,) = folder.glob("seeder_env-*.whl")
    subprocess.run([*wanted, f"{wheel}[test]", "hatchling", "editables"], check=True)
    return folder


@pytest.mark.docker
def test_everything_works_on_313_in_a_bare_container(wheels):
    mounts = ["-v", f"{ROOT}:/source:ro", "-v", f"{wheels}:/wheels:ro"]
    command = ["docker", "run", "--rm", "--network", "none", *mounts, IMAGE, "sh", "-c", INSIDE]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1800)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "NOTES_WEB=http://127.0.0.1:" in done.stdout
