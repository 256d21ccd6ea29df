"""pytest fixtures: a seeded environment for each test, taken back to its state between tests. Options and reports; no logic of its own."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from seeder.session import Session
    from seeder.shared import Key, Shared

SCOPES = ("function", "class", "module", "never")
FIXTURES = frozenset({"environment", "seeder_environment"})
MARK = "scenario(name, **inputs): the business state that the test's `environment` begins with"


@dataclass
class Summary:
    """What is told at the end; under pytest-xdist the workers' come to where it is printed."""

    resets: list[float] = field(default_factory=list)
    bundles: dict[str, str] = field(default_factory=dict)
    slept: dict[str, float] = field(default_factory=dict)
    stay: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def add(self, other: Summary) -> None:
        self.resets += other.resets
        self.bundles |= other.bundles
        self.slept |= other.slept
        self.stay += other.stay
        self.left += other.left

    def lines(self) -> list[str]:
        slept = sorted(self.slept.items(), key=lambda pair: -pair[1])
        told = [*_resets(self.resets), *(f"{test}: {path}" for test, path in self.bundles.items())]
        return [*told, *(f"{test} slept {seconds:.1f} s" for test, seconds in slept), *self.stay, *self.left]


_SHARED = pytest.StashKey["Shared"]()
_SUMMARY = pytest.StashKey[Summary]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("seeder", "seeded environments")
    group.addoption("--seeder-project", metavar="DIR", help="the folder whose manifest.yaml is meant; pytest's rootdir by default")
    group.addoption("--seeder-stack", metavar="NAME", help="the stack of the environment")
    group.addoption("--seeder-scenario", metavar="NAME", help="the scenario of tests without a mark")
    group.addoption("--seeder-runtime", choices=["auto", "docker", "local"], help="where the stack runs")
    group.addoption("--seeder-reset", choices=SCOPES, help="how long a state is shared: before which unit it is taken back (function)")
    group.addoption("--seeder-keep-failed", action="store_true", help="leave the environment running when a test failed")
    group.addoption("--seeder-no-cache", action="store_true", help="begin empty, whatever layers there are")
    group.addoption("--seeder-report-sleeps", action="store_true", help="name the tests that sleep, and for how long")
    for name in ("stack", "scenario", "runtime", "reset"):
        parser.addini(f"seeder_{name}", f"as --seeder-{name}")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARK)
    config.stash[_SUMMARY] = Summary()
    scope = _option(config, "reset")
    if scope and scope not in SCOPES:
        raise pytest.UsageError(f"seeder_reset: {scope!r} is none of {', '.join(SCOPES)}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """The environment goes before the summary, so that it tells what stays or could not be removed."""
    config, summary = session.config, session.config.stash[_SUMMARY]
    if shared := config.stash.get(_SHARED, None):
        shared.close()
        summary.add(Summary(resets=shared.resets, stay=shared.stay, left=shared.left))
        del config.stash[_SHARED]
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
    if mark is None or "environment" not in getattr(item, "fixturenames", ()):
        return _option(config, "scenario"), ()
    name = mark.args[0] if len(mark.args) == 1 and isinstance(mark.args[0], str) else ""  # the fixture refuses that, test by test
    return name, tuple(sorted((key, str(value)) for key, value in mark.kwargs.items()))


def _option(config: pytest.Config, name: str) -> str | None:
    """As the command line says, or else the ini file."""
    return getattr(config.option, f"seeder_{name}") or config.getini(f"seeder_{name}") or None


def _shared(config: pytest.Config) -> Shared:
    if _SHARED not in config.stash:
        from seeder.session import up
        from seeder.shared import Shared

        options = config.option

        def provided(scenario: str | None, inputs: Mapping[str, str]) -> AbstractContextManager[Session]:
            return up(
                _option(config, "stack"),
                scenario=scenario,
                runtime=_option(config, "runtime"),
                inputs=inputs,
                project=config.rootpath if options.seeder_project is None else Path(options.seeder_project),
                cache=not options.seeder_no_cache,
                keep_failed=options.seeder_keep_failed,
            )

        config.stash[_SHARED] = Shared(provided, keep_failed=options.seeder_keep_failed)
    return config.stash[_SHARED]


@pytest.fixture(scope="session")
def seeder_environment(pytestconfig: pytest.Config) -> Session:
    """The environment of the session's scenario, as the tests before left it. It ends when a test asks for another scenario."""
    with _told():
        shared = _shared(pytestconfig)
        session = shared.get(_option(pytestconfig, "scenario"), {})
        shared.used()
        return session


@pytest.fixture
def environment(request: pytest.FixtureRequest) -> Session:
    """The environment in the state of the test's scenario: whatever tests before it did is taken back."""
    config = request.config
    scenario, inputs = _wanted(config, request.node)
    if scenario == "":
        form = '@pytest.mark.scenario("name", input="value")'
        pytest.fail(f"{request.node.nodeid}: its mark names no scenario\n    -> write {form}", pytrace=False)
    with _told():
        session = _shared(config).at(_unit(_option(config, "reset") or "function", request.node), scenario, dict(inputs))
    request.node.user_properties += [("seeder_run", session.run), ("seeder_digest", session.digest)]
    return session


@contextmanager
def _told() -> Iterator[None]:
    """What is wrong with a definition or an environment is told as seeder tells it, without the lines that found it."""
    from seeder.errors import SeederError

    try:
        yield
    except SeederError as error:
        pytest.fail("\n".join([str(error), *(f"    | {line}" for line in error.log.splitlines())]), pytrace=False)


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
    """A failed test gets a bundle of its environment; the report says where."""
    report = yield
    shared = item.config.stash.get(_SHARED, None)
    session = shared.session if shared and _asks(item) else None
    if report.when == "call" and report.failed and shared and session:
        shared.failed()
        try:
            kept = str(session.snapshot(f"{item.nodeid} failed"))
        except Exception as error:  # noqa: BLE001  (the failure itself is told in any case)
            report.sections.append(("seeder", f"no bundle could be kept: {error}"))
            return report
        item.config.stash[_SUMMARY].bundles[item.nodeid] = kept
        report.sections.append(("seeder", f"environment {session.run}, bundle {kept}"))
        item.user_properties.append(("seeder_bundle", kept))
        report.user_properties.append(("seeder_bundle", kept))
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    if not item.config.option.seeder_report_sleeps:
        return (yield)
    slept, real = item.config.stash[_SUMMARY].slept, time.sleep

    def counted(seconds: Any) -> None:
        slept[item.nodeid] = slept.get(item.nodeid, 0.0) + float(seconds)
        real(seconds)

    time.sleep = counted
    try:
        return (yield)
    finally:
        time.sleep = real


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    lines = config.stash[_SUMMARY].lines()
    if lines:
        terminalreporter.section("seeder")
        for line in lines:
            terminalreporter.write_line(line)


def _resets(times: Sequence[float]) -> list[str]:
    if not times:
        return []
    middle = sorted(times)[len(times) // 2]
    return [f"the environment was taken back {len(times)} times, {middle * 1000:.0f} ms each in the middle"]
