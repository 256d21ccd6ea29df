"""Sequences of events in scenarios, and the files that tell their types: what is wrong with either is told with file and line."""
# ruff: noqa: E501  (a case a line reads better)

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from seeder.definition.event_types import unheard
from seeder.definition.scenario import Scenario, bind
from seeder.definition.scenario_reader import read_scenario
from seeder.definition.stack import Stack
from seeder.engines._nats_client import STREAMLESS
from seeder.errors import EnvironmentFailed
from seeder.graph import edges
from seeder.passed.content import Post
from seeder.steps import sequence
from tests.conftest import DATA
from tests.fakes.world import read

TYPES = (DATA / "inbox/testdata/events/accounts.yaml").read_text()
HEAD = 'scenario: s\nversion: "1"\nstack: inbox\ninputs:\n  account: {type: integer, default: 5}\n'
TOLD = """\
act:
  told:
    events:
      created: {type: AccountCreated, with: {account: "${inputs.account}", email: a@example.org}}
      verified: {type: EmailVerified, with: {account: "${created.payload.account}", created_by: "${created.id}"}, headers: {Trace: "after ${created.id}"}}
      free: {subject: accounts.noticed, with: "hello ${verified.payload.account}"}
"""


@pytest.fixture(scope="module")
def stack() -> Stack:
    return read(DATA / "inbox/compose.yaml")


def written(folder: Path, text: str, types: str = TYPES) -> Scenario:
    for name, content in {"events/accounts.yaml": types, "scenarios/s.yaml": HEAD + text}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)
    return read_scenario(folder / "scenarios/s.yaml")


def test_each_event_refers_to_those_before_it_and_is_the_same_each_time(tmp_path: Path, stack: Stack) -> None:
    scenario = written(tmp_path, TOLD + 'outputs: {first: "${told.created.id}", who: "${told.verified.payload.account}"}\n')
    assert not scenario.problems
    assert edges.problems(scenario, stack, {}) == []
    (step,) = bind(scenario, {"account": "7"}).spread().act
    made = sequence.made(step, {"inputs": {"account": 7}}, 42)
    assert made == sequence.made(step, {"inputs": {"account": 7}}, 42)
    assert made["created"]["headers"] == {"Source": "accounts"}
    assert made["verified"]["payload"] == {"account": 7, "created_by": made["created"]["id"]}
    assert made["verified"]["headers"] == {"Trace": f"after {made['created']['id']}"}
    assert len({one["id"] for one in (*made.values(), *sequence.made(step, {"inputs": {"account": 7}}, 43).values())}) == 6
    posts = sequence.posts(made)
    assert posts["free"] == Post(made["free"]["id"], "accounts.noticed", {}, b"hello 7")
    assert posts["created"].payload == b'{"account":7,"email":"a@example.org"}'


def test_a_payload_that_only_results_tell_is_compared_with_its_type_before_it_is_published(tmp_path: Path) -> None:
    text = 'act:\n  told:\n    events:\n      a: {type: AccountActivated, with: {account: "${other.name}"}}\n  other: {use: x.y}\n'
    step = next(one for one in bind(written(tmp_path, text), {}).spread().act if one.events)
    with pytest.raises(EnvironmentFailed, match=r"step told: a payload\.account: 'five' is not of type 'integer'") as raised:
        sequence.made(step, {"inputs": {}, "other": {"name": "five"}}, 42)
    (problem,) = raised.value.problems
    assert problem.mark
    assert problem.mark.line == 9


def test_a_step_whose_event_no_stream_takes_is_named_with_its_line_and_what_makes_streams(tmp_path: Path, stack: Stack) -> None:
    class Bus:
        def publish(self, target: str, posts: Any, *, again: bool = False) -> None:
            raise EnvironmentFailed(target, f"no stream takes {posts[0].subject}", STREAMLESS)

    (step,) = bind(written(tmp_path, TOLD), {}).spread().act
    world: Any = SimpleNamespace(engine=lambda _: Bus(), target=lambda name: name)
    with pytest.raises(EnvironmentFailed) as raised:
        sequence.tell(world, step, [Post("1", "accounts.created", {}, b"")])
    (problem,) = raised.value.problems
    assert problem.subject.startswith("step told: ")
    assert (problem.mark, problem.cause) == (step.mark, "no stream takes accounts.created")
    assert "x-seeder: {migrate: ...}" in problem.remedy


