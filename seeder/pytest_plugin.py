"""pytest fixtures: a seeded environment for each test, taken back to its state between tests, and databases that are a test's own. Options
and reports; no logic of its own."""

from __future__ import annotations

import dataclasses
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seeder.testing.tested import Summary, spoken

if TYPE_CHECKING:
    from seeder.session import Session
    from seeder.testing.database import Database, Given
    from seeder.testing.shared import Key
    from seeder.testing.suite import Suite

SCOPES = ("function", "class", "module", "never")
FIXTURES = frozenset({"environment", "seeder_environment"})
MARKED = frozenset({"environment", "seeder_database"})  # fixtures that heed the mark
MARK = "scenario(name, **inputs): the business state that the test's `environment` or `seeder_database` begins with"


_SUITE = pytest.StashKey["Suite"]()
_SUMMARY = pytest.StashKey[Summary]()
_GIVEN: pytest.StashKey[Given] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("seeder", "seeded environments")
    group.addoption("--seeder-project", metavar="DIR", help="the folder whose manifest.yaml is meant; pytest's rootdir by default")
    group.addoption("--seeder-stack", metavar="NAME", help="the stack of the environment")
    group.addoption("--seeder-scenario", metavar="NAME", help="the scenario of tests without a mark")
    group.addoption("--seeder-overlay", metavar="FILE", action="append", help="a file that changes a scenario; may be repeated")
    group.addoption("--seeder-runtime", metavar="NAME", help="where the stack runs: auto, docker, local, attached")
    group.addoption("--seeder-target", metavar="NAME", help="the shared system to attach to instead of starting the stack")
    group.addoption("--seeder-reset", choices=SCOPES, help="how long a state is shared: before which unit it is taken back (function)")
    group.addoption("--seeder-keep-failed", action="store_true", help="leave the environment running when a test failed")
    group.addoption("--seeder-reuse", action="store_true", help="leave the environment running, and take it up in the next session")
    group.addoption("--seeder-no-cache", action="store_true", help="begin empty, whatever layers there are")
    group.addoption("--seeder-report-order", action="store_true", help="name tests that began at what others left; nothing is taken back")
    group.addoption("--seeder-report-sleeps", action="store_true", help="name the tests that sleep, and for how long")
    for name in ("stack", "scenario", "runtime", "target", "reset"):
        parser.addini(f"seeder_{name}", f"as --seeder-{name}")
    parser.addini("seeder_project", "as --seeder-project: a folder, from the ini file's folder")
    parser.addini("seeder_overlay", "as --seeder-overlay: files, from the ini file's folder", type="paths")
    for name in ("keep_failed", "reuse"):
        parser.addini(f"seeder_{name}", f"as --seeder-{name.replace('_', '-')}", type="bool")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARK)
    config.stash[_SUMMARY] = Summary()
    scope = _option(config, "reset")
    if scope and scope not in SCOPES:
        raise pytest.UsageError(f"seeder_reset: {scope!r} is none of {', '.join(SCOPES)}")


def pytest_report_header(config: pytest.Config) -> str | None:
    """Which environment, where anything is said of it: a test path that pytest took for an ini file's folder hides what that says."""
    said = {name: _option(config, name) for name in ("stack", "scenario", "runtime", "target")}
    said["project"] = _project(config) if _option(config, "project") else None
    told = ", ".join(f"{name} {value}" for name, value in said.items() if value)
    return f"seeder: {told}" if told else None


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """The environment goes before the summary, so that it tells what stays or could not be removed."""
    config, summary = session.config, session.config.stash[_SUMMARY]
    if suite := config.stash.get(_SUITE, None):
        suite.end(summary)
        del config.stash[_SUITE]
    if hasattr(config, "workeroutput"):
        config.workeroutput["seeder"] = dataclasses.asdict(summary)
    if summary.left and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker of pytest-xdist is done; one that crashed tells nothing."""
    told = getattr(node, "workeroutput", {}).get("seeder")
    if told:
        node.config.stash[_SUMMARY].add(Summary(**told))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of one scenario stand together, in the order in which the scenarios first appear."""
    order: dict[Key, int] = {}
    places = {id(item): order.setdefault(_wanted(config, item), len(order)) for item in items if _asks(item)}
    if len(order) > 1:
        items.sort(key=lambda item: places.get(id(item), -1))


