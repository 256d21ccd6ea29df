"""Files that are whole whenever somebody reads them."""

from __future__ import annotations

from pathlib import Path


def write(path: Path, text: str) -> None:
    """Make or replace the file, readable by its owner alone. Whoever reads it meanwhile sees the former one. Raises OSError."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)  # of a process that was killed in the midst
    draft.touch(mode=0o600)
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
