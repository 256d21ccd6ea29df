"""Running a program to its end: what it wrote, how it ended, and that a time limit is one."""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from seeder.errors import EnvironmentFailed
from seeder.machine import process


def python(code: str, *, timeout: float = 20.0, **more) -> process.Completed:
    return process.run([sys.executable, "-c", code], timeout=timeout, **more)


def test_both_streams_come_in_order_and_line_by_line() -> None:
    heard: list[str] = []
    code = "import os\nfor n in range(3): os.write(1 + n % 2, f'line {n}\\n'.encode())\nos.write(1, b'\\xff no newline')"
    done = python(code, on_line=heard.append)
    assert done.output.splitlines() == heard == ["line 0", "line 1", "line 2", "\ufffd no newline"]
    assert done.tail(2) == "line 2\n\ufffd no newline"


@pytest.mark.parametrize("code", [0, 3])
def test_the_exit_code_is_answered(code: int) -> None:
    assert python(f"raise SystemExit({code})").code == code


def test_what_is_fed_may_be_larger_than_any_pipe() -> None:
    text = "x" * 300_000
    assert python("import sys; sys.stdout.write(sys.stdin.read())", stdin=text).output == text


@pytest.mark.parametrize(
    "code",
    [
        "import time; print('begun', flush=True); time.sleep(60)",
        "print('begun', flush=True)\nwhile True: print('more', flush=True)",
        "import os, time; print('begun', flush=True); os.close(1); os.close(2); time.sleep(60)",
    ],
)
def test_the_time_limit_ends_silent_and_talkative_programs(code: str) -> None:
    with pytest.raises(EnvironmentFailed, match=r"did not end within 0.5 s") as failed:
        python(code, timeout=0.5)
    assert failed.value.log


def test_a_program_is_over_when_it_ends_though_its_daemon_holds_the_output() -> None:
    code = "import subprocess; print(subprocess.Popen(['sleep', '60'], start_new_session=True).pid)"
    begun = time.monotonic()
    daemon = psutil.Process(int(python(code).output))
    try:
        assert time.monotonic() - begun < 10
        assert daemon.is_running()
    finally:
        daemon.kill()


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailed, match="program no-such-program is not there"):
        process.run(["no-such-program"], timeout=1)
    with pytest.raises(EnvironmentFailed, match="gone is not there"):
        process.run([sys.executable], timeout=1, cwd=tmp_path / "gone")
    (tmp_path / "text").write_text("x", encoding="utf-8")
    with pytest.raises(EnvironmentFailed, match="cannot be started"):
        process.run([str(tmp_path / "text")], timeout=1)


def test_the_environment_replaces_the_inherited_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTER", "1")
    assert python("import os; print(os.environ.get('OUTER'), os.environ['INNER'])", environment={"INNER": "2"}).output == "None 2"


def told(**environment: str) -> list[str]:
    """The run of a program with this environment, and where it makes temporary files."""
    code = "import os; print(os.environ.get('SEEDER_OWNER'), os.environ.get('TMPDIR'))"
    return python(code, environment={**os.environ, **environment}).output.split()


def test_of_several_runs_a_program_belongs_to_the_one_that_it_is_started_for(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    with process.owned("a", a), process.owned("b", b):
        assert told() == ["b", str(b)]
        assert told(SEEDER_OWNER="a") == ["a", str(a)]
        assert told(SEEDER_OWNER="around") == ["b", str(b)], "a run around this process is none that it works for"


def test_of_runs_that_end_crosswise_the_one_that_goes_on_keeps_its_programs(tmp_path: Path) -> None:
    first, second = ExitStack(), ExitStack()
    first.enter_context(process.owned("a", tmp_path / "a"))
    second.enter_context(process.owned("b", tmp_path / "b"))
    first.close()
    assert told()[0] == "b"
    second.close()


def test_a_further_process_of_seeder_finds_it_and_nothing_else_by_that(tmp_path: Path) -> None:
    given = process.of_seeder()
    place = Path(given.get("PYTHONPATH", "").split(os.pathsep)[0])
    assert not place.parts or (place / "seeder/__init__.py").is_file()
    found = process.run([sys.executable, "-P", "-c", "import seeder.warden"], timeout=30, cwd=tmp_path, environment=given)
    assert found.code == 0, found.output
