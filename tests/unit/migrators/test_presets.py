"""Presets list the revisions of other tools from files alone, by each tool's own rules, and tell what the tool would refuse."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from seeder.definition.stack import Stack, Store
from seeder.errors import DefinitionError
from seeder.migrators.presets._preset import History
from seeder.migrators.presets.liquibase import Liquibase
from seeder.passed.fitness import Revision
from seeder.protocols import Joins
from seeder.registry import MIGRATORS
from tests.fakes.world import read

COMPOSE = """
services:
  db:
    image: postgres:17
    x-seeder: {{migrate: {{command: [./migrate.sh], preset: {preset}{inputs}}}}}
"""


def placed(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def opened(folder: Path, preset: str, files: Mapping[str, str] | Sequence[str], inputs: str = "[db]") -> tuple[Store, Stack]:
    placed(folder, files if isinstance(files, Mapping) else dict.fromkeys(files, "select 1;\n"))
    (folder / "compose.yaml").write_text(COMPOSE.format(preset=preset, inputs=f", inputs: {inputs}" if inputs else ""))
    stack = read(folder / "compose.yaml")
    return stack.stores["db"], stack


def listed(folder: Path, preset: str, files: Mapping[str, str] | Sequence[str], inputs: str = "[db]") -> tuple[Revision, ...]:
    return MIGRATORS.get(preset).revisions(*opened(folder, preset, files, inputs))


def ids(*given: object, **more: str) -> list[str]:
    return [revision.id for revision in listed(*given, **more)]  # type: ignore[arg-type]


def basis(folder: Path, preset: str, files: Mapping[str, str] | Sequence[str] = ()) -> Mapping[str, object]:
    found = MIGRATORS.get(preset).basis(*opened(folder, preset, files))
    assert found is not None
    return found


def refusal(*given: object, **more: str) -> str:
    with pytest.raises(DefinitionError) as caught:
        ids(*given, **more)
    return str(caught.value)


def pieces(folder: Path, preset: str, files: Mapping[str, str]) -> list[list[str]]:
    migrator = MIGRATORS.get(preset)
    assert isinstance(migrator, Joins)
    return [[revision.id for revision in piece] for piece in migrator.steps(listed(folder, preset, files))]


# -- Flyway -----------------------------------------------------------------------------------------------------------


def test_flyway_goes_by_the_parts_of_versions_and_then_by_descriptions(tmp_path):
    files = ["db/V2__b.sql", "db/V1_10__c.sql", "db/sub/V1.2__a_b.sql", "db/R__views.sql", "db/R__a_b.sql", "db/V10__z.sql"]
    found = listed(tmp_path, "flyway", files)
    assert [revision.id for revision in found] == ["1.2", "1.10", "2", "10", "R__a_b", "R__views"]
    assert found[0].summary == "a b"


def test_flyway_undoes_nothing_and_callbacks_and_settings_concern_all(tmp_path):
    placed(tmp_path, {"db/V1__a.sql": "a", "db/U1__a.sql": "u", "db/afterMigrate.sql": "c", "db/flyway.conf": "x=1"})
    before = basis(tmp_path, "flyway")
    assert before["inputs"].keys() == {"db/afterMigrate.sql", "db/flyway.conf"}  # type: ignore[attr-defined]
    placed(tmp_path, {"db/U1__a.sql": "other", "db/V2__b.sql": "b", "db/V2__b.sql.conf": "executeInTransaction=false"})
    assert basis(tmp_path, "flyway") == before
    placed(tmp_path, {"db/flyway.conf": "x=2"})
    assert basis(tmp_path, "flyway") != before


def test_the_settings_of_one_script_are_part_of_it(tmp_path):
    (first,) = listed(tmp_path, "flyway", {"db/V1__a.sql": "a"})
    (second,) = listed(tmp_path, "flyway", {"db/V1__a.sql.conf": "executeInTransaction=false"})
    assert first.content != second.content


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["db/V1__a.sql", "db/sub/V1.0__b.sql"], "V1.0__b.sql:1: V1__a.sql has version 1 as well"),
        (["db/R__a.sql", "db/sub/R__a.sql"], "R__a.sql has description a as well"),
        (["db/V1_a.sql"], "V1_a.sql:1: Flyway would pass over it: its name has another form\n    -> call it V1.2__name.sql"),
        (["db/V1__a.sql", "db/R1__b.sql"], "R1__b.sql:1: Flyway would pass over it"),
        (["db/B3__all.sql"], "a baseline stands for is decided when Flyway runs\n    -> write it out, or remove `preset: flyway`"),
        (["db/Views.sql"], "none of 1 file below db is a revision of flyway"),
    ],
)
def test_what_flyway_refuses_or_passes_over_is_told_before_it_runs(tmp_path, files, message):
    assert message in refusal(tmp_path, "flyway", files)


# -- golang-migrate ---------------------------------------------------------------------------------------------------


def test_golang_migrate_goes_by_numbers(tmp_path):
    files = ["db/10_c.up.sql", "db/10_c.down.sql", "db/2_b.up.sql", "db/0001_a_b.up.sql", "db/README.md"]
    assert ids(tmp_path, "golang-migrate", files) == ["0001", "2", "10"]
    before = basis(tmp_path, "golang-migrate")
    assert before["inputs"].keys() == {"db/README.md"}  # type: ignore[attr-defined]
    placed(tmp_path, {"db/11_d.up.sql": "", "db/11_d.down.sql": "", "db/10_c.down.sql": "other"})
    assert basis(tmp_path, "golang-migrate") == before


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["db/1_a.up.sql", "db/01_b.up.sql"], "number 1 as well"),
        (["db/a.up.sql"], "a.up.sql:1: golang-migrate would pass over it: its name begins with no number"),
        (["db/99999999999999999999_a.up.sql"], "golang-migrate would pass over it"),
        (["db/1_a.up.sql", "db/2_b.down.sql"], "2_b.down.sql:1: there is no way up to 2"),
    ],
)
def test_what_golang_migrate_refuses_or_passes_over_is_told_before_it_runs(tmp_path, files, message):
    assert message in refusal(tmp_path, "golang-migrate", files)


# -- Knex -------------------------------------------------------------------------------------------------------------


def test_knex_goes_by_names_in_the_folders_of_numbered_files(tmp_path):
    files = ["db/m/20240102_b.js", "db/m/20240101_a.ts", "db/m/init.cjs", "db/more/20240101_z.mjs", "db/knexfile.js", "db/m/lib/1.json"]
    assert ids(tmp_path, "knex", files) == ["20240101_a.ts", "20240101_z.mjs", "20240102_b.js", "init.cjs"]
    assert basis(tmp_path, "knex")["inputs"].keys() == {"db/knexfile.js", "db/m/lib/1.json"}  # type: ignore[attr-defined]


def test_knex_knows_one_of_a_name(tmp_path):
    assert "1_a.js has the same name" in refusal(tmp_path, "knex", ["db/a/1_a.js", "db/b/1_a.js"])


def test_the_version_that_a_project_writes_down_counts(tmp_path):
    placed(tmp_path, {"package.json": json.dumps({"dependencies": {"knex": "^3.1.0", "left-pad": "1"}})})
    assert basis(tmp_path, "knex", ["db/1_a.js"])["versions"] == {"knex": ["^3.1.0"]}


# -- Django -----------------------------------------------------------------------------------------------------------


def migration(body: str = "dependencies = []", operations: str = "[]", written: str = "") -> str:
    head = f"# Generated by Django 5.2 on {written}\n\n" if written else ""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return f"{head}raise SystemExit('it was run')\nclass Migration(migrations.Migration):\n{lines}\n    operations = {operations}\n"


BLOG = {
    "db/blog/migrations/__init__.py": "",
    "db/blog/migrations/0001_initial.py": migration(
        "dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL), ('people', '__first__'), ('auth', '0001_initial')]",
        "[migrations.CreateModel(name='Post')]",
        "2024-01-02 10:00",
    ),
    "db/people/migrations/0001_initial.py": migration(operations="[migrations.CreateModel(name='Person')]", written="2024-01-01 10:00"),
    "db/people/migrations/0002_mail.py": migration(
        "dependencies = [('people', '0001_initial')]", "[migrations.AddField()]", "2024-01-03 10:00"
    ),
}


def test_django_goes_by_dependencies_across_apps_and_what_is_new_comes_last(tmp_path):
    assert ids(tmp_path, "django", BLOG) == ["people.0001_initial", "blog.0001_initial", "people.0002_mail"]
    new = {"db/blog/migrations/0002_x.py": migration("dependencies = [('blog', '0001_initial')]", written="2024-02-01 10:00")}
    assert ids(tmp_path, "django", new)[-1] == "blog.0002_x"


def test_django_numbers_new_models_when_it_is_done_so_that_the_history_up_to_the_last_of_them_is_one_step(tmp_path):
    assert pieces(tmp_path, "django", BLOG) == [["people.0001_initial", "blog.0001_initial"], ["people.0002_mail"]]


def test_django_takes_a_squashed_migration_for_those_that_it_replaces(tmp_path):
    squashed = {
        "db/people/migrations/0001_squashed.py": migration("replaces = [('people', '0001_initial'), ('people', '0002_mail')]"),
        "db/people/apps.py": "class PeopleConfig(AppConfig):\n    name = 'db.people'\n",
    }
    assert ids(tmp_path, "django", BLOG | squashed) == ["people.0001_squashed", "blog.0001_initial"]
    assert set(basis(tmp_path, "django")["inputs"]) == {"db/blog/migrations/__init__.py", "db/people/apps.py"}  # type: ignore[call-overload]


def test_any_package_may_bring_migrations_to_django(tmp_path):
    files = {"requirements.txt": "Django==5.2\ndjango-allauth==65.0\n", "package.json": '{"dependencies": {"left-pad": "1"}}'}
    placed(tmp_path, files)
    assert basis(tmp_path, "django", BLOG)["versions"] == {"django": ["==5.2"], "django-allauth": ["==65.0"]}


def test_django_runs_before_and_labels_are_understood(tmp_path):
    files = {
        "db/a/migrations/0001_x.py": migration(),
        "db/z/migrations/0001_x.py": migration("run_before = [('a', '0001_x')]"),
        "db/z/apps.py": "class Z(AppConfig):\n    label = 'last'\n",
    }
    assert ids(tmp_path, "django", files) == ["last.0001_x", "a.0001_x"]


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        (
            "people/migrations/0002_other.py",
            migration("dependencies = [('people', '0001_initial')]"),
            "app people has 2 last revisions: people.0002_mail and people.0002_other\n    -> join them: python manage.py makemigrations",
        ),
        ("people/migrations/0003_x.py", migration("dependencies = [('people', '0002_mial')]"), "0002_mial, which is not there"),
        ("people/migrations/0003_x.py", migration("dependencies = before()"), "dependencies cannot be read without running the file"),
        ("people/migrations/0003_x.py", "import os\n", "the file has no class Migration"),
        ("people/migrations/0003_x.py", "class\n", "this is not Python"),
        (
            "people/migrations/0001_initial.py",
            migration("dependencies = [('people', '0002_mail')]"),
            "revisions depend on each other in a circle",
        ),
        ("old/people/migrations/0001_initial.py", migration(), "is of an app of this name too"),
    ],
)
def test_what_django_refuses_is_told_with_file_and_line(tmp_path, file, text, message):
    said = refusal(tmp_path, "django", {**BLOG, f"db/{file}": text})
    assert message in said
    assert ".py:" in said


# -- Liquibase --------------------------------------------------------------------------------------------------------

XML = '<databaseChangeLog xmlns="http://www.liquibase.org/xml/ns/dbchangelog">{}</databaseChangeLog>'
CHANGELOG = {
    "db/master.xml": XML.format(
        '<property name="x" value="1"/><changeSet id="1" author="ann"><comment>Tables</comment><sql>create table a ()</sql></changeSet>'
        '<include file="two.yaml" relativeToChangelogFile="true"/><includeAll path="db/all"/>'
    ),
    "db/two.yaml": "databaseChangeLog:\n- changeSet: {id: 1, author: bob, changes: [{sqlFile: {path: db/sql/big.txt}}]}\n",
    "db/sql/big.txt": "create table big ();",
    "db/all/b.sql": "create table plain ();\n",
    "db/all/a.sql": "--liquibase formatted sql\n--changeset carl:1\nselect 1;\n--changeset carl:two context:test\nselect 2;\n",
    "db/all/c.json": json.dumps({"databaseChangeLog": [{"changeSet": {"id": "1", "author": "dora", "changes": []}}]}),
    "db/liquibase.properties": "a: b\n",
}
IN_ORDER = [
    "master.xml::1::ann",
    "two.yaml::1::bob",
    "all/a.sql::1::carl",
    "all/a.sql::two::carl",
    "all/b.sql::raw::includeAll",
    "all/c.json::1::dora",
]


def contents(revisions: Sequence[Revision]) -> dict[str, str]:
    return {revision.id: revision.content for revision in revisions}


def test_liquibase_goes_by_changesets_of_all_forms_with_what_is_included(tmp_path):
    found = listed(tmp_path, "liquibase", CHANGELOG)
    assert [revision.id for revision in found] == IN_ORDER
    assert found[0].summary == "Tables"
    assert set(basis(tmp_path, "liquibase")["inputs"]) == {"db/liquibase.properties"}  # type: ignore[call-overload]


def test_a_changeset_has_the_content_of_its_own_and_of_the_files_that_it_names(tmp_path):
    before = contents(listed(tmp_path, "liquibase", CHANGELOG))
    after = contents(listed(tmp_path, "liquibase", {"db/sql/big.txt": "other", "db/all/a.sql": CHANGELOG["db/all/a.sql"] + "select 3;\n"}))
    assert {id_ for id_ in before if before[id_] != after[id_]} == {"two.yaml::1::bob", "all/a.sql::two::carl"}


def test_what_stands_beside_changesets_concerns_them_all_and_a_new_include_does_not(tmp_path):
    placed(tmp_path, CHANGELOG)
    before = basis(tmp_path, "liquibase")
    placed(tmp_path, {"db/all/d.sql": "--liquibase formatted sql\n--changeset eve:1\nselect 1;\n"})
    assert basis(tmp_path, "liquibase") == before
    placed(tmp_path, {"db/master.xml": CHANGELOG["db/master.xml"].replace('value="1"', 'value="2"')})
    assert basis(tmp_path, "liquibase") != before


def test_changesets_of_one_name_are_told_apart_by_how_their_paths_end(tmp_path):
    inner = XML.format('<changeSet id="1" author="a"/>')
    files = {"db/m.xml": XML.format('<include file="v1/c.xml"/><include file="v2/c.xml"/>'), "db/v1/c.xml": inner, "db/v2/c.xml": inner}
    migrator = MIGRATORS.get("liquibase")
    assert isinstance(migrator, Liquibase)
    found = listed(tmp_path, "liquibase", files)
    rows = [("1", "a", "classpath:db/v1/c.xml"), ("1", "a", "db/v2/c.xml")]
    history = History(found, frozenset())
    assert migrator.difference(rows, found, history) is None
    assert migrator.difference(rows[:1], found, history) == "v2/c.xml::1::a is not applied"


def test_what_a_changelog_says_of_itself_concerns_its_changesets_and_its_conditions_all(tmp_path):
    placed(tmp_path, CHANGELOG)
    before, shared = contents(listed(tmp_path, "liquibase", {})), basis(tmp_path, "liquibase")
    text = CHANGELOG["db/two.yaml"] + "- objectQuotingStrategy: QUOTE_ALL_OBJECTS\n"
    after = contents(listed(tmp_path, "liquibase", {"db/two.yaml": text}))
    assert {id_ for id_ in before if before[id_] != after[id_]} == {"two.yaml::1::bob"}
    assert basis(tmp_path, "liquibase") == shared
    placed(tmp_path, {"db/two.yaml": text + "- preConditions: [{runningAs: {username: app}}]\n"})
    assert basis(tmp_path, "liquibase") != shared


def test_properties_of_formatted_sql_concern_all_changesets_and_comments_before_them_none(tmp_path):
    def said(head: str) -> object:
        placed(tmp_path, {"db/m.sql": f"--liquibase formatted sql\n\n{head}\n--changeset a:1\ncreate table t (v ${{kind}});\n"})
        return basis(tmp_path, "liquibase")["shared"]

    number, text = said("-- property name:kind value:int"), said("-- property name:kind value:text")
    assert number != text
    assert said("-- Copyright the project") == said("") == {}


def test_formatted_sql_without_a_changeset_is_an_empty_changelog(tmp_path):
    files = {"db/m.xml": XML.format('<includeAll path="db/all"/>'), "db/all/a.sql": "--liquibase formatted sql\n-- later\n"}
    assert "none of 2 files below db is a revision of liquibase" in refusal(tmp_path, "liquibase", files)
    assert ids(tmp_path, "liquibase", {"db/all/b.sql": "select 1;\n"}) == ["all/b.sql::raw::includeAll"]


def test_bytes_that_are_no_text_are_taken_as_they_are(tmp_path):
    placed(tmp_path, {"db/m.sql": ""})
    (tmp_path / "db/m.sql").write_bytes(b"--liquibase formatted sql\n--changeset a:1\ninsert into t values ('\xe4');\n")
    assert ids(tmp_path, "liquibase", {}) == ["m.sql::1::a"]


def test_changesets_that_are_always_run_end_the_steps_and_run_order_is_followed(tmp_path):
    log = ["changeset a:1", "changeset a:2 runAlways:true", "changeset a:3", "changeset a:4 runOrder:first", "changeset a:5 ignore:true"]
    text = "--liquibase formatted sql\n" + "".join(f"--{line}\nselect 1;\n" for line in log)
    assert pieces(tmp_path, "liquibase", {"db/m.sql": text}) == [["m.sql::4::a"], ["m.sql::1::a"], ["m.sql::2::a", "m.sql::3::a"]]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"master.xml": XML.format('<include file="no.xml"/>')}, "include: there is no file no.xml below"),
        ({"master.xml": XML.format('<include file="${where}.xml"/>')}, "decided when Liquibase runs\n    -> write it out, or remove"),
        ({"master.xml": XML.format('<includeAll path="all" filter="com.Filter"/>')}, "a class decides what it includes"),
        ({"m.xml": XML.format('<includeAll path="db" maxDepth="all"/>')}, "minDepth and maxDepth are whole numbers"),
        ({"m.xml": XML.format('<changeSet id="1" author="a" runOrder="now"/>')}, "runOrder is first or last, not now"),
        ({"master.xml": XML.format('<changeSet id="1"/>')}, "it needs an id and an author"),
        ({"master.xml": XML.format('<changeSet id="1" author="a"/><changeSet id="1" author="a"/>')}, "the changelog has two of them"),
        ({"master.xml": XML.format('<changeSet id="1" author="a"><sqlFile path="no.sql"/></changeSet>')}, "there is no file no.sql"),
        ({"master.xml": '<!DOCTYPE a [<!ENTITY b "c">]>' + XML.format("&b;")}, "it declares a document type"),
        ({"master.xml": "<databaseChangeLog>"}, "master.xml:1: this is not XML"),
        ({"a.yaml": "databaseChangeLog: []\n", "b.yaml": "databaseChangeLog: []\n"}, "no other one includes db/a.yaml, db/b.yaml"),
        ({"notes.yaml": "a: b\n"}, "no file of `inputs` is a changelog"),
        ({"a.xml": XML.format('<include file="b.xml"/>'), "b.xml": XML.format('<include file="a.xml"/>')}, "it includes itself"),
    ],
)
def test_a_changelog_that_cannot_be_told_from_files_is_refused(tmp_path, files, message):
    said = refusal(tmp_path, "liquibase", {f"db/{name}": text for name, text in files.items()})
    assert message in said
    assert "db/" in said


# -- all --------------------------------------------------------------------------------------------------------------


def test_the_folder_that_a_tool_looks_into_by_itself_needs_no_inputs(tmp_path):
    assert ids(tmp_path, "knex", ["migrations/1_a.js"], inputs="") == ["1_a.js"]
    said = refusal(tmp_path, "flyway", [], inputs="")
    assert "preset flyway needs `inputs`: none of sql, db/migration, src/main/resources/db/migration is there" in said
    assert "preset liquibase needs `inputs`: liquibase has no folder of its own" in refusal(tmp_path, "liquibase", [], inputs="")


def test_another_program_makes_other_states(tmp_path):
    placed(tmp_path, {"migrate.sh": "one", "db/1_a.up.sql": ""})
    before = basis(tmp_path, "golang-migrate")
    placed(tmp_path, {"migrate.sh": "two"})
    assert basis(tmp_path, "golang-migrate") != before


def test_a_built_service_is_another_one_with_another_dockerfile_and_the_same_with_one_more_revision(tmp_path):
    placed(tmp_path, {"tool/Dockerfile": "FROM migrate/migrate:4", "tool/db/1_a.up.sql": ""})
    compose = (
        "services:\n  db:\n    image: postgres:17\n    x-seeder: {migrate: {service: tool, preset: golang-migrate, inputs: [tool/db]}}\n"
    )
    (tmp_path / "compose.yaml").write_text(compose + "  tool: {build: ./tool}\n")

    def found() -> object:
        stack = read(tmp_path / "compose.yaml")
        return MIGRATORS.get("golang-migrate").basis(stack.stores["db"], stack)

    before = found()
    placed(tmp_path, {"tool/db/2_b.up.sql": ""})
    assert found() == before
    placed(tmp_path, {"tool/Dockerfile": "FROM migrate/migrate:5"})
    assert found() != before
