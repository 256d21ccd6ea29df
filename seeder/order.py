"""Order: a stable topological sort that shows a cycle, and running work along a graph."""

from __future__ import annotations

import graphlib
import heapq
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future  # a plan sorts, and runs nothing

T = TypeVar("T")


class Unfinished(TimeoutError):
    """The work goes on, and its answer was not waited for any longer."""


class Cycle(ValueError):
    """`path` begins and ends with the same node."""

    def __init__(self, path: list[str]) -> None:
        self.path = path
        super().__init__(" -> ".join(path))


def sort(graph: Mapping[str, Iterable[str]], rank: Callable[[str], Any] | None = None) -> list[str]:
    """Nodes after everything they depend on; among free nodes, by name. With `rank` the one that ranks lowest comes next among all that
    are free by then; ranks are never equal. Raises Cycle."""
    sorter = _prepared(graph)
    if rank:
        return list(_ranked(sorter, rank))
    result: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        result += ready
        sorter.done(*ready)
    return result


def _ranked(sorter: graphlib.TopologicalSorter[str], rank: Callable[[str], Any]) -> Iterator[str]:
    free: list[tuple[Any, str]] = []
    while sorter.is_active():
        for node in sorter.get_ready():
            heapq.heappush(free, (rank(node), node))
        _, node = heapq.heappop(free)
        sorter.done(node)
        yield node


def _prepared(graph: Mapping[str, Iterable[str]]) -> graphlib.TopologicalSorter[str]:
    sorter = graphlib.TopologicalSorter({node: sorted(after) for node, after in sorted(graph.items())})
    try:
        sorter.prepare()
    except graphlib.CycleError as error:
        raise Cycle(list(reversed(error.args[1]))) from None
    return sorter


def closure(start: Iterable[str], edges: Callable[[str], Iterable[str]]) -> set[str]:
    """Everything reachable from `start`, itself included."""
    seen: set[str] = set()
    todo = list(start)
    while todo:
        node = todo.pop()
        if node not in seen:
            seen.add(node)
            todo.extend(edges(node))
    return seen


def along(graph: Mapping[str, Iterable[str]], work: Callable[[str], None], *, at_once: int = 8) -> None:
    """Do `work` for every node, each after all it depends on, independent ones at the same time.

    The first error, of the work or of a signal, is raised at once. Nothing new is begun then; what still runs is left behind: it
    ends when teardown takes away what it works on, and holds up neither that nor the end of the process.
    """
    from concurrent.futures import FIRST_COMPLETED, wait

    sorter = _prepared(graph)
    free: list[str] = []
    running: dict[Future[None], str] = {}
    while sorter.is_active():
        free = sorted([*free, *sorter.get_ready()])
        while free and len(running) < at_once:
            node = free.pop(0)
            running[_begun(work, node)] = node
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in sorted(done, key=running.__getitem__):
            future.result()
            sorter.done(running.pop(future))


def each(names: Iterable[str], work: Callable[[str], T], *, at_once: int = 8) -> dict[str, T]:
    """What `work` answers for every name, all at the same time; an error is raised as `along` raises it."""
    results: dict[str, T] = {}

    def keep(name: str) -> None:
        results[name] = work(name)

    wanted = list(names)
    along(dict.fromkeys(wanted, ()), keep, at_once=at_once)
    return {name: results[name] for name in wanted}


def aside(work: Callable[[], T], *, within: float | None = None) -> Callable[[], T]:
    """Begin the work beside what follows. The answer waits for it, then gives what it gave or raises what it raised, or Unfinished after
    `within` seconds, and may be asked again; work that nobody asks any more holds up nothing."""
    given: list[T] = []
    wrong: list[BaseException] = []

    def do() -> None:
        try:
            given.append(work())
        except BaseException as error:  # noqa: BLE001  (who asks for the answer gets it)
            wrong.append(error)

    thread = threading.Thread(target=do, name="seeder-aside", daemon=True)
    thread.start()

    def answer() -> T:
        thread.join(within)
        if thread.is_alive():
            raise Unfinished(f"it did not end within {within:g} s")
        if wrong:
            raise wrong[0]
        return given[0]

    return answer


def _begun(work: Callable[[str], None], node: str) -> Future[None]:
    """The work, in a thread of its own that nobody has to wait for (those of a pool are joined when the process ends)."""
    from concurrent.futures import Future

    future: Future[None] = Future()

    def do() -> None:
        try:
            future.set_result(work(node))  # type: ignore[func-returns-value]
        except BaseException as error:  # noqa: BLE001  (whoever waits for the future gets it)
            future.set_exception(error)

    threading.Thread(target=do, name=f"seeder-{node}", daemon=True).start()
    return future
