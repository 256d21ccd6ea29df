"""An OCI registry of the test's own: the distribution project's, on this machine, for as long as the block lasts."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from seeder.wait import READY, Verdict, not_yet, wait_for

REQUIRED = os.environ.get("SEEDER_TEST_REGISTRY") == "required"
HINT = "go install github.com/distribution/distribution/v3/cmd/registry@v3.0.0"
CONFIGURATION = """\
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {folder}}}}}
http: {{addr: "127.0.0.1:{port}"}}
{more}
"""


@contextlib.contextmanager
def registry(folder: Path, more: str = "") -> Iterator[str]:
    """Its HOST:PORT. Skips the test unless SEEDER_TEST_REGISTRY=required, as `ci/acceptance remotes` has it."""
    if not REQUIRED:
        pytest.skip("a registry is run by `ci/acceptance remotes` alone")
    program = shutil.which("registry")
    if program is None:
        pytest.fail(f"no OCI registry to run: {HINT}")
    port = _free_port()
    (folder / "registry.yaml").write_text(CONFIGURATION.format(folder=folder / "registry", port=port, more=more))
    with (folder / "registry.log").open("w") as log:
        child = subprocess.Popen([program, "serve", str(folder / "registry.yaml")], stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_for("the registry", lambda: _listens(port), within=30)
        yield f"127.0.0.1:{port}"
    finally:
        child.terminate()
        child.wait(10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> Verdict:
    with socket.socket() as probe:
        return READY if probe.connect_ex(("127.0.0.1", port)) == 0 else not_yet("nothing listens yet")
