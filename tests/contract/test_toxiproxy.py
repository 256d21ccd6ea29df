"""Toxiproxy's API and toxics, of the server that seeder brings and of the real one."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

import httpx
import pytest

from seeder.errors import EnvironmentFailed
from seeder.faults.client import Proxy, Refused, Toxiproxy
from seeder.order import aside
from seeder.wait import wait_for
from tests.contract.proxying import answers, dial, echo, embedded, free_port, real, received

KINDS = {"embedded": embedded, "real": real}
BIG = bytes(range(256)) * 4096  # a mebibyte


@pytest.fixture(scope="module", params=["embedded", pytest.param("real", marks=pytest.mark.docker)])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with KINDS[request.param]() as found:
        yield found


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    with echo() as found:
        yield found


@pytest.fixture
def server(url: str) -> Iterator[Toxiproxy]:
    client = Toxiproxy(url)
    yield client
    for name in client.proxies():
        client.delete(name)
    client.close()


@pytest.fixture
def proxy(server: Toxiproxy, upstream: str) -> Proxy:
    return server.create("shop", "127.0.0.1:0", upstream)


def asked(address: str, data: bytes = b"hello") -> bytes:
    with dial(address) as one:
        one.sendall(data)
        return received(one, len(data))


def timed(address: str, data: bytes = b"hello") -> float:
    """Seconds from the first byte that is sent to the last that comes back."""
    with dial(address) as one:
        began = time.monotonic()
        one.sendall(data)
        assert received(one, len(data)) == data
        return time.monotonic() - began


def ends(one: socket.socket) -> str:
    """How the connection ends: what it reads is thrown away."""
    try:
        while one.recv(1 << 16):
            pass
    except ConnectionResetError:
        return "reset"
    except TimeoutError:
        return "not at all"
    return "closed"


# -- the API ------------------------------------------------------------------------------------------------------------


def test_its_version_is_told(server: Toxiproxy) -> None:
    assert server.version() == "2.12.0"


def test_a_proxy_leads_to_its_upstream_as_long_as_it_is_there(server: Toxiproxy, upstream: str) -> None:
    made = server.create("shop", "localhost:0", upstream)
    assert (made.upstream, made.enabled, made.toxics) == (upstream, True, ())
    assert server.proxies() == {"shop": made}
    assert server.proxy("shop") == made
    assert asked(made.listen) == b"hello"
    server.delete("shop")
    assert server.proxies() == {}
    with pytest.raises(ConnectionRefusedError):
        asked(made.listen)


def test_a_proxy_may_lead_elsewhere_and_be_switched_off_and_on(server: Toxiproxy, proxy: Proxy) -> None:
    with dial(proxy.listen) as one, echo() as other:
        assert server.change("shop", enabled=False) == Proxy("shop", proxy.listen, proxy.upstream, enabled=False)
        assert ends(one) in ("closed", "reset")
        with pytest.raises(ConnectionRefusedError):
            asked(proxy.listen)
        assert server.change("shop", upstream=other, enabled=True).upstream == other
        assert asked(proxy.listen) == b"hello"
        assert server.proxy("shop").enabled


def test_a_proxy_of_somebody_who_is_not_there_turns_clients_away(server: Toxiproxy) -> None:
    made = server.create("shop", "127.0.0.1:0", f"127.0.0.1:{free_port()}")
    with dial(made.listen) as one:
        assert ends(one) in ("closed", "reset")


def test_proxies_are_made_all_at_once_and_those_that_are_there_stay(server: Toxiproxy, proxy: Proxy) -> None:
    server.add("shop", "latency", {"latency": 1})
    with dial(proxy.listen) as one:
        other = Proxy("other", "127.0.0.1:0", proxy.upstream, enabled=False)
        same, made = server.populate([Proxy("shop", proxy.listen, proxy.upstream), other])
        one.sendall(b"still there")
        assert received(one, 11) == b"still there"
    assert [toxic.name for toxic in same.toxics] == ["latency_downstream"]
    assert made == other
    with echo() as elsewhere:
        (moved,) = server.populate([Proxy("shop", proxy.listen, elsewhere)])
        assert (moved.upstream, moved.toxics) == (elsewhere, ())
        assert asked(moved.listen) == b"hello"


def test_all_is_well_after_a_reset(server: Toxiproxy, proxy: Proxy) -> None:
    server.add("shop", "timeout", {"timeout": 0})
    server.change("shop", enabled=False)
    server.reset()
    assert server.proxy("shop") == proxy
    assert asked(proxy.listen) == b"hello"


def test_toxics_are_named_changed_and_removed(server: Toxiproxy, proxy: Proxy) -> None:
    one = server.add("shop", "latency", {"latency": 5, "jitter": 1})
    assert (one.name, one.stream, one.toxicity) == ("latency_downstream", "downstream", 1)
    two = server.add("shop", "slicer", {"average_size": 9}, stream="upstream", toxicity=0.5, name="cut")
    assert two.attributes == {"average_size": 9, "size_variation": 0, "delay": 0}
    assert server.toxics("shop") == [two, one]  # upstream before downstream
    changed = server.adjust("shop", "latency_downstream", {"latency": 7}, toxicity=0.25)
    assert (changed.attributes, changed.toxicity) == ({"latency": 7, "jitter": 1}, 0.25)
    assert server.toxic("shop", "latency_downstream") == changed
    server.remove("shop", "cut")
    assert server.toxics("shop") == [changed]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        ("POST", "/proxies", "{", 400, "bad request body: "),
        ("POST", "/proxies", "[]", 400, "bad request body: "),
        ("POST", "/proxies", '{"name": 5}', 400, "bad request body: "),
        ("POST", "/proxies", '{"upstream": "127.0.0.1:1"}', 400, "missing required field: name"),
        ("POST", "/proxies", '{"name": "x"}', 400, "missing required field: upstream"),
        ("POST", "/proxies", '{"name": "shop", "upstream": "127.0.0.1:1"}', 409, "proxy already exists"),
        ("POST", "/proxies", '{"name": "x", "listen": "nowhere", "upstream": "127.0.0.1:1"}', 500, ""),
        ("GET", "/proxies/x", "", 404, "proxy not found"),
        ("PATCH", "/proxies/x", "{}", 404, "proxy not found"),
        ("POST", "/proxies/x", "{}", 404, "proxy not found"),
        ("PATCH", "/proxies/shop", "{", 400, "bad request body: "),
        ("DELETE", "/proxies/x", "", 404, "proxy not found"),
        ("GET", "/proxies/x/toxics", "", 404, "proxy not found"),
        ("POST", "/proxies/x/toxics", "{}", 404, "proxy not found"),
        ("POST", "/proxies/shop/toxics", "{", 400, "bad request body: "),
        ("POST", "/proxies/shop/toxics", "{}", 400, "invalid toxic type"),
        ("POST", "/proxies/shop/toxics", '{"type": "magic"}', 400, "invalid toxic type"),
        ("POST", "/proxies/shop/toxics", '{"type": "latency", "stream": "sideways"}', 400, "stream was invalid, can be either"),
        ("POST", "/proxies/shop/toxics", '{"type": "latency", "attributes": {"latency": "a"}}', 400, "bad request body: "),
        ("POST", "/proxies/shop/toxics", '{"type": "latency", "attributes": {"latency": 1.5}}', 400, "bad request body: "),
        ("POST", "/proxies/shop/toxics", '{"type": "timeout", "name": "there"}', 409, "toxic already exists"),
        ("GET", "/proxies/shop/toxics/x", "", 404, "toxic not found"),
        ("PATCH", "/proxies/shop/toxics/x", "{}", 404, "toxic not found"),
        ("PATCH", "/proxies/shop/toxics/there", "{", 400, "bad request body: "),
        ("DELETE", "/proxies/shop/toxics/x", "", 404, "toxic not found"),
        ("POST", "/populate", "{}", 400, "bad request body: "),
        ("POST", "/populate", '[{"upstream": "127.0.0.1:1"}]', 400, "missing required field: name at proxy 1"),
        ("POST", "/populate", '[{"name": "a", "upstream": "b:1"}, {"name": "c"}]', 400, "missing required field: upstream at proxy 2"),
    ],
)
def test_what_is_wrong_is_refused(server: Toxiproxy, proxy: Proxy, method: str, path: str, body: str, status: int, said: str) -> None:
    server.add("shop", "latency", name="there")
    answer = httpx.request(method, server.url + path, content=body)
    assert answer.status_code == status, answer.text
    told = answer.json()
    assert told["status"] == status
    assert told["error"].startswith(said)
    assert list(server.proxies()) == ["shop"]


def test_what_is_not_there_is_told_in_the_words_of_http(server: Toxiproxy) -> None:
    assert httpx.get(f"{server.url}/nothing").status_code == 404
    assert httpx.put(f"{server.url}/proxies").status_code == 405
    browser = httpx.get(f"{server.url}/proxies", headers={"User-Agent": "Mozilla/5.0"})
    assert browser.status_code == 403


def test_a_proxy_does_not_listen_where_another_does(server: Toxiproxy, proxy: Proxy, upstream: str) -> None:
    with pytest.raises(Refused) as refused:
        server.create("other", proxy.listen, upstream)
    assert refused.value.status == 500
    assert list(server.proxies()) == ["shop"]


# -- bytes --------------------------------------------------------------------------------------------------------------


def test_many_bytes_come_back_as_they_went(proxy: Proxy) -> None:
    with dial(proxy.listen) as one:
        for _ in range(4):
            one.sendall(BIG)
            assert received(one, len(BIG)) == BIG


def test_who_does_not_read_holds_up_who_writes(server: Toxiproxy) -> None:
    """What nobody takes is not kept without bound."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        made = server.create("deaf", "127.0.0.1:0", f"127.0.0.1:{deaf.getsockname()[1]}")
        with dial(made.listen, within=1) as one, pytest.raises(TimeoutError):
            one.sendall(BIG * 64)


