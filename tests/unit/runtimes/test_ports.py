"""Ports are reserved per run: against other runs, other processes and other programs."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from seeder.machine import home
from seeder.runtimes import _ports

# A run's id says where the search for ports begins, and test processes beside this one look on the same machine.
ONE, TWO, KEPT = (uuid.uuid4().hex for _ in range(3))


@pytest.fixture(autouse=True)
def own_table(tmp_path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(home.VARIABLE, str(tmp_path))
    yield
    for run in (ONE, TWO):
        _ports.release(run)


def listening(port: int) -> socket.socket:
    """A server as most are written: it may take an address that was in use before."""
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", port))
    server.listen()
    return server


def test_each_run_and_each_call_gets_ports_of_its_own() -> None:
    ports = [*_ports.reserve(ONE, 3), *_ports.reserve(ONE, 2), *_ports.reserve(TWO, 3)]
    assert len(set(ports)) == 8


def test_a_server_can_listen_on_a_reserved_port() -> None:
    (port,) = _ports.reserve(ONE, 1)
    with listening(port):
        assert _ports.holder(port).startswith("pid ")


def test_a_port_that_is_in_use_is_not_given() -> None:
    first = _ports.reserve(ONE, 1)[0]
    _ports.release(ONE)
    with listening(first):
        assert first not in _ports.reserve(ONE, 3)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a held port would keep its own server out")
def test_a_reserved_port_is_held_against_programs_that_share_none() -> None:
    (port,) = _ports.reserve(ONE, 1)
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))
    _ports.let_go(port)
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there are no names like this")
def test_a_port_whose_server_has_not_bound_yet_is_not_given_to_a_run_with_another_table(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    (port,) = _ports.reserve(ONE, 1)
    _ports.let_go(port)
    own = os.environ[home.VARIABLE]
    monkeypatch.setenv(home.VARIABLE, str(tmp_path / "another"))
    assert _ports.reserve(ONE, 1) != [port]
    _ports.release(ONE)
    monkeypatch.setenv(home.VARIABLE, own)
    assert _ports.release(ONE) == [port]
    monkeypatch.setenv(home.VARIABLE, str(tmp_path / "another"))
    assert _ports.reserve(ONE, 1) == [port]


def test_released_ports_can_be_had_again() -> None:
    ports = _ports.reserve(ONE, 2)
    assert _ports.release(ONE) == ports
    assert _ports.release(ONE) == []
    assert _ports.reserve(ONE, 2) == ports


def test_processes_that_reserve_at_once_get_different_ports() -> None:
    code = f"import sys; from seeder.runtimes import _ports; print(*_ports.reserve('{ONE}', 5)); sys.stdout.flush(); sys.stdin.read()"
    children = [subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    with ThreadPoolExecutor() as pool:
        lines = list(pool.map(lambda child: child.stdout.readline(), children))
    for child in children:
        child.communicate()
    assert len({port for line in lines for port in line.split()}) == 20


def test_ports_of_a_process_that_died_come_back_unless_its_run_is_kept() -> None:
    code = f"from seeder.runtimes import _ports; print(_ports.reserve('{ONE}', 1)[0], _ports.reserve('{KEPT}', 1)[0])"
    (home.runs() / KEPT).mkdir()
    lost, kept = map(int, subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())
    assert _ports.reserve(ONE, 1) == [lost]
    assert _ports.release(KEPT) == [kept]


def test_who_listens_is_told_by_number_and_name() -> None:
    code = "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert _ports.holder(int(child.stdout.readline())).startswith(f"pid {child.pid} (python")
        child.communicate("\n")
    (port,) = _ports.reserve(ONE, 1)
    assert _ports.holder(port) is None
