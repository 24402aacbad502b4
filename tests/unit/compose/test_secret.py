from __future__ import annotations

import pytest

from clup.compose.secret import named_secret, secret_in

# In parts, so that no scanner of this repository takes them for real ones.
SECRETS = {
    "x --db-password=" + "hunter2": "a password among arguments",
    "-api-token=" + "hunter2": "a password among arguments",
    "see redis://:" + "hunter2@db": "a password in an address",
}

HARMLESS = (
    "http://claw-socket-proxy:2375/_ping", "https://me@host/x", "postgres://db:5432/x",
    "--password-file=/run/secrets/x", "--token=/run/secrets/x", "sha256:" + "a1" * 32, "task-list",
    "2026-11-21T10:00:00", "ghp_short", "curl -fsS http://127.0.0.1:8080/healthz", "",
)  # fmt: skip

NAMES = ("DB_PASSWORD", "PGPASSWORD", "GITHUB_TOKEN", "CLIENT_SECRET", "OPENAI_API_KEY", "apikey",
         "AWS_SECRET_ACCESS_KEY", "SSH_PRIVATE_KEY", "DB_PASS", "PASS", "REDIS_REQUIREPASS",
         "GOOGLE_CREDENTIALS", "Passphrase", "MASTER_KEY")  # fmt: skip

NO_NAMES = ("DB_PASSWORD_FILE", "TOKEN_URL", "MAX_TOKENS", "TOKENIZER", "PWD", "PATH", "BYPASS_X",
            "KEY", "GPG_KEY", "KEYBOARD", "SECRET_NAME", "COMPASS",
            "PASSWORD_AUTHENTICATION")  # fmt: skip


@pytest.mark.parametrize(("text", "what"), SECRETS.items())
def test_what_is_made_like_a_secret(text: str, what: str) -> None:
    assert secret_in(text) == what


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_not(text: str) -> None:
    assert secret_in(text) is None


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_a_secret(name: str) -> None:
    assert named_secret(name, "hunter2")
    for value in ("", "true", "No", "none", "1", "/run/secrets/x"):
        assert not named_secret(name, value)
    assert named_secret(name, "12345")


@pytest.mark.parametrize("name", NO_NAMES)
def test_a_name_of_none(name: str) -> None:
    assert not named_secret(name, "hunter2")