@pytest.mark.parametrize("stream", ["upstream", "downstream"])
def test_latency(server: Toxiproxy, proxy: Proxy, stream: str) -> None:
    server.add("shop", "latency", {"latency": 200, "jitter": 10}, stream=stream)  # type: ignore[arg-type]
    assert 0.18 < timed(proxy.listen) < 2
    assert timed(proxy.listen, BIG) < 2  # not chunk by chunk


def test_bandwidth(server: Toxiproxy, proxy: Proxy) -> None:
    server.add("shop", "bandwidth", {"rate": 500})
    assert 0.3 < timed(proxy.listen, BIG[: 1 << 18]) < 3  # 262 KB at 500 KB in a second


def test_slow_close(server: Toxiproxy, proxy: Proxy) -> None:
    server.add("shop", "slow_close", {"delay": 300})
    with dial(proxy.listen) as one:
        one.sendall(b"hello")
        assert received(one, 5) == b"hello"
        began = time.monotonic()
        server.change("shop", upstream=proxy.upstream)
        one.shutdown(socket.SHUT_WR)
        assert ends(one) == "closed"
        assert time.monotonic() - began > 0.28


def test_timeout_lets_nothing_pass_and_closes(server: Toxiproxy, proxy: Proxy) -> None:
    server.add("shop", "timeout", {"timeout": 200})
    with dial(proxy.listen) as one:
        one.sendall(b"hello")
        assert received(one, 5) == b""


