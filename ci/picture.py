"""Runs the example shop in a terminal of its own and keeps what it shows as an SVG."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
TYPED = "seeder run shop --scenario checkout-ready --runtime local -- pytest -q stacks/shop/tests/test_checkout.py"
WIDTH = 108
FONTS = re.compile(r"@font-face \{\{.*?\}\}\s*", re.DOTALL)  # the picture loads nothing from elsewhere


def shown(command: list[str]) -> str:
    """What the command writes to a terminal. As in a CI's log lines are not drawn anew, so that all of them stay."""
    ours, theirs = pty.openpty()
    variables = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(WIDTH), "CI": "1"}
    child = subprocess.Popen(command, cwd=ROOT, env=variables, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs)
    os.close(theirs)
    pieces = []
    try:
        while piece := os.read(ours, 65536):
            pieces.append(piece)
    except OSError:  # Linux answers so when the other end is closed
        pass
    if child.wait() != 0:
        raise SystemExit(b"".join(pieces).decode())
    return b"".join(pieces).decode().replace("\r\n", "\n")


def main() -> None:
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text.assemble(("$ ", "bold green"), (TYPED, "bold")))
    console.print(Text.from_ansi(shown(TYPED.split())))
    picture = console.export_svg(title="seeder", theme=MONOKAI, code_format=FONTS.sub("", CONSOLE_SVG_FORMAT), unique_id="run")
    (ROOT / ".github" / "run.svg").write_text(re.sub(r"[ \t]+$", "", picture, flags=re.MULTILINE), encoding="utf-8")


main()
