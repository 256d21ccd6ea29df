"""Files that are whole whenever somebody reads them."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path


def write(path: Path, text: str) -> None:
    """Make or replace the file, readable by its owner alone; one that says so already is left. Whoever reads it meanwhile sees the
    former one, and of several that write it at once one is the last. Raises OSError."""
    with suppress(OSError, ValueError):
        if path.read_text(encoding="utf-8") == text:
            return
    draft = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    draft.unlink(missing_ok=True)  # of a process that was killed in the midst
    draft.touch(mode=0o600)
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
