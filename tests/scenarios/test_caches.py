"""Caches in the hands of scenarios and tests: filled, emptied, past their time without waiting, stale on purpose, asked past, and off."""

from __future__ import annotations

import pytest

import seeder
from seeder.errors import EnvironmentFailed
from tests.scenarios.failing import proper
from tests.scenarios.seeder import seeder as typed

GREETED = """
scenario: greeted
version: "1.0.0"
stack: inbox
steps:
  warm: {use: cache.warm, with: {service: inbox, paths: [/greetings/ann, /greetings/bob], keys: "greeting:*"}}
act:
  stale: {use: cache.stale, with: {key: "greeting:ann", value: "good day ann"}}
  before:
    expect:
      - {http: inbox, path: /greetings/ann, equals: {text: good day ann}}
      - {key: "greeting:bob", exists: true}
    after: [stale]
  expired: {use: cache.expire, with: {keys: ["greeting:a*", "greeting:b*"]}, after: [before]}
  after:
    expect:
      - {key: "greeting:ann", exists: false}
      - {key: "greeting:bob", exists: false}
    after: [expired]
  filled: {expect: [{http: inbox, path: /greetings/ann, equals: {text: hello ann}}], after: [after]}
  short: {use: cache.ttl, with: {keys: "greeting:ann", left: 50ms}, after: [filled]}
  ended: {expect: [{key: "greeting:ann", exists: false}], after: [short]}
  again: {use: cache.warm, with: {service: inbox, paths: [/greetings/cleo]}, after: [ended]}
  removed: {use: cache.invalidate, with: {keys: "${again.keys[0]}"}}
expect:
  - {key: "greeting:cleo", exists: false}
outputs: {warmed: "${warm.keys}", was: "${stale.before}", expired: "${expired.keys}", removed: "${removed.keys[0]}"}
"""


def test_a_scenario_says_what_a_cache_holds_before_and_after_its_time(project):
    folder = project("inbox")
    (folder / "testdata/scenarios/greeted.yaml").write_text(GREETED)
    proper(typed("check", cwd=folder), 0)
    with seeder.up(scenario="greeted", project=folder, cache=False) as environment:
        both = ["greeting:ann", "greeting:bob"]
        assert environment.outputs == {"warmed": both, "was": "hello ann", "expired": both, "removed": "greeting:cleo"}
        cache, ask = environment.cache("cache"), environment.http("inbox").get
        assert ask("/greetings/ann").json() == {"text": "hello ann"}
        cache.stale("greeting:ann", "old ann")
        assert ask("/greetings/ann").json() == {"text": "old ann"}
        assert environment.http("inbox", fresh=True).get("/greetings/ann").json() == {"text": "hello ann"}
        assert ask("/greetings/ann").json() == {"text": "old ann"}  # the other client goes on as it did
        assert 290 < cache.keys("greeting:*")["greeting:ann"] <= 300
        assert cache.expire("greeting:*") == ["greeting:ann"]
        assert cache.get("greeting:ann") is None
        with pytest.raises(EnvironmentFailed, match=r"no key matches greeting:\*"):
            cache.expire("greeting:*")
        environment.http("inbox").get("/greetings/dan")
        cache.ttl("greeting:dan", 0.05)
        environment.eventually(lambda: cache.get("greeting:dan"), until=None, meanwhile=["hello dan"])
        with pytest.raises(EnvironmentFailed, match="holds no keys that end by themselves"):
            environment.cache("events")


def test_a_scenario_switches_a_cache_off(project):
    folder = project("inbox")
    text = 'scenario: off\nversion: "1"\nstack: inbox\ncaches: {inbox: disabled}\n'
    path = folder / "testdata/scenarios/off.yaml"
    path.write_text(text)
    assert "CACHE: its cache is off  (asked for by the scenario)" in typed("plan", "--scenario", "off", cwd=folder).out
    with seeder.up(scenario="off", project=folder, cache=False) as environment:
        environment.http("inbox").get("/greetings/ann")
        assert environment.cache("cache").keys("greeting:*") == {}
    path.write_text(text.replace("inbox: disabled", "cache: disabled, inbx: disabled"))
    said = typed("check", cwd=folder)
    assert said.code == 2
    assert "off.yaml:4: caches.cache: nobody says how the cache of cache is switched off" in said.out + said.err
    assert "caches.inbx: stack inbox has no service inbx" in said.out + said.err


def test_what_has_no_time_to_live_does_not_end_by_it(project):
    folder = project("inbox")
    (folder / "testdata/golden/kept/cache").mkdir(parents=True)
    (folder / "testdata/golden/kept/cache/keys.jsonl").write_text('{"key": "source", "value": "hello"}\n')
    with (folder / "manifest.yaml").open("a") as manifest:
        manifest.write('datasets:\n  - {name: kept, kind: golden, version: "1", path: testdata/golden/kept}\n')
    steps = "steps: {expired: {use: cache.expire, with: {keys: source}}}"
    (folder / "testdata/scenarios/kept.yaml").write_text(f'scenario: kept\nversion: "1"\nstack: inbox\ndata: [kept]\n{steps}\n')
    done = typed("scenario", "run", "kept", "-q", cwd=folder)
    proper(done, 123)
    assert "cache.expire 1 of seeder" in done.err
    assert "source has no time to live, and would never end (invalidate it, or give it one: ttl)" in done.err


COLD = {
    "cache.stale, with: {key: nobody, value: 1}": "there is no key nobody (warm the cache first: `use: cache.warm`)",
    "cache.warm, with: {service: inbox, paths: [/greetings/ann], keys: [greeting:ann, 'price:*']}": (
        "no key matches price:* 5s after the paths were read; there is greeting:ann"
    ),
}


@pytest.mark.parametrize("use", COLD)
def test_what_a_cache_does_not_hold_is_told_with_what_it_holds(project, use):
    """And nothing was made of it."""
    folder = project("inbox")
    (folder / "testdata/scenarios/cold.yaml").write_text(f'scenario: cold\nversion: "1"\nstack: inbox\nsteps: {{a: {{use: {use}}}}}\n')
    done = typed("scenario", "run", "cold", "-q", cwd=folder)
    proper(done, 123)
    assert COLD[use] in done.err
    assert f"`seeder generator show {use.partition(',')[0]}` tells what it takes" in done.err
    assert "unknown" not in done.err
