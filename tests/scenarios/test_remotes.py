"""Layers and datasets that travel: pushed here, pulled into an empty cache, and runs begin there as they did here."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from seeder import fingerprint
from seeder.machine.pack import into_folder
from seeder.registry import remote as opened
from tests.conftest import DATA
from tests.contract.serving_registry import registry
from tests.scenarios.cases import RUNTIMES, product
from tests.scenarios.layered import did, digests, last, layers, named, run, through_services
from tests.scenarios.seeder import Said, docker, seeder, started

STACK = ("small", "--scenario", "ready")


@contextlib.contextmanager
def remote(kind: str, at: Path) -> Iterator[str]:
    with registry(at) if kind == "oci" else contextlib.nullcontext() as host:
        yield f"oci://{host}/acme/layers" if host else str(at / "shared")


@pytest.fixture
def folder(project, tmp_path: Path) -> Path:
    return named(project("small"), f"small-{os.getpid()}-{tmp_path.name}")


@pytest.fixture
def on(folder: Path, tmp_path: Path) -> Callable[..., Said]:
    """`seeder WORDS` as on another machine: with a home of its own."""
    return lambda machine, *words: at_home(folder, tmp_path / machine, *words)


def at_home(folder: Path, home: Path, *words: str) -> Said:
    return seeder(*words, cwd=folder, SEEDER_HOME=str(home), SEEDER_CACHE="on")


def forget_images(folder: Path, home: Path) -> None:
    for layer in layers(folder, home):
        if str(layer["place"]).startswith("seeder-layer:"):
            docker("rmi", "-f", str(layer["place"]))


class Built(NamedTuple):
    """A project, the home in which a run of it has kept layers, and how many."""

    folder: Path
    home: Path
    kept: int


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, str], Built]]:
    """By runtime and by how its data comes. Whoever spoils layers copies both first; an engine's are taken away: each is made anew."""
    with contextlib.ExitStack() as ends:

        def make(runtime: str, data: str) -> Built:
            at = tmp_path_factory.mktemp("built")
            folder = named(Path(shutil.copytree(DATA / "small", at / "small")), f"small-{os.getpid()}-{at.name}")
            if data == "through services":
                through_services(folder)
            ends.callback(forget_images, folder, at / "here")
            ended = run(folder, at / "here", runtime)
            assert ended.code == 0, ended.err
            return Built(folder, at / "here", len(did(folder, "keep", "kept")) + (data == "through services"))  # the set's manifest

        once = functools.cache(make)
        yield lambda runtime, data: once(runtime, data) if runtime == "local" else make(runtime, data)


@product(
    "runtime,kind,data",
    RUNTIMES,
    ("folder", "oci"),
    ("at rest", "through services"),
    some=[("local", "folder", "through services")],
)
def test_a_machine_with_nothing_begins_where_another_came_to(built, tmp_path, runtime, kind, data):
    there = tmp_path / "there"
    with remote(kind, tmp_path) as at:
        folder, here, kept = built(runtime, data)
        words = (at, *STACK, "--runtime", runtime)
        for state in ("pushed", "there"):
            sent = at_home(folder, here, "cache", "push", *words, "--json")
            assert sent.code == 0, sent.err
            assert [one["state"] for one in json.loads(sent.out)] == [state] * kept
        if kind == "folder" and runtime == "local":
            assert who_tells((here / "cache/postgres.password").read_bytes(), Path(at), tmp_path) == []
        forget_images(folder, here)
        pulled = at_home(folder, there, "cache", "pull", *words)
    assert pulled.code == 0, pulled.err
    assert pulled.out.startswith("pulled: ")
    second = run(folder, there, runtime)
    assert second.code == 0, second.err
    assert did(folder, "migrate", "migrated") == did(folder, "keep", "kept") == []
    assert last(folder, "dataset.loaded") == []
    assert len(digests(folder)) == 1


def who_tells(secret: bytes, place: Path, tmp_path: Path) -> list[str]:
    """Files in packs of a shared folder that hold the secret."""
    for pack in place.glob("*.tar.zst"):
        into_folder(pack, tmp_path / "packs" / pack.name)
    files = [file for file in (tmp_path / "packs").rglob("*") if file.is_file()]
    assert files
    return [str(file) for file in files if secret in file.read_bytes()]


@product(
    "kind, how, next_is", ("folder", "oci"), ("corrupted", "truncated", "missing"), ("planned", "run"),
    some=[("folder", "corrupted", "run"), ("folder", "missing", "planned")],
)  # fmt: skip
def test_what_is_not_whole_is_named_and_made_anew_by_the_next_run(built, tmp_path, kind, how, next_is):
    folder, here, _ = built("local", "through services")
    there = tmp_path / "there"
    with remote(kind, tmp_path) as at:
        assert at_home(folder, here, "cache", "push", at, *STACK, "--runtime", "local").code == 0
        for pack in packs(at, tmp_path):
            damage(pack, how)
        pulled = at_home(folder, there, "cache", "pull", at, *STACK, "--runtime", "local")
    assert pulled.code == 3
    assert "error: layer " in pulled.err
    assert "Traceback" not in pulled.err
    assert layers(folder, there) == []
    plan = at_home(folder, there, "plan", *STACK, "--runtime", "local").out
    assert "2 revisions by sql" in plan
    assert "found" not in plan
    if next_is == "run":
        made_anew(folder, there)


