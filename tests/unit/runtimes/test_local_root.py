"""Programs that refuse to run as root, started by root: in a user namespace, and as nobody where there is none."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from seeder.definition.service import Service
from seeder.definition.stack import Store
from seeder.errors import EnvironmentFailed, Mark, UsageError
from seeder.machine import home, process
from seeder.passed.launch import LocalLaunch
from seeder.passed.target import Address
from seeder.registry import ENGINES
from seeder.runtimes import _local_engine, _local_root, _ports
from seeder.wait import never, wait_for

pytestmark = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root becomes someone else")
UNCONFINED = pytest.mark.skipif(
    not _local_root.namespaces(), reason="a container's seccomp profile and capabilities: no user namespaces, no CAP_DAC_READ_SEARCH"
)

SAY = '#!/bin/sh\nid -u\ncat "$(dirname "$0")/words"\necho made > "$1/here"\n'


@pytest.fixture
def reachable(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home below a folder that every user can pass through."""
    folder = Path(tempfile.mkdtemp(prefix="seeder-test-"))
    folder.chmod(0o755)
    monkeypatch.setenv(home.VARIABLE, str(folder / "home"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch, reachable: Path) -> Path:
    """A home below a folder of mode 0700, as root's own home is."""
    folder = reachable / "closed"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv(home.VARIABLE, str(folder / "home"))
    return folder


def data_of(run: str) -> Path:
    folder = home.run_folder(run) / "data" / "db"
    folder.mkdir(mode=0o700, parents=True)
    return folder


@pytest.fixture
def program(reachable: Path) -> LocalLaunch:
    """A program in a folder that only root can read; it says as whom it runs, reads a file beside it, and writes into its data."""
    folder = reachable / "wheel" / "tool"
    (folder / "bin").mkdir(mode=0o700, parents=True)
    folder.parent.chmod(0o700)
    (folder / "bin" / "say").write_text(SAY, encoding="utf-8")
    (folder / "bin" / "say").chmod(0o700)
    (folder / "bin" / "words").write_text("read it\n", encoding="utf-8")
    return LocalLaunch("say 1", (str(folder / "bin" / "say"), "{data}"), reads=(folder,), refuses_root=True)


def outcome(launch: LocalLaunch, data: Path) -> list[str]:
    made = _local_engine.prepare(launch, data, Address("127.0.0.1", 1), {"PATH": os.environ["PATH"]})
    done = process.run(made.command, timeout=20, cwd=made.cwd, environment=made.environment)
    assert (data / "here").read_text(encoding="utf-8") == "made\n", done.output
    return done.output.splitlines()


@UNCONFINED
def test_in_a_namespace_it_is_someone_else_and_its_files_are_root_s(program: LocalLaunch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(_local_root.VARIABLE, "namespace")
    data = data_of("one")
    user, words = outcome(program, data)
    assert int(user) != 0
    assert words == "read it"
    assert (data / "here").stat().st_uid == 0


def test_as_nobody_an_unreadable_program_is_copied_to_the_cache(program: LocalLaunch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(_local_root.VARIABLE, "nobody")
    data = data_of("one")
    assert outcome(program, data) == [str(pwd.getpwnam("nobody").pw_uid), "read it"]
    assert (data / "here").stat().st_uid == pwd.getpwnam("nobody").pw_uid
    (copy,) = (home.cache() / "engines").glob("tool-*[!k]")
    assert not any(path.stat().st_mode & stat.S_IWOTH for path in copy.rglob("*"))


@UNCONFINED
@pytest.mark.parametrize("mode", [0o700, 0o755])
def test_as_nobody_below_a_closed_folder_it_may_search_folders_and_write_none(
    mode: int, program: LocalLaunch, closed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(_local_root.VARIABLE, "nobody")
    Path(program.command[0]).chmod(mode)
    assert outcome(program, data_of("one"))[1:] == ["read it"]
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert len(list(home.cache().glob("engines/tool-*[!k]"))) == (1 if mode == 0o700 else 0)
    launcher = [*_local_root._LAUNCHER, "search", "65534", "65534", "--"]
    assert process.run([*launcher, "touch", str(closed / "file")], timeout=10).code != 0


def test_nobody_passes_through_the_run_s_folder_and_does_not_list_it(program: LocalLaunch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(_local_root.VARIABLE, "nobody")
    outcome(program, data_of("one"))
    assert stat.S_IMODE(home.run_folder("one").stat().st_mode) == 0o710


@pytest.mark.parametrize(("way", "before"), [("nobody", 0), pytest.param("namespace", 65534, marks=UNCONFINED)])
def test_a_state_that_was_kept_under_another_guise_belongs_to_who_runs_now(
    way: str, before: int, program: LocalLaunch, reachable: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(_local_root.VARIABLE, way)
    (reachable / "state/base").mkdir(mode=0o700, parents=True)
    (reachable / "state/base/1").write_text("rows")
    for path in (reachable / "state", *(reachable / "state").rglob("*")):
        os.chown(path, before, before)
    data = data_of("one")
    _local_engine.prepare(program, data, Address("127.0.0.1", 1), {"PATH": os.environ["PATH"]}, reachable / "state")
    wanted = pwd.getpwnam("nobody").pw_uid if way == "nobody" else 0
    assert {path.stat().st_uid for path in (data, *data.rglob("*"))} == {wanted}


def test_another_word_for_the_way_is_refused(program: LocalLaunch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(_local_root.VARIABLE, "yes")
    with pytest.raises(UsageError, match="namespace or nobody"):
        outcome(program, data_of("one"))


@pytest.mark.parametrize("way", [pytest.param("namespace", marks=UNCONFINED), "nobody"])
@pytest.mark.parametrize("place", ["reachable", "closed"])
def test_postgresql_starts_either_way(way: str, place: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    request.getfixturevalue(place)
    monkeypatch.setenv(_local_root.VARIABLE, way)
    engine = ENGINES.get("postgres")
    service = Service(
        "db", Mark(Path("compose.yaml"), 1), image="postgres:17", environment={"POSTGRES_PASSWORD": "s3cret", "POSTGRES_DB": "notes"}
    )
    store = Store("db", "db", "postgres")
    for run in ("first", "second"):  # prepared, then copied from the cache
        address = Address("127.0.0.1", _ports.reserve(run, 1)[0])
        made = _local_engine.prepare(engine.local(service), data_of(run), address, {"PATH": os.environ["PATH"]})
        with process.start(made.command, cwd=made.cwd, environment=made.environment) as server:
            try:
                wait_for("port", lambda at=address: _local_look(at), within=20)
                engine.initialise(service, [store], address, image=False)
                target = engine.target(store, service, address)
                wait_for("db", lambda to=target: engine.probe(to), within=20)
            finally:
                server.terminate()
                server.communicate(timeout=20)
        _ports.release(run)


def _local_look(address: Address):
    from seeder.runtimes import _local_ready

    return _local_ready.look(_local_ready.Check("port", "tcp", 1), {1: address}, never)


def test_a_preparation_that_fails_says_its_output_and_leaves_nothing_in_the_cache(reachable: Path) -> None:
    words = (sys.executable, "-c", "print('no room'); raise SystemExit(3)")
    launch = LocalLaunch("thing 1", ("thing",), prepare=(words,))
    with pytest.raises(EnvironmentFailed, match="ended with code 3") as failed:
        _local_engine.prepare(launch, data_of("one"), Address("127.0.0.1", 1), {"PATH": os.environ["PATH"]})
    assert "no room" in failed.value.log
    assert [path for path in (home.cache() / "engines").iterdir() if path.is_dir()] == []


def test_what_was_prepared_once_is_copied_and_the_copies_are_independent(reachable: Path) -> None:
    code = "import pathlib, sys; p = pathlib.Path(sys.argv[1]); (p / 'made').write_text((p / 'word').read_text()); (p / 'deep').mkdir()"
    prepare, files = ((sys.executable, "-c", code, "{data}"),), {"a.conf": "port={port} {other}"}
    launch = LocalLaunch("thing 1", ("thing",), prepare=prepare, given={"word": "s3cret"}, files=files)
    folders = [data_of(run) for run in ("one", "two", "three")]
    for number, data in enumerate(folders):
        _local_engine.prepare(launch, data, Address("127.0.0.1", number), {})
        (data / "made").write_text(str(data), encoding="utf-8")
    kept = [path for path in (home.cache() / "engines").iterdir() if path.is_dir()]
    assert [(path / "made").read_text(encoding="utf-8") for path in kept] == ["s3cret"]
    assert [path for path in [*kept, *folders] if (path / "word").exists()] == [], "what it was given is gone"
    assert [(data / "a.conf").read_text(encoding="utf-8") for data in folders] == [f"port={n} {{other}}" for n in range(3)]
    assert [(data / "made").read_text(encoding="utf-8") for data in folders] == [str(data) for data in folders]
    assert stat.S_IMODE((folders[0] / "a.conf").stat().st_mode) == 0o600
