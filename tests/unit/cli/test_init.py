"""`seeder init`: what is found in foreign compose files, and that what it writes is sound."""

from __future__ import annotations

import pytest
import yaml

from seeder.cli import main

DB = """
  db:
    image: postgres:16
    environment: {POSTGRES_USER: app, POSTGRES_PASSWORD: app, POSTGRES_DB: app}
"""
API = """
  api:
    build: ./api
    command: %s
    environment: {DATABASE_URL: "postgresql://app:app@db:5432/app"}
    ports: ["8000:8000"]
"""
ALEMBIC = {
    "api/alembic.ini": "[alembic]\nscript_location = migrations\n",
    "api/migrations/versions/0001_first.py": 'revision = "1"\ndown_revision = None\n',
}


NEXT = "next: read them, then `seeder plan` and `seeder run -- COMMAND`\n"


@pytest.fixture
def init(tmp_path, monkeypatch, capfd):
    """Writes files, runs `seeder init` beside them, and answers code, what was said, and what compose.seeder.yaml holds."""

    def run(files: dict[str, str], *words: str):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        monkeypatch.chdir(tmp_path)
        with pytest.raises(SystemExit) as ended:
            main(["init", *words])
        written = tmp_path / "compose.seeder.yaml"
        services = yaml.safe_load(written.read_text())["services"] if written.exists() else {}
        return ended.value.code, capfd.readouterr().err, {name: service["x-seeder"] for name, service in services.items()}

    return run


def test_an_alembic_project_with_a_migrating_one_shot(init):
    migrate = '  migrate: {build: ./api, command: alembic upgrade head, environment: {URL: "postgresql://app:app@db:5432/app"}}\n'
    code, said, found = init({"compose.yaml": "services:" + DB + API % "uvicorn app:app --port 8000" + migrate, **ALEMBIC})
    assert code == 0, said
    assert found["db"] == {"migrate": {"alembic": "api/alembic.ini", "as": "api"}}
    assert found["migrate"] == {"only": "compose"}
    assert found["api"]["local"]["cwd"] == "api"


def test_a_one_shot_whose_tool_is_not_known_migrates_as_a_service(init):
    migrate = '  schema: {image: flyway/flyway, command: migrate, environment: {URL: "postgresql://app:app@db:5432/app"}}\n'
    waits = "    depends_on: {schema: {condition: service_completed_successfully}}\n"
    code, said, found = init({"compose.yaml": "services:" + DB + API % "node server.js" + waits + migrate})
    assert code == 0, said
    assert found == {"db": {"migrate": {"service": "schema"}}}


def test_a_folder_of_sql_files(init):
    code, said, found = init({"compose.yaml": "services:" + DB + API % "flask run", "api/migrations/001.sql": "create table a (id int);\n"})
    assert code == 0, said
    assert found["db"] == {"migrate": {"sql": "api/migrations"}}


def test_files_whose_names_do_not_sort_as_they_apply_are_no_sql_folder(init):
    files = {"api/migrations/V10__b.sql": "select 1;\n", "api/migrations/V2__a.sql": "select 1;\n"}
    _, _, found = init({"compose.yaml": "services:" + DB + API % "flask run", **files})
    assert "db" not in found


def test_several_databases_of_one_server_are_several_stores(init):
    other = '  billing: {image: alpine, environment: {URL: "postgres://app:app@db/billing"}}\n'
    code, said, found = init({"compose.yaml": "services:" + DB + API % "uvicorn app:app" + other, **ALEMBIC})
    assert code == 0, said
    assert found["db"] == {"databases": {"app": {"migrate": {"alembic": "api/alembic.ini", "as": "api"}}, "billing": {}}}


COMMANDS = [
    (
        "uvicorn app:app --host 0.0.0.0 --port=8000 --reload",
        ["{python}", "-m", "uvicorn", "app:app", "--host", "{host}", "--port", "{port}"],
    ),
    ('["python", "-m", "uvicorn", "app:app"]', ["{python}", "-m", "uvicorn", "app:app", "--host", "{host}", "--port", "{port}"]),
    ("gunicorn app:app -b 0.0.0.0:8000 -w 2", ["{python}", "-m", "gunicorn", "app:app", "-w", "2", "--bind", "{host}:{port}"]),
    ("flask --app main run -p 8000", ["{python}", "-m", "flask", "--app", "main", "run", "--host", "{host}", "--port", "{port}"]),
    ("sh -c 'uvicorn app:app'", ["{python}", "-m", "uvicorn", "app:app", "--host", "{host}", "--port", "{port}"]),
    ("sh -c 'alembic upgrade head && uvicorn app:app'", None),
    ("./server --listen :8000", None),
    ("node server.js", None),  # nothing says how it learns of its port
]