def _asks(item: pytest.Item) -> bool:
    return not FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))


def _wanted(config: pytest.Config, item: pytest.Item) -> Key:
    mark = item.get_closest_marker("scenario")
    if mark is None or MARKED.isdisjoint(getattr(item, "fixturenames", ())):
        return _option(config, "scenario"), ()
    name = mark.args[0] if len(mark.args) == 1 and isinstance(mark.args[0], str) else ""  # the fixture refuses that, test by test
    return name, tuple(sorted((key, str(value)) for key, value in mark.kwargs.items()))


def _option(config: pytest.Config, name: str) -> Any:
    """As the command line says, or else the ini file."""
    return getattr(config.option, f"seeder_{name}") or config.getini(f"seeder_{name}") or None


def _project(config: pytest.Config) -> Path:
    if given := config.option.seeder_project:
        return Path(given).resolve()
    inside = config.inipath.parent if config.inipath else config.rootpath
    return (inside / (config.getini("seeder_project") or config.rootpath)).resolve()


def _scope(config: pytest.Config) -> str:
    """The order of tests tells nothing where each finds the seeded state."""
    return _option(config, "reset") or ("never" if config.option.seeder_report_order else "function")


def _suite(config: pytest.Config, folders: pytest.TempPathFactory) -> Suite:
    """Made when the first test asks: pytest itself starts without seeder. Workers have their base folders in one."""
    if _SUITE not in config.stash:
        from seeder.definition.request import Request
        from seeder.testing.suite import Asked, Suite

        options, base = config.option, folders.getbasetemp()
        overlays = tuple(str(Path(one).absolute()) for one in _option(config, "overlay") or ())
        worker: str | None = getattr(config, "workerinput", {}).get("workerid")
        asked = Asked(
            project=_project(config),
            request=Request(
                stack=_option(config, "stack"),
                runtime=_option(config, "runtime"),
                target=_option(config, "target"),
                cache=not options.seeder_no_cache,
                overlays=overlays,
            ),
            folder=(base.parent if worker else base) / "seeder-servers",
            who=worker or "test",
            keep_failed=bool(_option(config, "keep_failed")),
            reuse=bool(_option(config, "reuse")),
        )
        config.stash[_SUITE] = Suite(asked)
    return config.stash[_SUITE]


@pytest.fixture(scope="session")
def seeder_environment(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Session:
    """The environment of the session's scenario, as the tests before left it. It ends when a test asks for another scenario."""
    with _told():
        shared = _suite(pytestconfig, tmp_path_factory).shared
        session = shared.get(_option(pytestconfig, "scenario"), {})
        shared.used()
        return session


@pytest.fixture
def environment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Session:
    """The environment in the state of the test's scenario: whatever tests before it did is taken back."""
    config = request.config
    scenario, inputs = _heeded(config, request.node)
    with _told():
        suite = _suite(config, tmp_path_factory)
        session = suite.shared.at(_unit(_scope(config), request.node), scenario, dict(inputs))
        if config.option.seeder_report_order:
            suite.dependence.began(request.node.nodeid, session)
    request.node.user_properties += [("seeder_run", session.run), ("seeder_digest", session.digest)]
    return session


@pytest.fixture
def seeder_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Database]]:
    """`seeder_database(store)`: a database of the store's that is this test's own, migrated and seeded as its scenario says. No service
    runs. The same store gives the same database as often as the test asks."""
    scenario, inputs = _heeded(request.config, request.node)
    with _suite(request.config, tmp_path_factory).databases.of_test(scenario, dict(inputs)) as given:
        request.node.stash[_GIVEN] = given

        def told(store: str) -> Database:
            __tracebackhide__ = True
            with _told():
                database = given(store)
            known = [pair for run, one in given.servers.items() for pair in (("seeder_run", run), ("seeder_digest", one.digest))]
            request.node.user_properties += [pair for pair in known if pair not in request.node.user_properties]
            return database

        yield told


