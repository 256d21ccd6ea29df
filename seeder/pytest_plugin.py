"""pytest fixtures: a seeded environment for each test, taken back to its state between tests. Options and reports; no logic of its own."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from seeder.session import Session

SCOPES = ("function", "class", "module", "never")
MARK = "scenario(name, **inputs): the business state that the test's `environment` begins with"


@dataclass
class World:
    """The environment that is up, what it is of, and how often it was taken back. Another scenario takes its place: one is up at a time."""

    config: pytest.Config
    key: tuple[str | None, tuple[tuple[str, str], ...]] | None = None
    session: Session | None = None
    used_by: str = ""
    resets: list[float] = field(default_factory=list)
    bundles: dict[str, str] = field(default_factory=dict)
    slept: dict[str, float] = field(default_factory=dict)
    failed: bool = False
    _block: AbstractContextManager[Session] | None = None

    def get(self, scenario: str | None, inputs: Mapping[str, str]) -> Session:
        key = (scenario, tuple(sorted(inputs.items())))
        if self.session is None or self.key != key:
            self.close()
            import seeder

            options = self.config.option
            self._block = seeder.up(
                options.seeder_stack or self.config.getini("seeder_stack") or None,
                scenario=scenario,
                runtime=options.seeder_runtime or self.config.getini("seeder_runtime") or None,
                inputs=inputs,
                project=self.config.rootpath if options.seeder_project is None else Path(options.seeder_project),
                cache=not options.seeder_no_cache,
                keep_failed=options.seeder_keep_failed,
            )
            self.session, self.key, self.used_by = self._block.__enter__(), key, ""
        return self.session

    def reset(self) -> None:
        if self.session:
            begun = time.perf_counter()
            self.session.reset()
            self.resets.append(time.perf_counter() - begun)

    def close(self) -> None:
        """The environment goes; with --seeder-keep-failed one in which a test failed stays, and pytest says how to reach it."""
        block, self._block, self.session = self._block, None, None
        if block is None:
            return
        if not (self.failed and self.config.option.seeder_keep_failed):
            block.__exit__(None, None, None)
            return
        failure = pytest.fail.Exception("a test failed")
        try:
            block.__exit__(type(failure), failure, None)
        except pytest.fail.Exception:
            return


_WORLD = pytest.StashKey[World]()


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
    config.stash[_WORLD] = World(config)


def pytest_unconfigure(config: pytest.Config) -> None:
    if world := config.stash.get(_WORLD, None):
        world.close()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of one scenario stand together, in the order in which the scenarios first appear."""
    order: dict[Any, int] = {}
    places = {id(item): order.setdefault(_wanted(config, item), len(order)) for item in items if _asks(item)}
    if len(order) > 1:
        items.sort(key=lambda item: places.get(id(item), -1))


def _asks(item: pytest.Item) -> bool:
    return "environment" in getattr(item, "fixturenames", ())


def _wanted(config: pytest.Config, item: pytest.Item) -> tuple[str | None, tuple[tuple[str, str], ...]]:
    mark = item.get_closest_marker("scenario")
    if mark is None:
        return config.option.seeder_scenario or config.getini("seeder_scenario") or None, ()
    return mark.args[0], tuple(sorted((name, str(value)) for name, value in mark.kwargs.items()))


@pytest.fixture(scope="session")
def seeder_environment(pytestconfig: pytest.Config) -> Session:
    """The environment of the session's scenario, as the tests before left it."""
    world = pytestconfig.stash[_WORLD]
    return world.get(pytestconfig.option.seeder_scenario or pytestconfig.getini("seeder_scenario") or None, {})


@pytest.fixture
def environment(request: pytest.FixtureRequest) -> Session:
    """The environment in the state of the test's scenario: whatever tests before it did is taken back."""
    config = request.config
    world = config.stash[_WORLD]
    scenario, inputs = _wanted(config, request.node)
    session = world.get(scenario, dict(inputs))
    unit = _unit(config.option.seeder_reset or config.getini("seeder_reset") or "function", request.node)
    if world.used_by and world.used_by != unit:
        world.reset()
    world.used_by = unit
    request.node.user_properties += [("seeder_run", session.run), ("seeder_digest", session.digest)]
    return session


def _unit(scope: str, node: pytest.Item) -> str:
    """What shares a state with the test, by name."""
    if scope == "never":
        return "session"
    if scope == "function":
        return node.nodeid
    kind = pytest.Class if scope == "class" else pytest.Module
    parent = node.getparent(kind) or node.getparent(pytest.Module)
    return parent.nodeid if parent else node.nodeid


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test gets a bundle of its environment; the report says where."""
    report = yield
    session = getattr(item, "funcargs", {}).get("environment")
    if report.when == "call" and report.failed and session is not None:
        world = item.config.stash[_WORLD]
        world.failed = True
        try:
            kept = str(session.snapshot(f"{item.nodeid} failed"))
        except Exception as error:  # noqa: BLE001  (the failure itself is told in any case)
            report.sections.append(("seeder", f"no bundle could be kept: {error}"))
            return report
        world.bundles[item.nodeid] = kept
        report.sections.append(("seeder", f"environment {session.run}, bundle {kept}"))
        item.user_properties.append(("seeder_bundle", kept))
        report.user_properties.append(("seeder_bundle", kept))
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    if not item.config.option.seeder_report_sleeps:
        return (yield)
    world, real = item.config.stash[_WORLD], time.sleep

    def counted(seconds: Any) -> None:
        world.slept[item.nodeid] = world.slept.get(item.nodeid, 0.0) + float(seconds)
        real(seconds)

    time.sleep = counted
    try:
        return (yield)
    finally:
        time.sleep = real


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    world = config.stash[_WORLD]
    lines = [*_resets(world.resets), *(f"{test}: {path}" for test, path in world.bundles.items())]
    lines += [f"{test} slept {seconds:.1f} s" for test, seconds in sorted(world.slept.items(), key=lambda pair: -pair[1])]
    if lines:
        terminalreporter.section("seeder")
        for line in lines:
            terminalreporter.write_line(line)


def _resets(times: Sequence[float]) -> list[str]:
    if not times:
        return []
    middle = sorted(times)[len(times) // 2]
    return [f"the environment was taken back {len(times)} times, {middle * 1000:.0f} ms each in the middle"]