def test_timeout_of_nothing_holds_until_it_is_lifted(server: Toxiproxy, proxy: Proxy) -> None:
    server.add("shop", "timeout", {"timeout": 0})
    with dial(proxy.listen, within=0.5) as one:
        one.sendall(b"hello")
        assert ends(one) == "not at all"
        server.remove("shop", "timeout_downstream")
        assert ends(one) in ("closed", "reset")
    assert asked(proxy.listen) == b"hello"


def test_reset_peer(server: Toxiproxy, proxy: Proxy) -> None:
    server.add("shop", "reset_peer", {"timeout": 0})
    with dial(proxy.listen) as one:
        one.sendall(b"hello")
        assert ends(one) == "reset"


def test_slicer(server: Toxiproxy, proxy: Proxy) -> None:
    server.add("shop", "slicer", {"average_size": 100, "size_variation": 20, "delay": 2000})
    with dial(proxy.listen) as one:
        one.sendall(BIG[:1000])
        parts = []
        while sum(map(len, parts)) < 1000:
            parts.append(one.recv(4096))
    assert b"".join(parts) == BIG[:1000]
    assert len(parts) > 4


def test_limit_data(server: Toxiproxy, proxy: Proxy) -> None:
    server.add("shop", "limit_data", {"bytes": 12})
    with dial(proxy.listen) as one:
        one.sendall(b"0123456789")
        assert received(one, 10) == b"0123456789"
        one.sendall(b"abcdefghij")
        assert received(one, 10) == b"ab"