def made_anew(folder: Path, home: Path) -> None:
    ended = run(folder, home, "local")
    assert ended.code == 0, ended.err
    assert did(folder, "migrate", "migrated") == ["db"]
    assert len(digests(folder)) == 1


def packs(at: str, tmp_path: Path) -> list[Path]:
    """Where a remote of this machine has its packs."""
    if not at.startswith("oci://"):
        return list(Path(at).glob("*.tar.zst"))
    found = opened(at)
    blobs = tmp_path / "registry/docker/registry/v2/blobs/sha256"
    digests_of_packs = {str((found.told(name) or {})["sha256"]) for name in found.names()}
    return [blobs / digest[:2] / digest / "data" for digest in digests_of_packs]


def damage(pack: Path, how: str) -> None:
    content = bytearray(pack.read_bytes())
    content[len(content) // 2] ^= 1
    if how == "missing":
        pack.unlink()
    else:
        pack.write_bytes(content if how == "corrupted" else content[:-1])


@pytest.mark.acceptance
def test_of_a_pull_that_was_killed_halfway_nothing_is_begun_at_that_is_not_whole(built, tmp_path):
    folder, here, _ = built("local", "through services")
    place, there = tmp_path / "shared", tmp_path / "there"
    assert at_home(folder, here, "cache", "push", str(place), *STACK, "--runtime", "local").code == 0
    words = ("cache", "pull", str(place), *STACK, "--runtime", "local", "--project", str(folder))
    with started(*words, cwd=tmp_path, SEEDER_HOME=str(there), SEEDER_CACHE="on") as child:
        while not list(there.glob("cache/layers/*")):  # they come one by one, the set's manifest last
            assert child.poll() is None, (tmp_path / "seeder.log").read_text()
        child.kill()
        child.wait()
    assert [one for one in layers(folder, there) if one["form"] == "set"] == []
    made_anew(Path(shutil.copytree(folder, tmp_path / "small", ignore=shutil.ignore_patterns(".seeder"))), there)


@pytest.mark.docker
@pytest.mark.acceptance  # layers on docker, by a remote
def test_a_layer_that_is_pulled_lies_one_level_above_its_image_and_on_no_other(built, tmp_path):
    """Its data folder was written by a server of that very image."""
    place, base = tmp_path / "shared", inspected("postgres:17")
    folder, here, _ = built("docker", "at rest")
    there = functools.partial(at_home, folder, tmp_path / "there")
    assert at_home(folder, here, "cache", "push", str(place), *STACK, "--runtime", "docker").code == 0
    forget_images(folder, here)
    assert there("cache", "pull", str(place), *STACK, "--runtime", "docker").code == 0
    (image,) = [str(one["place"]) for one in layers(folder, tmp_path / "there") if str(one["form"]).startswith("container-")]
    assert inspected(image)["RootFS"]["Layers"][:-1] == base["RootFS"]["Layers"]
    assert inspected(image)["Config"]["Cmd"] == base["Config"]["Cmd"]
    assert not [label for label, value in inspected(image)["Config"]["Labels"].items() if label == "dev.seeder.run" and value]
    pretend_another_image(place, str(base["Id"]).removeprefix("sha256:")[:16])
    refused = there("cache", "pull", str(place), "--all")
    assert refused.code == 3
    assert "the image 0123456789abcdef on which it lies is not at the docker engine" in refused.err
    assert "pull the seeder.invalid/postgres:17 of that id" in refused.err


def inspected(image: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = json.loads("".join(docker("image", "inspect", image)))
    return found[0]


def pretend_another_image(place: Path, base: str) -> None:
    """As if its layers had been made on top of an image that nobody has."""
    for told in place.glob(f"*.container-{base}.json"):
        known = json.loads(told.read_text())
        facts = {**known["facts"], "image": "seeder.invalid/postgres:17"}
        told.write_text(json.dumps({**known, "form": "container-0123456789abcdef", "facts": facts}))
    for file in place.glob(f"*.container-{base}.*"):
        file.rename(file.with_name(file.name.replace(base, "0123456789abcdef")))


# -- whether layers hold what they should -----------------------------------------------------------------------------


@product(
    "runtime,data,layer",
    RUNTIMES,
    ("at rest", "through services"),
    ("good", "spoiled"),
    some=[("local", "through services", "spoiled")],
)
def test_a_layer_that_holds_something_else_is_named_and_removed_with_its_set_alone(built, tmp_path, runtime, data, layer):
    project, here, _ = built(runtime, data)
    folder, home = Path(shutil.copytree(project, tmp_path / "small")), Path(shutil.copytree(here, tmp_path / "here", symlinks=True))
    if layer == "spoiled":
        spoil(home, data)
    said = at_home(folder, home, "cache", "verify", *STACK, "--runtime", runtime, "--json")
    assert said.code == (4 if layer == "spoiled" else 0), said.err
    assert ("error: cache: layer " in said.err) == (layer == "spoiled")
    assert [(one["store"], one["same"]) for one in json.loads(said.out)] == [("cache", layer == "good"), ("db", True)]
    left = [one["server"] for one in layers(folder, home) if one["form"] != "set"]
    assert sorted(left) == sorted(LEFT[data, layer])


# By how the data comes, and whether the layer of its keys is good or spoiled: whose layers are there after it was compared.
LEFT = {
    ("at rest", "good"): ["cache", "db", "db"],
    ("at rest", "spoiled"): ["db", "db"],
    ("through services", "good"): ["cache", "cache", "db", "db", "db"],
    ("through services", "spoiled"): ["cache", "db", "db"],
}


def spoil(home: Path, data: str) -> None:
    """Another value for a key, in the layer at which runs begin, which stays whole."""
    kept = [told.parent / "state" / "cache" for told in (home / "cache/layers").glob("*.portable/layer.json") if begins(told, data)]
    (state,) = [folder for folder in kept if folder.exists()]
    keys, index = state / "keys.jsonl", state / "store.json"
    before = fingerprint.content(keys)
    keys.write_text(keys.read_text().replace('"first"', '"other"'))
    index.write_text(index.read_text().replace(before, fingerprint.content(keys)))


def begins(told: Path, data: str) -> bool:
    return ("set" in json.loads(told.read_text())["facts"]) == (data == "through services")


# -- datasets ---------------------------------------------------------------------------------------------------------


@product("kind", ("folder", "oci"), some=[["folder"]])
def test_a_dataset_is_published_once_and_pulled_elsewhere(folder, tmp_path, on, kind):
    with remote(kind, tmp_path) as at:
        assert "has no SHA256SUMS" in on("here", "dataset", "publish", at, "notes").err
        assert on("here", "dataset", "lock").code == 0
        sent = on("here", "dataset", "publish", at)
        assert sent.code == 0, sent.err
        assert [line.partition(",")[0] for line in sent.out.splitlines()] == ["published: kinds@1.0.0", "published: notes@1.0.0"]
        assert on("here", "dataset", "publish", at).out.splitlines() == ["there already: kinds@1.0.0", "there already: notes@1.0.0"]
        before = content(folder / "testdata")
        shutil.rmtree(folder / "testdata/golden")
        shutil.rmtree(folder / "testdata/reference/kinds")
        pulled = on("there", "dataset", "pull", at)
    assert pulled.code == 0, pulled.err
    assert content(folder / "testdata") == before
    assert on("there", "check").code == 0


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_published_version_stays_what_it_is(folder, tmp_path, on):
    at, rows = str(tmp_path / "shared"), folder / "testdata/reference/kinds/db/kinds.csv"
    assert on("here", "dataset", "lock").code == on("here", "dataset", "publish", at).code == 0
    before = rows.read_text()
    rows.write_text(before + "9,other\n")
    assert "differs from its digest in SHA256SUMS" in on("here", "dataset", "publish", at, "kinds").err
    assert on("here", "dataset", "lock").code == 0
    refused = on("here", "dataset", "publish", at, "kinds")
    assert refused.code == 2
    assert "kinds@1.0.0: is published with other content" in refused.err
    kept = on("here", "dataset", "pull", at, "kinds")
    assert kept.code == 2
    assert "holds other content than what is published" in kept.err
    assert rows.read_text() != before
    assert on("here", "dataset", "pull", at, "kinds", "--force").code == 0
    assert rows.read_text() == before


def test_a_published_dataset_that_is_damaged_takes_nothing_s_place(folder, tmp_path, on):
    place = tmp_path / "shared"
    assert on("here", "dataset", "lock").code == on("here", "dataset", "publish", str(place)).code == 0
    damage(place / "kinds/1.0.0.tar.zst", "corrupted")
    (folder / "testdata/reference/kinds/db/kinds.csv").write_text("kind\nmine\n")
    before = content(folder / "testdata")
    said = on("there", "dataset", "pull", str(place), "kinds", "--force")
    assert said.code == 3
    assert "kinds@1.0.0: its pack is not what was published" in said.err
    assert content(folder / "testdata") == before
    assert "none@1" in on("there", "dataset", "pull", str(place), "none@1").err


# -- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("cache", "push", "nowhere://x", *STACK), 3, "fsspec knows no scheme nowhere://"),
        (("cache", "pull", "oci://127.0.0.1:1/acme", *STACK), 3, "the registry does not answer: Connection refused"),
        (("cache", "pull", "/proc/nothing", *STACK, "--no-cache"), 2, "layers: are switched off here"),
        (("dataset", "publish", "oci://127.0.0.1:1"), 3, "names no repository"),
        (("cache", "push", "/proc/nothing", *STACK), 0, ""),
    ],
    ids=["scheme", "nobody", "off", "repository", "nothing to push"],
)
def test_what_is_wrong_with_a_remote_is_told(on, words, code, said):
    ended = on("here", *words, *(["--runtime", "local"] if words[0] == "cache" else []))
    assert (ended.code, said in ended.err, "Traceback" in ended.err) == (code, True, False), ended.err