@pytest.mark.parametrize(("written", "expected"), COMMANDS, ids=[written for written, _ in COMMANDS])
def test_commands_are_made_local_only_where_their_address_is_known(init, written, expected):
    code, said, found = init({"compose.yaml": "services:" + DB + API % written})
    assert code == 0, said
    assert found.get("api", {}).get("local", {}).get("command") == expected


def test_what_runs_from_a_mounted_folder_is_made_local_there(init):
    api = """
  api:
    image: python:3.13-slim
    working_dir: /app/src
    command: ["python", "server.py"]
    volumes: ["./api:/app:ro"]
    environment: {PORT: "8080"}
    ports: ["8080:8080"]
"""
    code, said, found = init({"compose.yaml": "services:" + api, "api/src/server.py": ""})
    assert code == 0, said
    assert found["api"]["local"] == {"command": ["{python}", "server.py"], "cwd": "api/src", "environment": {"PORT": "{port}"}}


def test_a_command_that_may_not_heed_its_address_is_suggested_in_a_comment(init, tmp_path):
    code, said, found = init({"compose.yaml": "services:" + DB + API % '["./server", "--listen", "0.0.0.0", "--port", "8000"]'})
    assert (code, found) == (0, {}), said
    text = (tmp_path / "compose.seeder.yaml").read_text()
    assert '  #   local: {command: ["./server", "--listen", "{host}", "--port", "{port}"], cwd: "api"}' in text


def test_where_no_word_of_a_command_says_the_port_the_usual_variable_is_suggested(init, tmp_path):
    code, said, found = init({"compose.yaml": "services:" + DB + API % "node server.js"})
    assert (code, found) == (0, {}), said
    text = (tmp_path / "compose.seeder.yaml").read_text()
    assert '  #   local: {command: ["node", "server.js"], cwd: "api", environment: {"PORT": "{port}"}}' in text


def test_the_policy_that_is_written_says_what_becomes_of_fixtures(init, tmp_path):
    assert init({"compose.yaml": "services:" + DB})[0] == 0
    text = (tmp_path / "manifest.yaml").read_text()
    assert "fixture" not in yaml.safe_load(text)["policies"]["local"]["sources"]
    assert "# What data an environment may hold. Fixtures, taken from an incident, are left out here" in text


def test_an_export_is_proposed_by_the_names_that_services_find_their_stores_by(init, tmp_path):
    other = """
  job:
    image: alpine
    environment: {DATABASE_URL: "postgresql://app:app@db:5432/app", DSN: "postgresql+asyncpg://app:app@db/app?x=1", Q: "redis://q:6379/0"}
  front: {image: nginx, ports: ["80"]}
  q: {image: "redis:8"}
  maria: {image: "mariadb:11"}
"""
    code, said, _ = init({"compose.yaml": "services:" + DB + API % "./server" + other})
    assert code == 0, said
    text = (tmp_path / "compose.seeder.yaml").read_text()
    assert [line.partition("export: ")[2] for line in text.splitlines() if "export: " in line] == [
        '{DATABASE_URL: "{db.url}"}',
        '{DSN: "{db.url:asyncpg}", Q: "{q.url}"}',
        '{FRONT_URL: "{url}"}',
    ]
    assert "# maria: no engine knows mariadb yet" in text


def test_the_manifest_that_is_written_says_which_data_a_run_gets(init, tmp_path):
    assert init({"compose.yaml": "services:" + DB})[0] == 0
    said = " ".join((tmp_path / "manifest.yaml").read_text().replace("#", "").split())
    assert "gets the datasets that the scenario names under `data`, and no others" in said


def test_a_dockerfile_s_command_counts_when_the_compose_file_names_none(init):
    compose = "services:\n  api: {build: ./api, ports: ['8000']}\n"
    _, _, found = init({"compose.yaml": compose, "api/Dockerfile": 'FROM python\nCMD ["uvicorn", "app:app"]\n'})
    assert found["api"]["local"]["command"][:4] == ["{python}", "-m", "uvicorn", "app:app"]


