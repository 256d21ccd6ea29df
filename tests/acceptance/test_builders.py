"""Who builds layers may be killed at any moment, and be swept while others use what it built: nobody trusts what is not whole, nobody
waits for the dead, and nobody loses what it began at."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import filelock
import pytest

from tests.conftest import DATA, copied_shop
from tests.scenarios.failing import change
from tests.scenarios.layered import layers, named, through_services
from tests.scenarios.seeder import Said, docker, events, leftovers, reached, seeder, started, until

TIMES = int(os.environ.get("SEEDER_TEST_BUILDERS", "1"))
SEED = int(os.environ.get("SEEDER_TEST_SEED", "0"))

pytestmark = pytest.mark.parametrize("runtime", ["local", pytest.param("docker", marks=pytest.mark.docker)])


@dataclass(frozen=True)
class Project:
    """A project whose layers no other has, and a home of its own, in which nothing is kept yet."""

    folder: Path
    home: Path
    words: tuple[str, ...]

    def ask(self, *words: str, home: Path | None = None) -> Said:
        return seeder(*words, cwd=self.folder, SEEDER_HOME=str(home or self.home), SEEDER_CACHE="on", timeout=900)

    def run(self, runtime: str) -> Said:
        return self.ask("run", *self.words, "--runtime", runtime, "--", "true")

    def layers(self) -> dict[str, str]:
        """What each of its layers is of -> its place, as they are listed."""
        return {f"{one['server']}: {one['form']}: {one['holds']}": str(one["place"]) for one in layers(self.folder, self.home)}

    def forget(self) -> None:
        for place in self.layers().values():
            if place.startswith("seeder-layer:"):
                docker("rmi", "-f", place)


def small(at: Path) -> Project:
    folder = named(Path(shutil.copytree(DATA / "small", at / "small")), f"small-{at.name}")
    through_services(folder)
    return Project(folder, at / "home", ("small", "--scenario", "ready"))


def shop(at: Path) -> Project:
    """With first revisions of its own: what they lead to is in the cache of nobody else."""
    (at / "shop").mkdir()
    folder = copied_shop(at / "shop")
    change(folder, "manifest.yaml", "\nproject: shop\n", f"\nproject: {at.name}\n")
    for versions in folder.glob("stacks/shop/*/migrations/versions"):
        first = min(versions.glob("*.py"))
        first.write_text(f"{first.read_text()}# {at.name}\n")
    return Project(folder, at / "home", ("shop", "--scenario", "checkout-ready"))


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[[Callable[[Path], Project]], Project]]:
    with contextlib.ExitStack() as ends:

        def made(kind: Callable[[Path], Project]) -> Project:
            at = tmp_path / f"{kind.__name__}-{os.getpid()}-{random.SystemRandom().randrange(10**9)}"
            (at / "home").mkdir(parents=True, mode=0o700)
            project = kind(at)
            ends.callback(project.forget)
            return project

        yield made


@dataclass(frozen=True)
class Built:
    """What a run that was not killed came to, and how long it took."""

    seconds: float
    digest: str
    layers: frozenset[str]


def built(project: Project, runtime: str) -> Built:
    begun = time.monotonic()
    done = project.run(runtime)
    seconds = time.monotonic() - begun
    assert done.code == 0, done.err
    return Built(seconds, digest(project.folder), frozenset(project.layers()))


def digest(folder: Path) -> str:
    """Of the run that ended last."""
    newest = max(folder.glob(".seeder/runs/*/result.json"), key=lambda path: path.stat().st_mtime)
    found: str = json.loads(newest.read_text())["digest"]
    return found


def did(folder: Path, stage: str, state: str) -> list[str]:
    """In the run that began last."""
    journal = max(folder.glob(".seeder/runs/*/events.jsonl"), key=lambda path: path.stat().st_mtime)
    found = [json.loads(line) for line in journal.read_text().splitlines()]
    return [one["subject"] for one in found if (one.get("stage"), one.get("state")) == (stage, state)]


def held(home: Path) -> list[str]:
    """Locks that somebody holds."""
    return [path.name for path in home.rglob("*.lock") if not _free(path)]


def _free(lock: Path) -> bool:
    with contextlib.suppress(filelock.Timeout), filelock.FileLock(lock, timeout=0):
        return True
    return False


@contextlib.contextmanager
def builder(project: Project, folder: Path, runtime: str) -> Iterator[subprocess.Popen[str]]:
    """A run of the project's that goes on; it writes its log beside the folder, all of which counts as the program of a service."""
    words = ("run", *project.words, "--project", str(folder), "--runtime", runtime, "--", "true")
    beside = folder.with_name(f"{folder.name}-log")
    beside.mkdir()
    with started(*words, cwd=beside, SEEDER_HOME=str(project.home), SEEDER_CACHE="on") as child:
        yield child


