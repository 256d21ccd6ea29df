"""What a program that seeder starts for a run gets of the shell that seeder was started from.

A container gets nothing of that shell; neither does a process that stands in for one, nor a migration or a seed that runs
beside one, or a forgotten DATABASE_URL would lead it to the wrong database. What is passed on describes the machine, not the stack.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from seeder.machine import home
from seeder.machine.process import RUN_LABEL

if TYPE_CHECKING:
    from seeder.passed.run import Run

PASSED = frozenset(
    {
        "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "SHELL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SSL_CERT_FILE",
        "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "PIP_CERT", "JAVA_HOME", "VIRTUAL_ENV",
        "XDG_CACHE_HOME", "XDG_STATE_HOME", home.VARIABLE, "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_CERT_PATH",
        "DOCKER_TLS_VERIFY",
    }
)  # fmt: skip


def environment(run: Run, interpreter: str | None = None) -> dict[str, str]:
    """What every program of the run gets; temporary files are made below the run's folder. With an `interpreter`, programs
    beside it come first: `python` is that one."""
    inherited = {name: value for name, value in os.environ.items() if name in PASSED or name.startswith("LC_")}
    temporary = run.folder / "tmp"
    temporary.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = inherited.get("PATH", os.defpath)
    if interpreter:
        path = os.pathsep.join([str(Path(interpreter).parent), path])
    return {**inherited, "PATH": path, "TMPDIR": str(temporary), RUN_LABEL: run.id}
