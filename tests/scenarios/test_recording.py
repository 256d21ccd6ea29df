"""Golden data is recorded from a running environment, and loaded again it gives the state that was recorded."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.conftest import DATA
from tests.scenarios.failing import proper
from tests.scenarios.seeder import seeder
from tests.scenarios.test_layers import named

ROOT = DATA.parents[1]
CHANGES = """
insert into notes (kind, body, written_at)
values ('idea', 'quoted "and", more' || chr(10) || 'lines', '2026-01-02T03:04:05Z'), ('task', 'gone', now());
delete from notes where id = (select max(id) from notes)
"""
SCENARIO = 'scenario: again\nversion: "1.0.0"\nstack: {stack}\ndata: [{data}]\n'


@pytest.fixture
def folder(project, tmp_path: Path) -> Path:
    return named(project("small"), f"recording-{tmp_path.name}")


def recorded(folder: Path, stack: str, reference: str, *words: str) -> tuple[dict[str, str], dict[str, str], dict]:
    """Records the environment that is up, ends it, loads the record into a new one: the digests of both, and what was said."""
    before = json.loads(seeder("digest", "--json", cwd=folder).out)["stores"]
    said = json.loads(proper_json(seeder("dataset", "record", "ready", "--json", cwd=folder)))
    proper(seeder("dataset", "record", "ready", cwd=folder), 2, "holds files already")
    proper(seeder("down", cwd=folder), 0)
    entry = "\n".join(
        f"  {'-' if place == 0 else ' '} {name}: {json.dumps(value)}" for place, (name, value) in enumerate(said["entry"].items())
    )
    manifest = folder / "manifest.yaml"
    manifest.write_text(manifest.read_text().replace("datasets:\n", f"datasets:\n{entry}\n", 1))
    data = ", ".join([*reference.split(), "ready"])
    (folder / "testdata/scenarios/again.yaml").write_text(SCENARIO.format(stack=stack, data=data))
    proper(seeder("up", stack, "--scenario", "again", *words, cwd=folder, SEEDER_CACHE="on"), 0)
    try:
        after = json.loads(seeder("digest", "--json", cwd=folder).out)["stores"]
    finally:
        proper(seeder("down", cwd=folder), 0)
    digests = [{name: one["digest"] for name, one in found.items()} for found in (before, after)]
    return digests[0], digests[1], said


def proper_json(said) -> str:
    proper(said, 0)
    return said.out


def test_what_is_recorded_gives_the_same_state_and_holds_no_more_than_what_was_added(folder):
    words = ("--services", "db,cache", "--runtime", "local")
    proper(seeder("up", "small", "--scenario", "ready", *words, cwd=folder, SEEDER_CACHE="on"), 0)
    seeder("sql", "db", "-c", CHANGES, cwd=folder)
    before, after, said = recorded(folder, "small", "kinds", *words)
    assert after == before
    made = folder / "testdata/golden/ready"
    written = sorted(path.relative_to(made).as_posix() for path in made.rglob("*.*"))
    expected = ["cache/keys.jsonl", "db/900-sequences.sql", "db/notes.csv"]  # kinds are reference data, and migrations filled the rest
    assert written == expected
    assert '"quoted ""and"", more\nlines"' in (folder / "testdata/golden/ready/db/notes.csv").read_text()
    assert said["entry"]["requires"] == {"stack": ">=1.0,<2", "db": "0002_pinned.."}
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=folder / "testdata/golden/ready", check=True)
    assert yaml.safe_load((folder / "manifest.yaml").read_text())["datasets"][0]["privacy"] == "no-pii"


ALBUM = """
insert into artist (name) values ('Sóley');
insert into album (title, artist_id) select 'We Sink', max(artist_id) from artist
"""


@pytest.mark.acceptance
def test_chinook_with_one_more_album_is_recorded_as_that_album(project):
    folder = project("chinook")
    proper(seeder("up", "chinook", "--runtime", "local", cwd=folder, SEEDER_CACHE="on"), 0)
    proper(seeder("sql", "db", "-c", ALBUM, cwd=folder), 0)
    (folder / "testdata/scenarios").mkdir(exist_ok=True)
    before, after, _ = recorded(folder, "chinook", "music", "--runtime", "local")
    assert after == before
    assert len((folder / "testdata/golden/ready/db/album.csv").read_text().splitlines()) == 2


@pytest.mark.acceptance
def test_what_the_shop_s_services_made_in_six_stores_is_recorded_and_loaded_at_rest(tmp_path):
    folder = tmp_path / "shop"
    for name in ("stacks", "testdata"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "manifest.yaml", folder)
    proper(seeder("up", "shop", "--scenario", "order-to-cash", "--runtime", "local", cwd=folder, SEEDER_CACHE="on"), 0)
    before, after, said = recorded(folder, "shop", "shop-reference shop-config", "--runtime", "local")
    assert after == before
    assert said["records"]["orders-db"]["orders"] == 1
    assert {"customers-db", "catalog-db", "orders-db", "billing-db", "delivery-db", "events", "cache"} == set(said["records"])