def killed(project: Project, runtime: str, after: float) -> str:
    """Answers the run; empty where it had not begun one."""
    with builder(project, project.folder, runtime) as child:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(after)
        child.kill()
        child.wait()
    runs = list(project.folder.glob(".seeder/runs/*"))
    return runs[0].name if runs else ""


def check_goes_on(project: Project, runtime: str, whole: Built, run: str) -> None:
    """The next run, at once, comes to the right state; then every layer is there and holds what it should."""
    known = project.layers()
    assert set(known) <= whole.layers
    assert [place for place in known.values() if place.startswith("/") and not (Path(place).parent / "layer.json").exists()] == []
    following = project.run(runtime)
    assert following.code == 0, following.err
    assert digest(project.folder) == whole.digest
    verified = project.ask("cache", "verify", *project.words, "--runtime", runtime, "--json")
    assert verified.code == 0, verified.err
    assert [one for one in json.loads(verified.out) if not one["same"]] == []
    assert did(project.folder, "keep", "kept") == did(project.folder, "migrate", "migrated") == []
    assert set(project.layers()) == whole.layers
    assert held(project.home) == []
    if run:
        until("nothing of the killed run is left", lambda: not leftovers(run, project.home), within=20)


@contextlib.contextmanager
def said(moment: float, whole: Built) -> Iterator[None]:
    """With a failure it is told how it can be had again."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"SEEDER_TEST_SEED={SEED}: killed after {moment:.2f} s of {whole.seconds:.2f} s")
        raise


def test_a_builder_is_killed_at_moments_over_all_its_time(make, runtime):
    whole, chance = built(make(small), runtime), random.Random(f"{SEED} {runtime}")
    for place in range(TIMES):
        moment = (place + chance.random()) * whole.seconds / TIMES
        with said(moment, whole):
            project = make(small)
            check_goes_on(project, runtime, whole, killed(project, runtime, moment))


def test_a_builder_of_the_shop_is_killed(make, runtime):
    whole, chance = built(make(shop), runtime), random.Random(f"{SEED} shop {runtime}")
    moment = chance.uniform(0.2, 0.95) * whole.seconds
    with said(moment, whole):
        project = make(shop)
        check_goes_on(project, runtime, whole, killed(project, runtime, moment))


def test_of_four_that_want_one_state_another_builds_it_when_the_builder_is_killed(make, runtime):
    whole, project = built(make(small), runtime), make(small)
    copies = [Path(shutil.copytree(project.folder, project.folder.parent / f"copy{number}")) for number in range(4)]
    with contextlib.ExitStack() as ends:
        all_of_them = [(copy, ends.enter_context(builder(project, copy, runtime))) for copy in copies]
        until("one of them builds", lambda: any(reached(copy, "migrate") for copy, _ in all_of_them), within=120)
        dead, child = next(one for one in all_of_them if reached(one[0], "migrate"))
        until("the others wait", lambda: all(waits(copy) for copy, _ in all_of_them if copy != dead), within=120)
        child.kill()
        for copy, other in all_of_them:
            if copy != dead:
                assert other.wait(300) == 0, (copy.with_name(f"{copy.name}-log") / "seeder.log").read_text()
    kept = [one["detail"] for copy in copies for one in events(copy) if (one.get("stage"), one.get("state")) == ("keep", "kept")]
    assert len(kept) == len(set(kept)) == len(whole.layers) - 1  # each state once; the manifest of a set is none
    assert {digest(copy) for copy in copies if copy != dead} == {whole.digest}
    assert held(project.home) == []


def waits(copy: Path) -> bool:
    return any((one.get("subject"), one.get("state")) == ("layers", "waiting") for one in events(copy))


def test_a_run_lives_on_when_the_one_that_made_its_layers_is_swept(make, runtime):
    project = make(small)
    first, second = (up(project, runtime) for _ in range(2))
    try:
        assert did(project.folder, "migrate", "migrated") == [], "the second one begins at what the first one made"
        before = project.ask("digest", "--run", second, "--json").out
        assert project.ask("down", first).code == 0
        for home in (project.home, project.home.parent / "elsewhere"):
            assert project.ask("gc", home=home).code == 0
        assert project.ask("digest", "--run", second, "--json").out == before
        assert project.ask("reset", second).code == 0
        assert project.ask("gate", "--run", second).code == 0
        assert leftovers(first, project.home) == []
    finally:
        assert project.ask("down", second).code == 0


def up(project: Project, runtime: str) -> str:
    said = project.ask("up", *project.words, "--runtime", runtime, "--json")
    assert said.code == 0, said.err
    found: str = json.loads(said.out)["run"]
    return found
