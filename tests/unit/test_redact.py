"""Secrets stay out of what is kept."""

from seeder import redact


def test_passwords_in_urls_are_hidden_and_the_rest_stays():
    assert (
        redact.text("connect postgresql+psycopg://app:s3cret@db:5432/orders ok") == "connect postgresql+psycopg://app:***@db:5432/orders ok"
    )


def test_values_named_like_secrets_are_hidden_in_mappings_and_assignment_lists():
    model = {"environment": {"POSTGRES_PASSWORD": "app", "PORT": "80"}, "list": ["API_TOKEN=abc", "A=b"]}
    assert redact.tree(model) == {"environment": {"POSTGRES_PASSWORD": "***", "PORT": "80"}, "list": ["API_TOKEN=***", "A=b"]}


def test_long_known_secrets_are_hidden_wherever_they_stand():
    known = redact.secrets_of([{"SESSION_SECRET": "correct-horse", "DB_PASSWORD": "app", "MODE": "production"}])
    assert known == {"correct-horse"}
    assert redact.text("login with correct-horse as app", known) == "login with *** as app"


def test_numbers_and_empty_values_survive():
    assert redact.tree({"password": "", "port": 5432, "nested": [1, None, True]}) == {
        "password": "",
        "port": 5432,
        "nested": [1, None, True],
    }