def test_toxicity_of_none_harms_nobody_and_of_half_some(server: Toxiproxy, proxy: Proxy) -> None:
    server.add("shop", "limit_data", {"bytes": 0}, toxicity=0, name="limit")
    assert [asked(proxy.listen) for _ in range(5)] == [b"hello"] * 5
    server.adjust("shop", "limit", toxicity=0.5)
    assert {asked(proxy.listen) for _ in range(40)} == {b"hello", b""}


def test_several_toxics_add_up(server: Toxiproxy, proxy: Proxy) -> None:
    server.add("shop", "latency", {"latency": 100}, name="one")
    server.add("shop", "latency", {"latency": 100}, name="two")
    server.add("shop", "slicer", {"average_size": 2}, stream="upstream")
    assert 0.18 < timed(proxy.listen) < 2


# -- while bytes flow ---------------------------------------------------------------------------------------------------


def test_toxics_come_change_and_go_on_connections_that_are_open(server: Toxiproxy, proxy: Proxy) -> None:
    def once() -> float:
        began = time.monotonic()
        one.sendall(b"ping")
        assert received(one, 4) == b"ping"
        return time.monotonic() - began

    with dial(proxy.listen) as one:
        assert once() < 0.15
        server.add("shop", "latency", {"latency": 200})
        assert once() > 0.18
        server.adjust("shop", "latency_downstream", {"latency": 400})
        assert once() > 0.38
        server.remove("shop", "latency_downstream")
        assert once() < 0.15


def test_nothing_is_lost_or_disordered_while_toxics_come_and_go(server: Toxiproxy, proxy: Proxy) -> None:
    changes = [
        lambda: server.add("shop", "slicer", {"average_size": 3000, "size_variation": 900}, name="a"),
        lambda: server.add("shop", "latency", {"latency": 5}, stream="upstream", name="b"),
        lambda: server.adjust("shop", "b", {"latency": 1}),
        lambda: server.add("shop", "bandwidth", {"rate": 90000}, name="c"),
        lambda: server.remove("shop", "a"),
        lambda: server.remove("shop", "c"),
        lambda: server.remove("shop", "b"),
    ]
    enough = threading.Event()
    with dial(proxy.listen) as one:

        def send() -> int:
            sent = 0
            while not enough.is_set():
                one.sendall(BIG[:60000])
                sent += 60000
            return sent

        def same() -> int:
            """How many bytes came back as they went, until there are as many as were sent."""
            got, sent = 0, None
            while sent is None or got < sent:
                assert received(one, 60000) == BIG[:60000]
                got += 60000
                sent = sending() if enough.is_set() else None
            return got

        sending, reading = aside(send, within=60), aside(same, within=60)
        for _ in range(4):
            for change in changes:
                change()
        enough.set()
        assert reading() == sending() > 0


def test_many_connections_stand_open_at_once(proxy: Proxy) -> None:
    with ExitStack() as stack:
        open_ = [stack.enter_context(dial(proxy.listen)) for _ in range(300)]
        for number, one in enumerate(open_):
            one.sendall(b"%04d" % number)
        assert [received(one, 4) for one in open_] == [b"%04d" % number for number in range(300)]


def test_a_server_that_is_gone_is_told() -> None:
    with (
        closing(Toxiproxy(f"http://127.0.0.1:{free_port()}")) as gone,
        pytest.raises(EnvironmentFailed, match="does not answer GET /version"),
    ):
        gone.version()


def test_who_comes_when_no_file_is_free_is_served_once_one_is(upstream: str) -> None:
    """The server that seeder brings, with room for few connections."""
    few = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40)); from seeder.cli import main; main()"
    port = free_port()
    words = [sys.executable, "-c", few, "toxiproxy", "--port", str(port)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as server, ExitStack() as stack:
        stack.callback(server.terminate)
        wait_for("toxiproxy", lambda: answers(f"http://127.0.0.1:{port}"), within=30)
        client = stack.enter_context(closing(Toxiproxy(f"http://127.0.0.1:{port}")))
        made = client.create("shop", "127.0.0.1:0", upstream)
        client.close()
        with ExitStack() as crowd:
            for _ in range(60):
                crowd.enter_context(dial(made.listen))
        assert asked(made.listen) == b"hello"
