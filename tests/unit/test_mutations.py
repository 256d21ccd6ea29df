"""What goes wrong with a sequence of events: what is published then, in which order, and when consumers are waited for."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from seeder.graph.mutations import MUTATIONS, Variant, mutated, variants
from seeder.passed.content import Post

POSTS = {name: Post(name, f"s.{name}", {}, json.dumps({"who": name}).encode()) for name in "abc"}

# variant -> batches; consumers come to rest between two
CASES = {
    Variant("missing", "b"): ["ac"],
    Variant("duplicated", "b"): ["abbc"],
    Variant("out_of_order", "a"): ["bac"],
    Variant("out_of_order", "b"): ["acb"],
    Variant("late", "a"): ["bc", "a"],
    Variant("late", "c"): ["ab", "c"],
    Variant("replayed"): ["abc", "abc"],
}


@pytest.mark.parametrize("variant", CASES, ids=str)
def test_what_is_published(variant: Variant) -> None:
    assert [[post.id for post in batch] for batch in mutated(POSTS, variant)] == [list(batch) for batch in CASES[variant]]
    assert all(post == POSTS[post.id] for batch in mutated(POSTS, variant) for post in batch)


def test_half_of_a_malformed_payload_is_cut_off() -> None:
    ((a, b, c),) = mutated(POSTS, Variant("malformed", "b"))
    assert (a, c) == (POSTS["a"], POSTS["c"])
    assert (b.id, b.payload) == ("b", POSTS["b"].payload[:6])
    with pytest.raises(ValueError, match="delimiter"):
        json.loads(b.payload)


def test_each_mutation_befalls_each_event_that_it_can() -> None:
    found = [str(one) for one in variants(["abc"])]
    assert len(found) == len(set(found)) == 3 + 3 + 2 + 3 + 3 + 1
    assert "out of order b" in found
    assert "out of order c" not in found
    assert found[-1] == "replayed"
    assert [str(one) for one in variants([["a"]], ["late", "out_of_order"])] == ["late a"]
    assert {one.mutation for one in variants(["ab"])} == set(MUTATIONS)


def test_each_step_is_a_sequence_of_its_own() -> None:
    found = list(variants(["ab", "cd"], ["out_of_order"]))
    assert found == [Variant("out_of_order", "a"), Variant("out_of_order", "c")]
    for names, variant in zip(("ab", "cd"), found, strict=True):
        posts = {name: replace(POSTS["a"], id=name) for name in names}
        assert [[post.id for post in batch] for batch in mutated(posts, variant)] == [list(reversed(names))]
