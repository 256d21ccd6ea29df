"""Files of stub mappings: read whole, bodies put into them, mistakes with their lines."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from seeder.definition.dataset import Part
from seeder.errors import DefinitionError
from seeder.loaders.mappings import MappingsLoader
from seeder.passed.content import StubMapping

AS_OF = datetime.datetime(2026, 1, 15, 12, tzinfo=datetime.UTC)
ONE = {"request": {"url": "/a"}, "response": {"status": 200}}


def read(folder: Path, text: Any, name: str = "mappings/one.json") -> tuple[StubMapping, ...]:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if isinstance(text, str) else json.dumps(text, indent=1), encoding="utf-8")
    return MappingsLoader().read(Part("mappings", "outside", name, path, path.suffix[1:]), AS_OF).mappings


def test_a_file_holds_one_mapping_or_several(tmp_path: Path) -> None:
    assert [one.mapping["request"] for one in read(tmp_path, ONE)] == [{"url": "/a"}]
    assert [one.line for one in read(tmp_path, {"mappings": [ONE, ONE]})] == [3, 11]


def test_a_mapping_without_an_id_has_the_same_one_each_time_and_no_other_has_it(tmp_path: Path) -> None:
    first, second = read(tmp_path, {"mappings": [ONE, ONE]})
    assert first.mapping["id"] != second.mapping["id"]
    assert read(tmp_path, {"mappings": [ONE, ONE]}) == (first, second)
    assert read(tmp_path, ONE, "mappings/two.json")[0].mapping["id"] != first.mapping["id"]


def test_a_body_from_a_file_is_put_into_the_mapping(tmp_path: Path) -> None:
    (tmp_path / "__files/deep").mkdir(parents=True)
    (tmp_path / "__files/deep/a.json").write_text('{"ä": 1}', encoding="utf-8")
    (tmp_path / "__files/b.bin").write_bytes(b"\xff\x00")
    text, binary = ({"request": {}, "response": {"bodyFileName": name}} for name in ("deep/a.json", "b.bin"))
    found = read(tmp_path, {"mappings": [text, binary]}, "mappings/deep/one.json")
    assert [one.mapping["response"] for one in found] == [{"body": '{"ä": 1}'}, {"base64Body": "/wA="}]


def test_who_keeps_the_state_is_not_said_in_a_mapping(tmp_path: Path) -> None:
    [one] = read(tmp_path, {**ONE, "persistent": True, "uuid": "11111111-2222-4333-8444-555555555555"})
    assert one.mapping == {**ONE, "id": "11111111-2222-4333-8444-555555555555"}


@pytest.mark.parametrize(
    ("text", "line", "cause"),
    [
        ('{"a": \n}', 2, "this is not JSON"),
        ("[1]", 1, "a mapping is an object"),
        ('{"mappings": {}}', 1, "`mappings` is no list"),
        ('{"mappings": [\n{"request": {}, "response": {}},\n3]}', 3, "a mapping is an object"),
        ('{\n"request": {}}', 1, "the mapping has no such object"),
        ('{"request": {},\n"response": {}, "id": "one"}', 2, "'one' is no UUID"),
        ('{"request": {},\n"response": {\n"bodyFileName": "none.txt"}}', 3, "the dataset has no such file for the stub"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, line: int, cause: str) -> None:
    with pytest.raises(DefinitionError) as found:
        read(tmp_path, text)
    assert f"one.json:{line}: " in str(found.value)
    assert cause in str(found.value)
