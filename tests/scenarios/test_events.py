"""Events as steps of scenarios: published in order, waited for, and expected, without the consumers of services noticing anything else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import seeder
from seeder.content import Post
from seeder.errors import EnvironmentFailed
from tests.scenarios.failing import proper
from tests.scenarios.seeder import run_id
from tests.scenarios.seeder import seeder as typed

GENERATOR = """
from pydantic import BaseModel

from seeder import Context, generator


class Created(BaseModel):
    account: int
    email: str


@generator("accounts.create", version="1", owner="accounts-team", key="account", undo="nothing")
def create(ctx: Context, *, account: int) -> Created:
    told = Created(account=account, email=f"{ctx.unique('mail')}@example.org")
    message = ctx.publish("accounts.created", told, headers={"By": ctx.step})
    assert message.startswith("accounts.created-1-")
    assert ctx.wait("accounts.*", {"account": account}) == {"account": account, "email": told.email}
    ctx.eventually(lambda: ctx.http("inbox").get(f"/accounts/{account}").json().get("status"), until="created", meanwhile=[None])
    return told
"""
ONE = """
scenario: one
version: "1"
stack: inbox
steps:
  one: {use: accounts.create, with: {account: 9}}
outputs: {mail: "${one.email}"}
"""


def lines(folder: Path, kind: str) -> list[dict]:
    journal = (folder / ".seeder/runs" / run_id(folder) / "events.jsonl").read_text()
    return [found for line in journal.splitlines() if (found := json.loads(line))["event"] == kind]


def test_a_sequence_is_published_in_order_and_what_consumers_come_to_is_waited_for(project):
    folder = project("inbox")
    proper(typed("check", cwd=folder), 0)
    done = typed("run", "--scenario", "activated", "--", "sh", "-c", "env | grep SEEDER_OUTPUT", cwd=folder)
    proper(done, 0)
    assert "SEEDER_OUTPUT_FIRST=created-" in done.out
    (waited,) = lines(folder, "waited")
    assert (waited["subject"], waited["ending"]) == ("active", "there")
    assert waited["seen"][-1]["shown"] == 'status "active", mails "3"'
    result = json.loads((folder / ".seeder/runs" / run_id(folder) / "result.json").read_text())
    assert result["waits"] == {"count": 1, "seconds": waited["seconds"], "longest": waited["seconds"], "late": 0, "strange": 0}
    graph = typed("scenario", "graph", "activated", cwd=folder).out
    assert "told: publish AccountCreated, EmailVerified, AccountActivated" in graph


def test_what_is_expected_in_between_ends_the_run_where_it_does_not_hold(project):
    folder = project("inbox")
    path = folder / "testdata/scenarios/activated.yaml"
    path.write_text(path.read_text().replace('.id}", exists: true}', '.id}", exists: false, within: 100ms}'))
    done = typed("run", "--scenario", "activated", "--", "true", cwd=folder)
    proper(done, 122)
    assert "step seen: cache: key seen:created-" in done.err
    assert "expected no such key" in done.err
    assert f"{path.relative_to(folder)}:20" in done.err


def test_held_consumers_are_seen_in_every_state_and_left_alone(project):
    folder = project("inbox")
    (folder / "generators").mkdir()
    (folder / "generators/accounts.py").write_text(GENERATOR)
    (folder / "testdata/scenarios/one.yaml").write_text(ONE)
    with seeder.up(scenario="one", project=folder, cache=False) as environment:
        assert environment.outputs["mail"].startswith("mail-")
        here = environment._here
        get = environment.http("inbox").get

        def status() -> str | None:
            return get("/accounts/9").json().get("status")

        def tell(subject: str) -> None:
            here.engine("events").publish(here.target("events"), [Post(subject, subject, {}, b'{"account": 9}')])

        assert status() == "created"
        told = list[str]()

        def next_one() -> str | None:
            """What is published only once the state before it was seen, so that each is seen."""
            seen = status()
            if seen not in told:
                told.append(seen)
                if following := {"created": "accounts.verified", "verified": "accounts.activated"}.get(seen):
                    tell(following)
            return seen

        environment.eventually(next_one, until="active", meanwhile=["created", "verified"])
        assert told == ["created", "verified", "active"]
        (waited,) = lines(folder, "waited")[-1:]
        assert [state["shown"] for state in waited["seen"]] == ["'created'", "'verified'", "'active'"]
        with pytest.raises(EnvironmentFailed, match=r"the answer was 'active', which is not allowed on the way: 'active' \(0\.\d\d s\)"):
            environment.eventually(status, until="closed", meanwhile=["verified"])
