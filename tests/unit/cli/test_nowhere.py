"""What is said in a folder that was deleted since the shell went there."""

from __future__ import annotations

import pytest

from seeder.cli import main


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        ("plan", 2, "error: the current folder: is gone\n    -> change to one that exists"),
        ("init", 2, "error: the current folder: is gone\n    -> change to one that exists"),
        ("run -- true", 125, "error: the current folder: is gone\n    -> change to one that exists"),
        ("run --wrong -- true", 125, "error: seeder run: no such option '--wrong'"),
    ],
)
def test_a_current_folder_that_is_gone_is_told(tmp_path, monkeypatch, capfd, line, code, told):
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    with pytest.raises(SystemExit) as ended:
        main(line.split())
    assert ended.value.code == code
    assert capfd.readouterr().err.startswith(told)
