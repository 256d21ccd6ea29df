"""What is kept of a run shows no secret, and everything else."""

import dataclasses
from pathlib import Path

import pytest

from seeder.definition.extension import ServiceExtension
from seeder.definition.service import Mount, Service
from seeder.definition.stack import Stack
from seeder.errors import Mark
from seeder.evidence import redact

HERE = Path("compose.yaml")
MENDED = {"command": ["mend"], "environment": {"ADMIN_PASSWORD": "correct-horse"}}


def stack(**given) -> Stack:
    service = dataclasses.replace(Service("web", Mark(HERE, 1)), **given)
    return Stack("shop", "1.0.0", Path(), (HERE,), {"web": service}, {})


def test_the_password_of_a_url_is_hidden():
    assert (
        redact.text("connect postgresql+psycopg://app:s3cret@db:5432/orders ok") == "connect postgresql+psycopg://app:***@db:5432/orders ok"
    )


def test_a_secret_in_the_query_of_a_url_is_hidden():
    given = "GET https://api.example/v1?page=2&access_token=s3cret&sort=token and ?X-Amz-Signature=abc#top"
    assert redact.text(given) == "GET https://api.example/v1?page=2&access_token=***&sort=token and ?X-Amz-Signature=***#top"


def test_values_under_names_of_secrets_are_hidden():
    model = {"environment": {"POSTGRES_PASSWORD": "x", "PORT": "80"}, "list": ["API_TOKEN=abc", "A=b"]}
    assert redact.tree(model) == {"environment": {"POSTGRES_PASSWORD": "***", "PORT": "80"}, "list": ["API_TOKEN=***", "A=b"]}


def test_an_authorization_is_a_secret_and_an_author_is_none():
    given = {"headers": {"Authorization": "Bearer ey", "Author": "ann"}}
    assert redact.tree(given) == {"headers": {"Authorization": "***", "Author": "ann"}}


def test_what_is_hidden_can_be_told_by_whoever_must_know_it_again():
    given = {"b": {"token": 5, "n": 1}, "a": ["--password", "x", "https://u:p@h/"], "auth": {"on": True, "names": ["y"]}}
    assert list(redact.hidden(given)) == ["x", "https://u:p@h/", "y", 5]
    assert list(redact.hidden({"n": 1, "on": True, "text": "plain"})) == []


def test_a_result_in_which_something_looks_like_a_secret_is_left_out_as_a_whole():
    results = {"order": {"id": 1}, "login": {"id": 2, "token": "t"}, "token": "t", "note": "it says correct-horse"}
    assert redact.unhidden(results, {"correct-horse"}) == {"order": {"id": 1}}


def test_everything_below_a_name_of_a_secret_is_hidden_but_empty_values():
    assert redact.tree({"auth": {"basic": {"username": "ann", "password": "hunter2"}}}) == {
        "auth": {"basic": {"username": "***", "password": "***"}}
    }
    assert redact.tree({"password": "", "port": 5432, "nested": [1, None, True]}) == {
        "password": "",
        "port": 5432,
        "nested": [1, None, True],
    }


def test_a_service_that_is_called_auth_is_no_secret():
    model = {"services": {"auth": {"image": "auth:1", "environment": {"TOKEN": "t", "TOKEN_FILE": "/run/t"}}}}
    assert redact.tree(model) == {"services": {"auth": {"image": "auth:1", "environment": {"TOKEN": "***", "TOKEN_FILE": "/run/t"}}}}


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["redis-server", "--requirepass", "hunter2", "--save", ""], ["redis-server", "--requirepass", "***", "--save", ""]),
        (["serve", "--password=hunter2", "--port=80"], ["serve", "--password=***", "--port=80"]),
        (["sh", "-c", "serve --db-password hunter2 --port 80"], ["sh", "-c", "serve --db-password *** --port 80"]),
        (["serve", "--password-file", "/run/secrets/pw"], ["serve", "--password-file", "/run/secrets/pw"]),
    ],
)
def test_passwords_among_arguments_are_hidden(words, shown):
    assert redact.tree({"command": words}) == {"command": shown}


def test_a_mounted_secret_is_hidden_and_a_configuration_but_for_its_secrets():
    mounts = [
        {"kind": "secret", "target": "/run/secrets/a", "content": "x"},
        {"kind": "config", "content": "port: 80\npassword: hunter2\n"},
    ]
    assert [mount["content"] for mount in redact.tree({"mounts": mounts})["mounts"]] == ["***", "port: 80\npassword: ***\n"]


def test_where_a_secret_comes_from_stays():
    model = {"secrets": {"db": {"file": "/srv/db.txt", "content": "hunter2"}}, "services": {"web": {"secrets": [{"source": "db"}]}}}
    assert redact.tree(model) == {
        "secrets": {"db": {"file": "/srv/db.txt", "content": "***"}},
        "services": {"web": {"secrets": [{"source": "db"}]}},
    }


@pytest.mark.parametrize(
    "given",
    [
        {"environment": {"SESSION_SECRET": "correct-horse"}},
        {"environment": {"DATABASE_URL": "postgresql://app:correct-horse@db/shop"}},
        {"environment": {"PAYMENTS": "https://pay.example/v1?api_key=correct%2Dhorse"}},
        {"command": ("serve", "--password", "correct-horse")},
        {"command": ("sh", "-c", "exec serve --token=correct-horse --port 80")},
        {"mounts": (Mount("secret", "/run/secrets/a", content="correct-horse\n"),)},
        {"mounts": (Mount("config", "/etc/a", content='token = "correct-horse"\n'),)},
        {"x": ServiceExtension.model_validate({"auth": {"api_key": {"value": "correct-horse"}}})},
        {"x": ServiceExtension.model_validate({"auth": {"bearer": {"token": "correct-horse"}}})},
        {"x": ServiceExtension.model_validate({"auth": {"basic": {"username": "ann", "password": "correct-horse"}}})},
        {"x": ServiceExtension.model_validate({"migrate": MENDED})},
        {"x": ServiceExtension.model_validate({"databases": {"main": {"migrate": MENDED}}})},
    ],
)
def test_a_secret_of_the_stack_is_hidden_wherever_it_is_said(given):
    known = redact.secrets_of(stack(**given))
    assert redact.text("login with correct-horse as app", known) == "login with *** as app"


def test_a_secret_file_is_read(tmp_path):
    path = tmp_path / "key"
    path.write_text("-----BEGIN-----\nline-of-the-key\n")
    known = redact.secrets_of(stack(mounts=(Mount("secret", "/run/secrets/key", source=str(path)),)))
    assert redact.text("the key holds line-of-the-key", known) == "the key holds ***"


def test_only_long_secrets_are_hidden_in_ordinary_text():
    known = redact.secrets_of(stack(environment={"SESSION_SECRET": "correct-horse", "DB_PASSWORD": "app", "MODE": "production"}))
    assert redact.text("login with correct-horse as app", known) == "login with *** as app"
