"""Toxiproxy's other clients, the official command line and the package for Python, ask the server that seeder brings and the real one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import pytest

from seeder.faults.client import Toxiproxy
from seeder.wait import wait_for
from tests.contract.proxying import answers, dial, echo, free_port, received
from tests.contract.test_toxiproxy import KINDS

CLI = shutil.which("toxiproxy-cli")
WANTED = os.environ.get("SEEDER_TEST_TOXIPROXY_CLI") == "required"


class Client(Protocol):
    """What each of them can do."""

    def create(self, name: str, listen: str, upstream: str) -> None: ...
    def delete(self, name: str) -> None: ...
    def switch(self, name: str, on: bool) -> None: ...
    def add(self, proxy: str, name: str, latency: int) -> None: ...
    def remove(self, proxy: str, name: str) -> None: ...
    def names(self) -> set[str]: ...


class CommandLine:
    def __init__(self, url: str) -> None:
        self._url = url

    def _run(self, *words: str) -> str:
        done = subprocess.run([str(CLI), "--host", self._url, *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def create(self, name: str, listen: str, upstream: str) -> None:
        self._run("create", "--listen", listen, "--upstream", upstream, name)

    def delete(self, name: str) -> None:
        self._run("delete", name)

    def switch(self, name: str, on: bool) -> None:
        del on  # it knows how it stands
        self._run("toggle", name)

    def add(self, proxy: str, name: str, latency: int) -> None:
        self._run("toxic", "add", "--type", "latency", "--toxicName", name, "--attribute", f"latency={latency}", proxy)
        assert f"latency={latency}" in self._run("inspect", proxy)

    def remove(self, proxy: str, name: str) -> None:
        self._run("toxic", "remove", "--toxicName", name, proxy)

    def names(self) -> set[str]:
        lines = self._run("list").splitlines()
        return {line.split()[0] for line in lines if "127.0.0.1" in line}


class Package:
    """toxiproxy-python: the server is a setting of its classes."""

    def __init__(self, url: str) -> None:
        import toxiproxy
        from toxiproxy.api import APIConsumer

        host, port = url.removeprefix("http://").split(":")
        APIConsumer.host, APIConsumer.port, APIConsumer.base_url = host, int(port), url
        self._server: Any = toxiproxy.Toxiproxy()

    def create(self, name: str, listen: str, upstream: str) -> None:
        self._server.create(upstream=upstream, name=name, listen=listen)

    def delete(self, name: str) -> None:
        self._server.destroy(self._server.get_proxy(name))

    def switch(self, name: str, on: bool) -> None:
        proxy = self._server.get_proxy(name)
        proxy.enable() if on else proxy.disable()

    def add(self, proxy: str, name: str, latency: int) -> None:
        self._server.get_proxy(proxy).add_toxic(name=name, type="latency", attributes={"latency": latency})

    def remove(self, proxy: str, name: str) -> None:
        self._server.get_proxy(proxy).destroy_toxic(name)

    def names(self) -> set[str]:
        return set(self._server.proxies())


@pytest.fixture(scope="module", params=["embedded", pytest.param("real", marks=pytest.mark.docker)])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with KINDS[request.param]() as found:
        yield found


@pytest.fixture(params=[CommandLine, Package])
def client(request: pytest.FixtureRequest, url: str) -> Client:
    if request.param is CommandLine and CLI is None:
        if WANTED:
            pytest.fail("toxiproxy-cli is not on the path")
        pytest.skip("toxiproxy-cli is not on the path: `ci/acceptance toxiproxy` builds it")
    made: Client = request.param(url)
    return made


def took(address: str) -> float:
    with dial(address) as one:
        began = time.monotonic()
        one.sendall(b"ping")
        assert received(one, 4) == b"ping"
        return time.monotonic() - began


def test_what_a_client_does_is_done(client: Client) -> None:
    listen = f"127.0.0.1:{free_port()}"
    with echo() as upstream:
        client.create("shop", listen, upstream)
        assert client.names() == {"shop"}
        assert took(listen) < 0.15
        client.add("shop", "slow", 200)
        assert took(listen) > 0.18
        client.remove("shop", "slow")
        assert took(listen) < 0.15
        client.switch("shop", on=False)
        with pytest.raises(ConnectionRefusedError):
            took(listen)
        client.switch("shop", on=True)
        assert took(listen) < 0.15
        client.delete("shop")
        assert client.names() == set()


# -- the command --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_until_it_is_interrupted(tmp_path: Path, ending: signal.Signals) -> None:
    port, config = free_port(), tmp_path / "proxies.json"
    with echo() as upstream:
        config.write_text(json.dumps([{"name": "shop", "listen": "127.0.0.1:0", "upstream": upstream}]))
        words = [sys.executable, "-m", "seeder", "toxiproxy", "--port", str(port), "--config", str(config)]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
            url = f"http://127.0.0.1:{port}"
            wait_for("toxiproxy", lambda: answers(url), within=30)
            with closing(Toxiproxy(url)) as asked:
                assert took(asked.proxy("shop").listen) < 0.15
            server.send_signal(ending)
            said, _ = server.communicate(timeout=30)
    assert (server.returncode, said) == (0, f"listening on {url}\n")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (None, "there is no such file"),
        ("{", "Expecting property name"),
        ('[{"name": "shop"}]', "missing required field: upstream at proxy 1"),
        ('[{"name": "shop", "upstream": "x:1", "listen": "0.0.0.0:0"}]', "listen on 127.0.0.1 alone"),
    ],
)
def test_a_wrong_configuration_is_told(tmp_path: Path, config: str | None, said: str) -> None:
    path = tmp_path / "proxies.json"
    if config is not None:
        path.write_text(config)
    words = [sys.executable, "-m", "seeder", "toxiproxy", "--port", "0", "--config", str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_told() -> None:
    with echo() as taken:
        words = [sys.executable, "-m", "seeder", "toxiproxy", "--port", taken.rpartition(":")[2]]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 3
    assert "cannot listen there" in done.stderr