E = "act:\n  told:\n    events:\n      "
# name -> (scenario, line, part of the cause, part of the remedy)
BAD: dict[str, tuple[str, int, str, str]] = {
    "unknown type": (E + "a: {type: AccountCreate, with: {}}\n", 9, "there is no type of events AccountCreate", "AccountCreated"),
    "both": (E + "a: {type: AccountCreated, subject: a.b}\n", 9, "needs exactly one of type, subject", ""),
    "neither": (E + "a: {with: {}}\n", 9, "needs exactly one of type, subject", ""),
    "no subject": (E + 'a: {subject: "a.*"}\n', 9, "nothing can be published to 'a.*'", ""),
    "a name of its own": (E + "each: {subject: a.b}\n", 9, "'each' is not a name for an event", "letters"),
    "a step's name": (E + "told: {subject: a.b}\n", 9, "a step has this name", "rename"),
    "unknown field": (
        E + "a: {type: AccountCreated, with: {account: 1, email: a, mail: b}}\n",
        9,
        "AccountCreated of accounts-team takes no mail",
        "email",
    ),
    "missing field": (E + "a: {type: AccountCreated, with: {account: 1}}\n", 9, "AccountCreated of accounts-team needs email", "add email"),
    "without payload": (E + "a: {type: AccountActivated}\n", 9, "AccountActivated of accounts-team needs account", "add account"),
    "a wrong value": (E + "a: {type: AccountActivated, with: {account: five}}\n", 9, "'five' is not of type 'integer'", "accounts.yaml"),
    "a reference of another type": (
        E
        + 'a: {type: AccountCreated, with: {account: 1, email: a}}\n      b: {type: AccountActivated, with: {account: "${a.payload.email}"}}\n',
        10,
        "it gives a text, and a whole number is needed",
        "",
    ),
    "a payload that is not there": (
        E + 'a: {type: AccountCreated, with: {account: 1, email: a}}\n      b: {subject: a.b, with: "${a.payload.mail}"}\n',
        10,
        "a gives no mail",
        "email",
    ),
    "what comes later": (
        E + 'a: {subject: a.b, with: "${b.id}"}\n      b: {subject: a.b}\n',
        9,
        "${b.id} is known only once b is published",
        "before it",
    ),
    "itself": (E + 'a: {subject: a.b, with: "${a.id}"}\n', 9, "that comes later", "before it"),
    "a variant of nothing": ("variants: {missing: [{http: inbox, path: /}]}\n", 6, "no step of `act` publishes events", "events: {...}"),
    "a variant of another event": (
        E + "a: {subject: a.b}\nvariants:\n  late: {b: [{http: inbox, path: /}]}\n",
        11,
        "no event is called b",
        "known: a",
    ),
    "an unknown mutation": (E + "a: {subject: a.b}\nvariants:\n  lost: [{http: inbox, path: /}]\n", 11, "no such key", "known"),
    "a query without a value": (
        E + "a: {subject: a.b}\nvariants:\n  late:\n    a: [{store: db, query: 'select :x', equals: 1}]\n",
        12,
        "the parameter :x has no value",
        "add it",
    ),
    "nowhere in a variant": (
        E + 'a: {subject: a.b}\nvariants:\n  late: [{http: inbox, path: "/${told.a.name}"}]\n',
        11,
        "told gives no name",
        "id",
    ),
    "nowhere in an expectation": ('act:\n  x: {expect: [{key: "${y.z}", exists: true}]}\n', 7, "there is no step y", ""),
    "nothing expected": ("act:\n  x: {expect: []}\n", 7, "at least 1 item", ""),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_with_events_is_told_with_its_line(tmp_path: Path, stack: Stack, name: str) -> None:
    text, line, cause, remedy = BAD[name]
    scenario = written(tmp_path, text)
    found = [*scenario.problems, *edges.problems(scenario, stack, {})]
    assert any(
        one.mark and one.mark.line == line and one.mark.file.name == "s.yaml" and cause in one.cause and remedy in one.remedy
        for one in found
    ), found


# name -> (what stands in place of what, line, part of the cause)
BAD_TYPES: dict[str, tuple[str, str, int, str]] = {
    "no subject": ("subject: accounts.verified", "subject: accounts.>", 15, "nothing can be published to 'accounts.>'"),
    "unknown key": ("headers: {Source: accounts}", "header: {Source: accounts}", 8, "no such key"),
    "a name": ("EmailVerified:", "email-verified:", 14, "is not a name for a type of events"),
    "none": (TYPES.partition("types:\n")[2], "  {}\n", 5, "at least 1 item"),
}


@pytest.mark.parametrize("name", BAD_TYPES)
def test_what_is_wrong_with_types_is_told_by_scenarios_that_publish(tmp_path: Path, name: str) -> None:
    old, new, line, cause = BAD_TYPES[name]
    assert old in TYPES
    types = TYPES.replace(old, new)
    found = written(tmp_path, TOLD, types).problems
    assert any(one.mark and (one.mark.file.name, one.mark.line) == ("accounts.yaml", line) and cause in one.cause for one in found), found
    assert not written(tmp_path, "act: {a: {use: b.c}}\n", types).problems  # who publishes nothing does not need them


def test_two_files_do_not_tell_one_type(tmp_path: Path) -> None:
    (tmp_path / "events").mkdir()
    (tmp_path / "events/more.yaml").write_text(TYPES)
    found: list[Any] = list(written(tmp_path, TOLD).problems)
    assert {one.subject for one in found} == {"AccountCreated", "EmailVerified", "AccountActivated"}
    assert all("accounts.yaml:" in one.cause and one.mark.file.name == "more.yaml" for one in found)


def test_an_expected_subject_that_is_nearly_one_is_told(tmp_path: Path) -> None:
    """Others may publish without a file that tells it: what is like none of them is theirs."""
    text = TOLD + (
        "  then: {expect: [{event: accounts.noticd}], after: [told]}\n"
        "expect:\n  - {event: accounts.created}\n  - {event: acounts.created}\n  - {event: 'accounts.*'}\n  - {event: accounts.verifying}\n"
    )
    told = [(one.mark and one.mark.line, one.cause, one.remedy) for one in unheard(written(tmp_path, text))]
    assert told == [
        (15, "no type of events has the subject acounts.created", "did you mean 'accounts.created'?"),
        (12, "no type of events has the subject accounts.noticd", "did you mean 'accounts.noticed'?"),
    ]
