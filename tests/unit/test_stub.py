"""Which calls a program means that asks a stub for some."""

from __future__ import annotations

import json
import traceback
import urllib.parse
from typing import Any

import pytest

from seeder.errors import EnvironmentFailed
from seeder.handles.plainly import plainly
from seeder.handles.sql import Sql
from seeder.handles.stub import Stub, fits
from seeder.passed.content import Received

LONG = list(range(200))


@pytest.mark.parametrize("value", ["text", 5, 1.5, True, None, {"a": ["b"]}, LONG], ids=str)
def test_values_are_those_of_the_call_however_long_their_text_is(value: Any) -> None:
    text = value if isinstance(value, str) else json.dumps(value)
    call = Received("GET", f"/a?{urllib.parse.urlencode({'q': text})}", {"x-kind": text}, None, matched=True)
    assert fits(call, {"query": {"q": value}, "headers": {"X-Kind": value}})
    assert not fits(call, {"query": {"q": "another"}})


def test_what_a_stub_or_a_database_refuses_is_shown_at_the_line_that_asked() -> None:
    @plainly
    def asked() -> None:
        deeper()

    def deeper() -> None:
        raise EnvironmentFailed("outside", "422")

    with pytest.raises(EnvironmentFailed, match="outside: 422") as raised:
        asked()
    assert [frame.name for frame in traceback.extract_tb(raised.value.__traceback__)][1:] == ["asked"]
    for function in (Sql.rows, Sql.scalar, Stub.answer, Stub.forget, Stub.calls):
        assert hasattr(function, "__wrapped__")