def test_it_is_repeatable_and_replaces_nothing_that_was_changed(init, tmp_path):
    files = {"docker-compose.yml": "services:" + DB}
    assert init(files)[0] == 0
    first = (tmp_path / "manifest.yaml").read_text(), (tmp_path / "compose.seeder.yaml").read_text()
    assert init({})[:2] == (0, "unchanged: compose.seeder.yaml\nunchanged: manifest.yaml\n" + NEXT)
    assert init({}, "--force")[:2] == (0, "unchanged: compose.seeder.yaml\nunchanged: manifest.yaml\n" + NEXT)
    code, said, _ = init({"manifest.yaml": "mine\n"})
    assert (code, (tmp_path / "manifest.yaml").read_text()) == (2, "mine\n")
    assert "--force" in said
    assert init({}, "--force")[:2] == (0, "unchanged: compose.seeder.yaml\nwrote manifest.yaml\n" + NEXT)
    assert ((tmp_path / "manifest.yaml").read_text(), (tmp_path / "compose.seeder.yaml").read_text()) == first
    assert (tmp_path / "docker-compose.yml").read_text() == files["docker-compose.yml"]


def test_a_compose_file_that_is_wrong_is_told_as_such(init):
    code, said, _ = init({"compose.yaml": "services:\n  db: {imagee: postgres}\n"})
    assert code == 2
    assert "compose.yaml:2" in said


def test_a_variable_that_a_run_will_need_is_a_hint_and_stops_nothing(init, monkeypatch):
    monkeypatch.delenv("MY_SECRET", raising=False)
    db = DB.replace("POSTGRES_PASSWORD: app", 'POSTGRES_PASSWORD: "${MY_SECRET:?must be set}"')
    code, said, found = init({"compose.yaml": "services:" + db + API % "uvicorn app:app", **ALEMBIC})
    assert code == 0, said
    assert found["db"] == {"migrate": {"alembic": "api/alembic.ini", "as": "api"}}
    assert "hint: compose.yaml:4: services.db.environment.POSTGRES_PASSWORD: the variable MY_SECRET is needed and missing" in said
    assert "error" not in said


def test_a_file_of_variables_that_a_fresh_clone_lacks_is_a_hint_and_stops_nothing(init):
    code, said, found = init({"compose.yaml": "services:" + DB + API % "uvicorn app:app" + "    env_file: [.env.local]\n", **ALEMBIC})
    assert code == 0, said
    assert found["db"] == {"migrate": {"alembic": "api/alembic.ini", "as": "api"}}
    assert "services.api.env_file: there is no file .env.local\n    -> create .env.local, or say" in said
    assert "hint: compose.yaml:" in said
    assert "error" not in said


def _app(command: str, *more: str) -> str:
    lines = ["  app:", "    build: ./api", f"    command: {command}", "    environment: {URL: postgresql://app:app@db:5432/app}", *more]
    return "services:" + DB + "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("command", "more"),
    [
        ('sh -c "alembic upgrade head && gunicorn app:app"', []),
        ('sh -c "alembic upgrade head; python -m http.server 80"', []),
        ('sh -c "python manage.py migrate && python manage.py runserver 0.0.0.0:8000"', []),
        ("python -m acme.db_migration_worker", []),
        ("./migrate-and-go", ['    expose: ["80"]']),
        ("./migrate-and-go", ["    healthcheck: {test: curl -f localhost}"]),
        ("./migrate-and-go", ["    restart: unless-stopped"]),
        ("./migrate-and-go", ["  page: {image: nginx, depends_on: {app: {condition: service_healthy}}}"]),
    ],
)
def test_a_service_that_migrates_and_then_serves_is_no_one_shot(init, command, more):
    _, _, found = init({"compose.yaml": _app(command, *more), **ALEMBIC})
    assert found["db"] == {"migrate": {"alembic": "api/alembic.ini", "as": "app"}}


@pytest.mark.parametrize("command", ['sh -c "./wait-for db && alembic upgrade head && echo done"', "python manage.py migrate"])
def test_a_service_that_ends_with_migrating_is_a_one_shot(init, command):
    _, _, found = init({"compose.yaml": _app(command)})
    assert found["db"] == {"migrate": {"service": "app"}}