def _heeded(config: pytest.Config, node: pytest.Item) -> Key:
    """Which scenario with which inputs; a mark that names none fails its test."""
    scenario, inputs = _wanted(config, node)
    if scenario == "":
        form = '@pytest.mark.scenario("name", input="value")'
        pytest.fail(f"{node.nodeid}: its mark names no scenario\n    -> write {form}", pytrace=False)
    return scenario, inputs


@contextmanager
def _told() -> Iterator[None]:
    """What is wrong with a definition or an environment is told as seeder tells it, in a test's words, without the lines that found it."""
    __tracebackhide__ = True
    from seeder.errors import SeederError

    try:
        yield
    except SeederError as error:
        text = "\n".join([spoken(str(error)), *(f"    | {line}" for line in error.log.splitlines())])
        raise pytest.fail.Exception(text, pytrace=False) from None


def _unit(scope: str, node: pytest.Item) -> str | None:
    """What shares a state with the test, by name; None: everything."""
    if scope == "never":
        return None
    if scope == "function":
        return node.nodeid
    kind = pytest.Class if scope == "class" else pytest.Module
    parent = node.getparent(kind) or node.getparent(pytest.Module)
    return parent.nodeid if parent else node.nodeid


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test gets a bundle of its environment, and of the servers of its databases; the report says where."""
    report = yield
    if report.when == "call" and report.failed:
        for what, keep in _evidence(item):
            try:
                _kept(item, report, what, str(keep(f"{item.nodeid} failed")))
            except Exception as error:  # noqa: BLE001  (the failure itself is told in any case)
                report.sections.append(("seeder", f"no bundle could be kept: {error}"))
    return report


def _evidence(item: pytest.Item) -> Iterator[tuple[str, Callable[[str], Path]]]:
    """What bundles can be kept of for a test that failed."""
    suite, given = item.config.stash.get(_SUITE, None), item.stash.get(_GIVEN, None)
    session = suite.shared.session if suite and _asks(item) else None
    if suite and session:
        suite.shared.failed()
        yield f"environment {session.run}", session.snapshot
    if given:
        yield from ((f"databases of {run}", partial(given.keep, run)) for run in given.servers)


def _kept(item: pytest.Item, report: pytest.TestReport, what: str, path: str) -> None:
    item.config.stash[_SUMMARY].bundles.append((item.nodeid, path))
    report.sections.append(("seeder", f"{what}, bundle {path}"))
    item.user_properties.append(("seeder_bundle", path))
    report.user_properties.append(("seeder_bundle", path))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    if not item.config.option.seeder_report_sleeps:
        return (yield)
    slept, real = item.config.stash[_SUMMARY].slept, time.sleep

    here = threading.get_ident()

    def counted(seconds: Any) -> None:
        who = sys._getframe(1).f_globals.get("__name__", "")  # noqa: SLF001  (Python has no other way to tell who calls)
        if threading.get_ident() == here and not who.startswith("seeder."):  # its waits look, and its threads are no test's
            slept[item.nodeid] = slept.get(item.nodeid, 0.0) + float(seconds)
        real(seconds)

    time.sleep = counted
    try:
        return (yield)
    finally:
        time.sleep = real


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    summary = config.stash[_SUMMARY]
    lines = summary.lines()
    if lines:
        terminalreporter.section("seeder")
        for line in lines:
            terminalreporter.write_line(line)
    if not hasattr(config, "workerinput"):  # workers come here too
        summary.append()
