"""Which calls a program means that asks a stub for some."""

from __future__ import annotations

import json
import urllib.parse
from typing import Any

import pytest

from seeder.handles.stub import fits
from seeder.passed.content import Received

LONG = list(range(200))


@pytest.mark.parametrize("value", ["text", 5, 1.5, True, None, {"a": ["b"]}, LONG], ids=str)
def test_values_are_those_of_the_call_however_long_their_text_is(value: Any) -> None:
    text = value if isinstance(value, str) else json.dumps(value)
    call = Received("GET", f"/a?{urllib.parse.urlencode({'q': text})}", {"x-kind": text}, None, matched=True)
    assert fits(call, {"query": {"q": value}, "headers": {"X-Kind": value}})
    assert not fits(call, {"query": {"q": "another"}})
