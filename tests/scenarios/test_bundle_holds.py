"""What a bundle holds after a failure, on either runtime, and what it does not."""

import functools
import json
import shutil
import stat
from pathlib import Path

import pytest
import yaml

from seeder.evidence import bundle as bundles
from tests.conftest import DATA
from tests.scenarios.bare import bare
from tests.scenarios.seeder import run_id, seeder

SECRETS = {
    "environment": "planted-in-the-environment",
    "address": "planted-in-an-address",
    "argument": "planted-in-an-argument",
    "config": "planted-in-a-configuration",
    "inline": "planted-in-an-inline-secret",
    "file": "planted-in-a-secret-file",
    "key": "planted-in-a-key-of-ours",
}
TALKS = "import sys; print(sys.argv, flush=True)\n"


@pytest.fixture(scope="module")
def failed(tmp_path_factory, cached):
    """Project and words of a run with secrets of every kind that a gate has refused, once for each runtime."""

    @functools.cache
    def made(runtime):
        folder = Path(shutil.copytree(DATA / "small", tmp_path_factory.mktemp(runtime) / "small"))
        _plant(folder)
        words = ("run", "small", "--scenario", "ready", "--runtime", runtime, "--", "false")
        said = seeder(*words, cwd=folder, PLANTED=SECRETS["environment"])
        assert said.code == 122, said.err
        return folder, said

    return made


def test_the_evidence_is_complete_and_without_secrets(failed, runtime):
    folder, _ = failed(runtime)
    bundle = folder / ".seeder" / "bundles" / run_id(folder)
    index = json.loads((bundle / "bundle.json").read_text())
    assert index["missing"] == {}
    names = set(index["files"])
    assert {"events.jsonl", "plan.txt", "result.json", "environment.json", "compose.resolved.yaml", "logs/db.log", "logs/web.log"} <= names
    model = yaml.safe_load((bundle / "compose.resolved.yaml").read_text())
    assert model["services"]["db"]["environment"]["POSTGRES_PASSWORD"] == "***"
    assert model["services"]["web"]["environment"]["CACHE_URL"].startswith("redis://")
    assert index["versions"]["migrations"] == {"db": "0002_pinned"}


def test_no_secret_of_any_kind_is_kept_or_said(failed, runtime):
    folder, said = failed(runtime)
    kept = [file for file in (folder / ".seeder").rglob("*") if file.is_file()]
    assert "'--api-token'" in next(file for file in kept if file.name == "web.log").read_text(), "the service has said its arguments"
    assert "no-such-row" in said.err
    found = {(file.name, kind) for file in kept for kind, secret in SECRETS.items() if secret in file.read_text(errors="replace")}
    assert not found
    assert not [kind for kind, secret in SECRETS.items() if secret in said.err + said.out]


def test_its_owner_alone_can_read_what_is_kept(failed, runtime):
    folder, _ = failed(runtime)
    run = run_id(folder)
    kept = [
        path for name in ("runs", "bundles") for path in [*(folder / ".seeder" / name / run).rglob("*"), folder / ".seeder" / name / run]
    ]
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept if path.is_dir()} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept if path.is_file()} == {0o600}


def test_a_run_that_could_not_even_begin_leaves_a_bundle(project, tmp_path):
    folder, home = bare(project("small")), tmp_path / "home"
    (home / "cache" / "ports.json").mkdir(parents=True)  # where the table of reserved ports would be
    said = seeder("run", "small", "--runtime", "local", "--", "true", cwd=folder, SEEDER_HOME=str(home))
    assert said.code == 123, said.err
    bundle = bundles.verify(folder / ".seeder" / "bundles" / run_id(folder))
    assert bundle.index["missing"] == {"environment": "it was never opened"}
    assert {"events.jsonl", "plan.txt", "result.json", "compose.resolved.yaml"} <= set(bundle.index["files"])


def _plant(folder):
    """One secret of each kind in the project; the service says its arguments, and an expectation fails with one in its words."""
    path = folder / "compose.yaml"
    model = yaml.safe_load(path.read_text())
    web = model["services"]["web"]
    options = ["--api-token", SECRETS["argument"]]
    web["command"] += options
    web["x-seeder"]["local"]["command"] += options
    web["environment"] |= {"SESSION_SECRET": SECRETS["environment"], "BROKER": f"amqp://app:{SECRETS['address']}@elsewhere:5672"}
    web["x-seeder"]["auth"] = {"api_key": {"value": SECRETS["key"]}}
    web["configs"] = [{"source": "settings", "target": "/etc/settings"}]
    web["secrets"] = ["inline", "file"]
    (folder / "secret.txt").write_text(SECRETS["file"])
    model["configs"] = {"settings": {"content": f"port: 80\npassword: {SECRETS['config']}\n"}}
    model["secrets"] = {"inline": {"environment": "INLINE"}, "file": {"file": "./secret.txt"}}
    (folder / ".env").write_text(f"INLINE={SECRETS['inline']}\n")
    path.write_text(yaml.safe_dump(model))
    (folder / "web" / "web.py").write_text(TALKS + (folder / "web" / "web.py").read_text())
    scenario = folder / "testdata" / "scenarios" / "ready.yaml"
    query = f"select 'no-such-row {SECRETS['inline']}'"
    scenario.write_text(scenario.read_text().replace("expect:", f'expect:\n  - {{store: db, query: "{query}", equals: {SECRETS["file"]}}}'))
