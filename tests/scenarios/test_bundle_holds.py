"""What a bundle holds after a failure, on either runtime."""

import json

import yaml

from tests.scenarios.seeder import run_id, seeder


def test_the_evidence_is_complete_and_without_secrets(project, runtime):
    folder = project("small")
    said = seeder("run", "small", "--scenario", "ready", "--runtime", runtime, "--", "false", cwd=folder)
    assert said.code == 1, said.err
    bundle = folder / ".seeder" / "bundles" / run_id(folder)
    index = json.loads((bundle / "bundle.json").read_text())
    assert index["missing"] == {}
    names = set(index["files"])
    assert {"events.jsonl", "plan.txt", "result.json", "environment.json", "compose.resolved.yaml", "logs/db.log", "logs/web.log"} <= names
    model = yaml.safe_load((bundle / "compose.resolved.yaml").read_text())
    assert model["services"]["db"]["environment"]["POSTGRES_PASSWORD"] == "***"
    assert index["versions"]["migrations"] == {"db": "0002_pinned"}
