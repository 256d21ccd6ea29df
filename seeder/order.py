"""Order: a stable topological sort that shows a cycle, and running work along a graph."""

from __future__ import annotations

import graphlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait


class Cycle(ValueError):
    """`path` begins and ends with the same node."""

    def __init__(self, path: list[str]) -> None:
        self.path = path
        super().__init__(" -> ".join(path))


def sort(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """Nodes after everything they depend on; among free nodes, by name. Raises Cycle."""
    sorter = _prepared(graph)
    result: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        result += ready
        sorter.done(*ready)
    return result


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

    When one fails, nothing new is begun; the first error is raised after what was running has ended.
    """
    sorter = _prepared(graph)
    failed: BaseException | None = None
    with ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="seeder") as pool:
        running: dict[Future[None], str] = {}
        while sorter.is_active() and (running or not failed):
            if not failed:
                running |= {pool.submit(work, node): node for node in sorted(sorter.get_ready())}
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                node = running.pop(future)
                failed = failed or future.exception()
                sorter.done(node)
    if failed:
        raise failed
