"""A stub is a store like others: its mappings come from datasets and steps, tests ask for the calls it received, and all of that is taken
back, kept and brought back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

import seeder
from seeder.errors import GateRefused, UsageError

MANIFEST = """\
seeder: "1"
project: stubs
defaults: {stack: stubs, policy: ci, seed: 7, as_of: 2026-01-15T12:00:00Z}
stacks:
  stubs: {compose: [compose.yaml], version: "1.0.0"}
datasets:
  - {name: providers, kind: reference, version: "1.0.0", path: testdata/reference/providers, privacy: no-pii}
policies:
  ci: {sources: [reference], rows: 100, privacy: no-pii}
"""
GENERATORS = """\
from dataclasses import dataclass

from seeder import Context, generator


@dataclass
class Told:
    mapping: str


@generator("providers.decline", version="1", owner="billing", origin="inserted", key="declined", undo="nothing")
def decline(ctx: Context, *, status: int = 402) -> Told:
    \"\"\"Every payment is declined.\"\"\"
    request = {"method": "POST", "urlPath": "/charges"}
    return Told(ctx.stub("outside").answer({"priority": 1, "request": request, "response": {"status": status}}))


@generator("providers.charge", version="1", owner="billing", undo="nothing")
def charge(ctx: Context, *, amount: int) -> dict[str, int]:
    \"\"\"Somebody pays.\"\"\"
    return {"status": ctx.http("outside").post("/charges", json={"amount": amount}).status_code}
"""
SCENARIO = """\
scenario: {name}
version: "1.0.0"
stack: stubs
steps:
  declined: {{use: providers.decline}}
  charge: {{use: providers.charge, with: {{amount: 7}}, after: [declined]}}
expect:
  - {{stub: outside, where: {{method: POST, path: /charges, body: {{amount: 7}}}}, count: {count}, within: 200ms}}
"""
FILES = {
    "manifest.yaml": MANIFEST,
    "compose.yaml": "services: {outside: {image: 'wiremock/wiremock:3.13.2'}}\n",
    "generators/providers.py": GENERATORS,
    "testdata/scenarios/declined.yaml": SCENARIO.format(name="declined", count=1),
    "testdata/scenarios/wrong.yaml": SCENARIO.format(name="wrong", count=0),
    "testdata/reference/providers/outside/mappings/charge.json": (
        '{"request": {"method": "POST", "urlPath": "/charges"}, "response": {"status": 201, "bodyFileName": "paid.json"}}'
    ),
    "testdata/reference/providers/outside/__files/paid.json": '{"state": "paid"}',
}


@pytest.fixture
def stubs(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def charge(environment: Any, amount: int) -> httpx.Response:
    return environment.http("outside").post("/charges", json={"amount": amount})


def test_what_a_test_does_to_a_stub_is_taken_back(stubs, runtime):
    with seeder.up("stubs", runtime=runtime, project=stubs) as environment:
        stub = environment.stub("outside")
        paid = charge(environment, 10)
        assert (paid.status_code, paid.json()) == (201, {"state": "paid"})
        stub.answer({"request": {"urlPath": "/charges"}, "response": {"status": 503}})
        assert charge(environment, 20).status_code == 503
        assert [call.body["amount"] for call in stub.calls(method="POST")] == [10, 20]
        before = environment.snapshot("in between")
        assert environment.reset()["outside"].changed == ("mappings", "requests")
        assert (stub.calls(), charge(environment, 30).status_code) == ([], 201)
        environment.restore(before)
        assert [call.body["amount"] for call in stub.calls()] == [10, 20]
        assert charge(environment, 40).status_code == 503
        with pytest.raises(UsageError, match="has no such store"):
            environment.stub("outsid")


@pytest.mark.usefixtures("cached")
def test_what_steps_told_a_stub_and_asked_of_it_is_kept(stubs):
    for _ in range(2):  # the second begins at what the first kept
        with seeder.up("stubs", scenario="declined", runtime="local", project=stubs) as environment:
            assert [call.body for call in environment.stub("outside").calls()] == [{"amount": 7}]
            assert charge(environment, 1).status_code == 402


def test_a_call_that_must_not_come_is_told(stubs):
    with pytest.raises(GateRefused) as told, seeder.up("stubs", scenario="wrong", runtime="local", project=stubs):
        pass
    assert "expected no calls with" in str(told.value)
    assert "last seen 1 such of 1 call" in str(told.value)
