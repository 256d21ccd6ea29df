"""What a try came to: what made nothing, what nobody knows, and what is tried again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from seeder.errors import EnvironmentFailed, Mark, RefusedStatement, UsageError, WrongStatement
from seeder.order import Unfinished
from seeder.passed.capability import Capability, Write
from seeder.passed.outcome import DependencyFailed, Never, TryAgain
from seeder.steps.tried import SOON, judged

ONCE = Capability("orders.place", "1", "a-team", {}, {}, Mark(Path("a.py"), 1))
REPEATS = replace(ONCE, key="place")
POST, GET = httpx.Request("POST", "http://x/orders"), httpx.Request("GET", "http://x/orders")
OTHER = [Write("POST /customers", httpx.Request("POST", "http://x/customers"))]
SENT = [Write("POST /orders", POST)]


def answered(status: int, request: httpx.Request = POST, **headers: str) -> httpx.HTTPStatusError:
    return httpx.HTTPStatusError("", request=request, response=httpx.Response(status, request=request, text="why", headers=headers))


# name -> (what was raised, what was sent before, state, again of a capability without key and find, again of one that has one)
CASES: dict[str, tuple[Exception, Sequence[Write], str, float | None, float | None]] = {
    "try again": (TryAgain("no", after="2s"), OTHER, "failed", 2.0, 2.0),
    "never": (Never("no"), OTHER, "failed", None, None),
    "somebody else": (DependencyFailed("bank", "no"), [], "failed", None, None),
    "nobody answers": (httpx.ConnectError("no", request=POST), SENT, "failed", SOON, SOON),
    "nobody answers in time": (httpx.ConnectTimeout("no", request=POST), SENT, "failed", SOON, SOON),
    "nobody answers after another": (httpx.ConnectError("no", request=POST), [*OTHER, *SENT], "unknown", None, SOON),
    "nobody answers, of no request": (httpx.ConnectError("no"), OTHER, "unknown", None, SOON),
    "no answer": (httpx.ReadTimeout("no", request=POST), SENT, "unknown", None, SOON),
    "no answer to a question": (httpx.ReadTimeout("no", request=GET), [], "failed", SOON, SOON),
    "no answer to a question after another": (httpx.ReadTimeout("no", request=GET), OTHER, "unknown", None, SOON),
    "refused": (answered(409), [], "failed", None, None),
    "refused after another": (answered(409), OTHER, "unknown", None, None),
    "too many": (answered(429), [], "failed", SOON, SOON),
    "too many, later": (answered(429, **{"Retry-After": "3"}), [], "failed", 3.0, 3.0),
    "too many after another": (answered(429), OTHER, "unknown", None, SOON),
    "too early": (answered(425), [], "failed", SOON, SOON),
    "too slow": (answered(408), [], "failed", SOON, SOON),
    "broken": (answered(503), SENT, "unknown", None, SOON),
    "broken question": (answered(503, GET), [], "failed", SOON, SOON),
    "sent on": (answered(303), SENT, "unknown", None, None),
    "out of time": (Unfinished("no"), SENT, "unknown", None, SOON),
    "a store": (EnvironmentFailed("db", "no"), [Write("insert into a")], "unknown", None, None),
    "a store that does not understand": (WrongStatement("db", "no"), [Write("insrt into a")], "failed", None, None),
    "a store that refuses the values": (RefusedStatement("db", "no"), [Write("insert")], "failed", None, None),
    "a store that does not understand the second": (WrongStatement("db", "no"), [Write("insert"), Write("insrt")], "unknown", None, None),
    "a service that is not there": (
        UsageError("orderz", "the stack has no such service", "did you mean 'x'?"),
        [],
        "failed",
        None,
        None,
    ),
    "a defect": (ZeroDivisionError("no"), [], "unknown", None, None),
}


@pytest.mark.parametrize("name", CASES)
def test_a_try_is_judged_by_what_was_raised_and_what_was_sent(name: str) -> None:
    raised, writes, state, once, repeats = CASES[name]
    assert (judged(raised, ONCE, writes).state, judged(raised, ONCE, writes).again) == (state, once)
    assert (judged(raised, REPEATS, writes).state, judged(raised, REPEATS, writes).again) == (state, repeats)


def test_what_was_sent_before_is_told() -> None:
    assert judged(answered(409), ONCE, OTHER).reason == "POST /orders was answered with 409: why (after POST /customers)"
    assert judged(CASES["a service that is not there"][0], ONCE).reason == "orderz: the stack has no such service (did you mean 'x'?)"
    assert judged(CASES["somebody else"][0], ONCE).blame == "bank"
