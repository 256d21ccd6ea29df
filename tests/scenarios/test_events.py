"""Events as steps of scenarios: published in order, waited for, and expected, without the consumers of services noticing anything else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import seeder
from seeder.errors import EnvironmentFailed
from seeder.passed.content import Post
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
    waits = lines(folder, "waited")
    assert {one["ending"] for one in waits} == {"there"}
    (waited,) = (one for one in waits if one["subject"] == "active")
    assert waited["seen"][-1]["shown"] == 'status "active", mails "3"'
    result = json.loads((folder / ".seeder/runs" / run_id(folder) / "result.json").read_text())
    times = [one["seconds"] for one in waits]
    assert result["waits"] == {"count": len(waits), "seconds": round(sum(times), 3), "longest": max(times), "late": 0, "strange": 0}
    assert "cache: key seen:created-" in str([one["subject"] for one in waits])
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


def variants(folder: Path, *words: str) -> tuple[int, dict[str, str], dict]:
    done = typed("scenario", "run", "activated", "--events", *words, "--json", cwd=folder)
    result = json.loads(done.out)
    return done.code, {one["variant"]: one["result"] for one in result["variants"]}, result


def test_each_thing_that_goes_wrong_begins_at_the_state_before_the_events_and_comes_to_what_is_expected(project):
    folder = project("inbox")
    code, found, result = variants(folder, "mutate")
    assert code == 0, result
    assert set(found.values()) == {"passed"}
    assert len(found) == 1 + 3 + 3 + 2 + 3 + 3 + 1
    assert list(found)[:2] == ["as told", "missing created"]
    begun = [one for one in lines(folder, "stage.started") if one["stage"] == "start"]
    assert len(begun) == 2  # of servers, and of services: one environment for all
    assert len(lines(folder, "environment.reset")) == len(found)


def test_a_defect_of_the_consumer_is_revealed_by_the_variants_that_it_does_not_bear(project):
    folder = project("inbox")
    inbox = folder / "inbox/inbox.py"
    text = inbox.read_text()
    assert "nx=True" in text
    inbox.write_text(text.replace(", nx=True", ""))
    code, found, result = variants(folder, "duplicated,replayed,late")
    assert code == 122
    assert {name for name, how in found.items() if how == "refused"} == {
        "replayed",
        *(f"duplicated {one}" for one in ("created", "verified", "activated")),
    }
    assert result["ended_by"] == "gate"
    assert 'duplicated created: GET /accounts/5 of inbox: expected status 200 and {"status": "active", "mails": "3"}' in result["message"]
    assert '"mails": "4"' in result["message"]


def test_a_consumer_that_never_ends_with_a_message_is_told_as_such(project):
    folder = project("inbox")
    inbox = folder / "inbox/inbox.py"
    inbox.write_text(inbox.read_text().replace("await message.term()", "await message.nak()"))
    compose = folder / "compose.yaml"
    compose.write_text(f"{compose.read_text()}x-seeder: {{settle: {{within: 1s}}}}\n")
    done = typed("scenario", "run", "activated", "--events", "malformed", "-q", cwd=folder)
    assert done.code == 122
    assert "malformed created: inbox: not ready after 1 s: events: consumer inbox of accounts has 1 messages to go" in done.err
    rows = [line.split() for line in done.out.splitlines()]
    assert [row[-2] for row in rows if row[0] == "malformed"] == ["refused"] * 3
    assert [row[-2] for row in rows if row[0] == "as"] == ["passed"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("activated", "--events", "late,lost"), "there is no mutation 'lost'"),
        (("--events", "mutate"), "tries one scenario, and none was named"),
        (("quiet", "--events", "mutate"), "no step of `act` publishes events"),
        (("twice", "--events", "mutate"), "steps a and b both publish an event called told"),
    ],
)
def test_what_cannot_be_tried_is_refused_before_anything_starts(project, words, said):
    folder = project("inbox")
    (folder / "testdata/scenarios/quiet.yaml").write_text('scenario: quiet\nversion: "1"\nstack: inbox\n')
    steps = "".join(f"  {name}: {{events: {{told: {{subject: accounts.told}}}}}}\n" for name in "ab")
    (folder / "testdata/scenarios/twice.yaml").write_text(f'scenario: twice\nversion: "1"\nstack: inbox\nact:\n{steps}')
    done = typed("scenario", "run", *words, cwd=folder)
    assert done.code in (2, 125)
    assert said in done.err
    assert not (folder / ".seeder/runs").exists()
