"""proxy: what a proxy without toxics adds to a round trip, and how much passes through one stream: seeder's own, and Toxiproxy where
Docker answers."""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager

from benchmarks.measure import Case, Goal, Report, alternate, docker_answers
from seeder.errors import EnvironmentFailed
from seeder.faults.client import Toxiproxy
from seeder.wait import READY, Verdict, not_yet, wait_for

REAL = "ghcr.io/shopify/toxiproxy:2.12.0"
OWN, OTHER, DIRECT = "seeder's own", "Toxiproxy", "no proxy"
IDLE = 500  # connections that stand open and say nothing
# Answers each byte with a byte, or, after an `x`, takes all that comes and ends.
UPSTREAM = """
import socketserver
class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        first = self.request.recv(1)
        if first == b"x":
            while self.request.recv(1 << 20):
                pass
            return
        while first:
            self.request.sendall(first)
            first = self.request.recv(1)
class Server(socketserver.ThreadingTCPServer):
    daemon_threads, request_queue_size = True, 1024
with Server(("127.0.0.1", 0), Handler) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
"""


def proxy(times: int, *, quick: bool) -> Iterator[Report]:
    with ExitStack() as undo:
        upstream = undo.enter_context(_upstream())
        places = {DIRECT: upstream, OWN: undo.enter_context(_proxied(undo.enter_context(_own()), upstream))}
        if docker_answers():
            places[OTHER] = undo.enter_context(_proxied(undo.enter_context(_real()), upstream))
        yield _round_trips(times, places, 50 if quick else 2000)
        yield _streams(times, places, 2_000_000 if quick else 200_000_000)


def _round_trips(times: int, places: Mapping[str, str], many: int) -> Report:
    report = Report("proxy, a round trip", times, "us", "added")
    crowd, direct = f"{OWN}, {IDLE} idle connections beside", places[DIRECT]

    def once(place: str, idle: int = 0) -> Callable[[], Mapping[str, float]]:
        def measured() -> Mapping[str, float]:
            with ExitStack() as undo:
                for _ in range(idle):
                    undo.enter_context(_dialled(place)).sendall(b"-")
                bare, found = _round_trip(direct, many), _round_trip(place, many)
            return {"round trip": found, "added": max(found - bare, 0.0)}

        return measured

    cases = [Case(name, once(place)) for name, place in places.items() if name != DIRECT]
    alternate(report, [*cases, Case(crowd, once(places[OWN], IDLE))])
    report.goals = [Goal("added", OWN, None, 300), Goal("added", crowd, None, 300)]
    report.notes.append("the median of one byte there and one back, beside the same without a proxy just before")
    return report


def _streams(times: int, places: Mapping[str, str], size: int) -> Report:
    report = Report("proxy, one stream", times)
    alternate(report, [Case(name, lambda place=place: {"total": _stream(place, size)}) for name, place in places.items()])
    report.goals = [Goal(f"{size / 1e6:,.0f} MB", OWN, None, size / 200e6)]
    report.notes.append("at 200 MB in a second it may take as long as that")
    return report


def _round_trip(address: str, many: int) -> float:
    """Microseconds."""
    seconds = []
    with _dialled(address) as one:
        for _ in range(many):
            begun = time.perf_counter()
            one.sendall(b"-")
            one.recv(1)
            seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds) * 1e6


def _stream(address: str, size: int) -> float:
    """Seconds from the first byte that is sent until the other side has the last."""
    data, begun = bytes(1 << 20), time.perf_counter()
    with _dialled(address) as one:
        one.sendall(b"x")
        for left in range(size, 0, -len(data)):
            one.sendall(data[:left])
        one.shutdown(socket.SHUT_WR)
        while one.recv(1):
            pass
    return time.perf_counter() - begun


def _dialled(address: str) -> socket.socket:
    host, port = address.rsplit(":", 1)
    one = socket.create_connection((host, int(port)), timeout=60)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return one


# -- servers ------------------------------------------------------------------------------------------------------------


@contextmanager
def _upstream() -> Iterator[str]:
    with subprocess.Popen([sys.executable, "-c", UPSTREAM], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield f"127.0.0.1:{int(server.stdout.readline())}"
        server.terminate()


@contextmanager
def _own() -> Iterator[str]:
    port = _free_port()
    with subprocess.Popen([sys.executable, "-m", "seeder", "toxiproxy", "--port", str(port)], stdout=subprocess.DEVNULL) as server:
        yield f"http://127.0.0.1:{port}"
        server.terminate()


@contextmanager
def _real() -> Iterator[str]:
    port = _free_port()
    words = ["docker", "run", "--rm", "--detach", "--network", "host", REAL, "-host", "127.0.0.1", "-port", str(port)]
    name = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        subprocess.run(["docker", "rm", "--force", name], capture_output=True, check=True)


@contextmanager
def _proxied(url: str, upstream: str) -> Iterator[str]:
    with closing(Toxiproxy(url)) as server:

        def answers() -> Verdict:
            try:
                server.version()
            except EnvironmentFailed as error:
                return not_yet(str(error))
            return READY

        wait_for(url, answers, within=30)
        yield server.create("bench", "127.0.0.1:0", upstream).listen


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])
