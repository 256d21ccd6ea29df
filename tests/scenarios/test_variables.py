"""What the wrapped command is told of services that are no stores."""

from __future__ import annotations

import pytest

from tests.scenarios.seeder import seeder

MANIFEST = """
seeder: "1"
project: mixed
defaults: {stack: mixed, as_of: 2026-01-15T12:00:00Z}
stacks: {mixed: {compose: [compose.yaml], version: "1"}}
"""
LISTENS = "import socket, sys, time; all = [socket.create_server(('', int(port))) for port in sys.argv[1:]]; time.sleep(600)"
DOCKERFILE = f"""\
FROM python:3.13-slim
EXPOSE 4369 5671 5672 15672
CMD ["python3", "-c", "{LISTENS}", "4369", "5672"]
"""
COMPOSE = f"""
x-listens: &listens
  image: python:3.13-slim
  entrypoint: [python3, -c, "{LISTENS}"]
services:
  queue:
    build: .
  database:
    <<: *listens
    command: ["3306"]
    expose: ["3306"]
    x-seeder: {{export: {{OTHER: "{{url}}", GIVEN: "{{url:mysql}}"}}}}
  web:
    <<: *listens
    command: ["9000", "8080"]
    ports: ["9000", "8080"]
    depends_on: {{once: {{condition: service_completed_successfully}}}}
  once:
    build: .
    command: [python3, -c, ""]
"""


@pytest.fixture
def mixed(tmp_path):
    for name, text in (("manifest.yaml", MANIFEST), ("compose.yaml", COMPOSE), ("Dockerfile", DOCKERFILE)):
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.docker
def test_only_what_speaks_http_has_a_url_and_a_one_shot_has_no_address(mixed):
    said = seeder("run", "--runtime", "docker", "--", "env", cwd=mixed)
    assert said.code == 0, said.err
    told = dict(line.split("=", 1) for line in said.out.splitlines() if "=" in line)
    assert told["SEEDER_QUEUE_PORT"] == told["SEEDER_QUEUE_PORT_5672"]
    assert told["SEEDER_DATABASE_HOST"]
    assert told["SEEDER_WEB_URL"] == f"http://{told['SEEDER_WEB_HOST']}:{told['SEEDER_WEB_PORT_9000']}"
    assert not {"SEEDER_QUEUE_URL", "SEEDER_DATABASE_URL"} & told.keys()
    assert not [name for name in told if name.startswith("SEEDER_ONCE")]
    assert told["OTHER"] == f"tcp://{told['SEEDER_DATABASE_HOST']}:{told['SEEDER_DATABASE_PORT']}"
    assert told["GIVEN"] == told["OTHER"].replace("tcp:", "mysql:")
