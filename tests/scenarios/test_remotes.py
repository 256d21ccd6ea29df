"""Layers and datasets that travel: pushed here, pulled into an empty cache, and runs begin there as they did here."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from seeder import fingerprint
from tests.contract.serving_registry import registry
from tests.scenarios.cases import RUNTIMES, product
from tests.scenarios.seeder import Said, docker, seeder
from tests.scenarios.test_layers import did, digests, last, layers, named, run, through_services

STACK = ("small", "--scenario", "ready")


@contextlib.contextmanager
def remote(kind: str, at: Path) -> Iterator[str]:
    with registry(at) if kind == "oci" else contextlib.nullcontext() as host:
        yield f"oci://{host}/acme/layers" if host else str(at / "shared")


@pytest.fixture
def folder(project, tmp_path: Path) -> Path:
    return named(project("small"), f"small-{os.getpid()}-{tmp_path.name}")


@pytest.fixture
def on(folder: Path, tmp_path: Path) -> Iterator[Callable[..., Said]]:
    """`seeder WORDS` as on another machine: with a home of its own."""

    def said(machine: str, *words: str) -> Said:
        return seeder(*words, cwd=folder, SEEDER_HOME=str(tmp_path / machine), SEEDER_CACHE="on")

    yield said
    forget_images(folder, tmp_path / "here")


def forget_images(folder: Path, home: Path) -> None:
    for layer in layers(folder, home):
        if str(layer["place"]).startswith("seeder-layer:"):
            docker("rmi", "-f", str(layer["place"]))


@product(
    "runtime,kind,data",
    RUNTIMES,
    ("folder", "oci"),
    ("at rest", "through services"),
    some=[("local", "folder", "through services"), ("docker", "oci", "at rest")],
)
def test_a_machine_with_nothing_begins_where_another_came_to(folder, tmp_path, on, runtime, kind, data):
    if data == "through services":
        through_services(folder)
    first = run(folder, tmp_path / "here", runtime)
    assert first.code == 0, first.err
    kept = len(did(folder, "keep", "kept")) + (data == "through services")  # the manifest of the set
    with remote(kind, tmp_path) as at:
        words = (at, *STACK, "--runtime", runtime)
        for state in ("pushed", "there"):
            sent = on("here", "cache", "push", *words, "--json")
            assert sent.code == 0, sent.err
            assert [one["state"] for one in json.loads(sent.out)] == [state] * kept
        forget_images(folder, tmp_path / "here")
        pulled = on("there", "cache", "pull", *words)
    assert pulled.code == 0, pulled.err
    assert pulled.out.startswith("pulled: ")
    second = run(folder, tmp_path / "there", runtime)
    assert second.code == 0, second.err
    assert did(folder, "migrate", "migrated") == did(folder, "keep", "kept") == []
    assert last(folder, "dataset.loaded") == []
    assert len(digests(folder)) == 1


@product("how", ("corrupted", "truncated", "missing"), some=[("corrupted",)])
def test_what_is_not_whole_is_named_and_made_anew_by_the_next_run(folder, tmp_path, on, how):
    place = tmp_path / "shared"
    through_services(folder)
    assert run(folder, tmp_path / "here", "local").code == 0
    assert on("here", "cache", "push", str(place), *STACK, "--runtime", "local").code == 0
    for pack in place.glob("*.tar.zst"):
        damage(pack, how)
    pulled = on("there", "cache", "pull", str(place), *STACK, "--runtime", "local")
    assert pulled.code == 3
    assert "error: layer " in pulled.err
    assert "Traceback" not in pulled.err
    assert layers(folder, tmp_path / "there") == []
    second = run(folder, tmp_path / "there", "local")
    assert second.code == 0, second.err
    assert did(folder, "migrate", "migrated") == ["db"]
    assert len(digests(folder)) == 1


def damage(pack: Path, how: str) -> None:
    content = bytearray(pack.read_bytes())
    content[len(content) // 2] ^= 1
    if how == "missing":
        pack.unlink()
    else:
        pack.write_bytes(content if how == "corrupted" else content[:-1])


@pytest.mark.docker
def test_a_layer_that_is_pulled_lies_one_level_above_its_image_and_on_no_other(folder, tmp_path, on):
    """Its data folder was written by a server of that very image."""
    place, base = tmp_path / "shared", inspected("postgres:17")
    assert run(folder, tmp_path / "here", "docker").code == 0
    assert on("here", "cache", "push", str(place), *STACK, "--runtime", "docker").code == 0
    forget_images(folder, tmp_path / "here")
    assert on("there", "cache", "pull", str(place), *STACK, "--runtime", "docker").code == 0
    (image,) = [str(one["place"]) for one in layers(folder, tmp_path / "there") if str(one["form"]).startswith("container-")]
    assert inspected(image)["RootFS"]["Layers"][:-1] == base["RootFS"]["Layers"]
    assert inspected(image)["Config"]["Cmd"] == base["Config"]["Cmd"]
    assert not [label for label, value in inspected(image)["Config"]["Labels"].items() if label == "dev.seeder.run" and value]
    pretend_another_image(place, str(base["Id"]).removeprefix("sha256:")[:16])
    refused = on("there", "cache", "pull", str(place), "--all")
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


@product("runtime", RUNTIMES, some=[("local",)])
def test_layers_that_hold_what_is_built_without_them_are_left(folder, tmp_path, runtime, on):
    assert run(folder, tmp_path / "here", runtime).code == 0
    said = on("here", "cache", "verify", *STACK, "--runtime", runtime, "--json")
    assert said.code == 0, said.err
    assert [(one["store"], one["same"]) for one in json.loads(said.out)] == [("cache", True), ("db", True)]
    assert len(layers(folder, tmp_path / "here")) == 3


def test_a_layer_that_holds_something_else_is_named_and_removed(folder, tmp_path, on):
    assert run(folder, tmp_path / "here", "local").code == 0
    (state,) = (tmp_path / "here/cache/layers").glob("*.portable/state/cache")
    keys, index = state / "keys.jsonl", state / "store.json"
    before = fingerprint.content(keys)
    keys.write_text(keys.read_text().replace('"first"', '"other"'))
    index.write_text(index.read_text().replace(before, fingerprint.content(keys)))
    said = on("here", "cache", "verify", *STACK, "--runtime", "local")
    assert said.code == 4, said.err
    assert "error: cache: layer " in said.err
    assert [one["server"] for one in layers(folder, tmp_path / "here")] == ["db", "db"]


# -- datasets ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["folder", "oci"])
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
