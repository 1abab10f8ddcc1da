import stat
from pathlib import Path

import pytest

from dev.environment import kept_secrets, product_settings, read_env_file

PORTS = {"smtp": 2525, "catcher": 8025, "streams": 8002}
REACHED = {"DATABASE_URL": "postgres://ours", "REDIS_URL": "redis://ours"}
SECRETS = {"SECRET_KEY": "made once"}


def settings(**given: str) -> dict[str, str]:
    return product_settings(given, REACHED, secrets=SECRETS, ports=PORTS)


def test_read_env_file_takes_what_django_environ_takes(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("# comment\nexport A=1\nB='two words'\nC=\"x=y\"\n\nD=\n")

    assert read_env_file(path) == {"A": "1", "B": "two words", "C": "x=y", "D": ""}


def test_kept_secrets_are_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "env"

    first = kept_secrets(path, ["SECRET_KEY"])

    assert kept_secrets(path, ["SECRET_KEY"]) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_kept_secrets_adds_a_new_name_and_keeps_the_others(tmp_path: Path) -> None:
    first = kept_secrets(tmp_path / "env", ["SECRET_KEY"])

    assert kept_secrets(tmp_path / "env", ["SECRET_KEY", "OTHER"])["SECRET_KEY"] == first["SECRET_KEY"]


def test_product_settings_send_mail_and_telegram_to_the_catcher() -> None:
    found = settings()

    assert (found["EMAIL_HOST"], found["EMAIL_PORT"]) == ("127.0.0.1", "2525")
    assert found["TELEGRAM_BASE_URL"] == "http://127.0.0.1:8025"


@pytest.mark.parametrize(
    ("given", "absent"),
    [
        ({"EMAIL_HOST": "mail.example.com"}, "EMAIL_PORT"),
        ({"EMAIL_BACKEND": "an.Backend"}, "EMAIL_HOST"),
        ({"TELEGRAM_BOT_TOKEN": "1:real"}, "TELEGRAM_BASE_URL"),
    ],
)
def test_product_settings_leave_a_given_provider_alone(given: dict[str, str], absent: str) -> None:
    assert absent not in settings(**given)


def test_product_settings_of_the_person_win() -> None:
    found = settings(SECRET_KEY="mine", DEBUG="0", PORT="8001", EMAIL_PORT="26")

    assert (found["SECRET_KEY"], found["DEBUG"], found["EMAIL_PORT"]) == ("mine", "0", "26")
    assert found["PUBLIC_URL"] == "http://127.0.0.1:8001"


def test_product_settings_given_empty_count_as_not_given() -> None:
    assert settings(SECRET_KEY="")["SECRET_KEY"] == "made once"
