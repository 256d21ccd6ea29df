"""Frozen records are what dataclasses(frozen=True) are: set once, equal and hashed by their compared fields."""

from __future__ import annotations

import copy
import dataclasses
from dataclasses import FrozenInstanceError, dataclass, field
from typing import Any, ClassVar

import pytest

from seeder.frozen import frozen


@frozen
class Base:
    kind: ClassVar[str] = "base"
    name: str
    notes: dict[str, str] = field(default_factory=dict, compare=False)


@frozen
class Further(Base):
    number: int = 1
    seen: dict[str, int] = field(default_factory=dict, hash=False, repr=False)


@dataclass(frozen=True)
class Reference:
    name: str
    number: int = 1


@frozen
class Same:
    name: str
    number: int = 1


def test_it_is_what_the_standard_library_makes() -> None:
    for make in (Reference, Same):
        made: Any = make("a", 2)
        assert (made, {made}) == (make("a", 2), {make("a", 2)})
        assert made != make("a", 3)
        assert made != ("a", 2)
        assert repr(made) == f"{make.__name__}(name='a', number=2)"
        assert dataclasses.replace(made, number=5) == make("a", 5)
        assert dataclasses.asdict(made) == {"name": "a", "number": 2}
        assert copy.deepcopy(made) == made
    assert hash(Same("a", 2)) == hash(Reference("a", 2))


@pytest.mark.parametrize("made", [Reference("a"), Same("a")])
@pytest.mark.parametrize("name", ["name", "other"])
def test_nothing_is_set_or_deleted_afterwards(made: Any, name: str) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(made, name, "b")
    with pytest.raises(FrozenInstanceError):
        delattr(made, name)


def test_what_is_not_compared_changes_nothing() -> None:
    one, other = Further("a", {"x": "1"}, seen={"s": 1}), Further("a", seen={"s": 1})
    assert one == other
    assert hash(one) == hash(other) == hash(Further("a", seen={"s": 2}))
    assert one != Further("a", seen={"s": 2})
    assert one != Base("a")
    assert repr(one) == "Further(name='a', notes={'x': '1'}, number=1)"
    assert Further.kind == "base"
