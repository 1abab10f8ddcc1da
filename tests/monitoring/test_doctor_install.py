"""The doctor and how an install is set up; and its whole run, as an operator has it."""

import base64
import json
import shutil
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

import pytest
from django.db import connection

from dev.ports import free_port
from dev.services import Place, services
from monitoring.doctor import install, life
from monitoring.doctor.report import table
from monitoring.doctor.verdict import Level, fail, good
from tenants import integrations
from tenants.providers import SMTP
from tests.flow.own_valkey import black_hole
from tests.flow.stack import ROOT, stack, wait_until

SECRET = "x" * 50


def key(name: str) -> str:
    return f"{name}:{base64.b64encode(name.encode().ljust(32, b'.')).decode()}"


def findings(question) -> dict[str, Level]:
    return {verdict.found: verdict.level for verdict in question()}


@pytest.mark.parametrize(
    ("setting", "value", "found"),
    [
        ("DEBUG", True, "DEBUG is on"),
        ("ALLOWED_HOSTS", ["*"], "ALLOWED_HOSTS takes any name"),
        ("REGISTRATION", "open", "REGISTRATION is open"),
    ],
)
def test_switch_that_is_open_is_named(settings, setting, value, found):
    settings.DEBUG, settings.REGISTRATION, settings.ALLOWED_HOSTS = False, "closed", ["example.com"]
    settings.PUBLIC_URL = "https://example.com"
    assert set(findings(install.switches).values()) == {Level.OK}

    setattr(settings, setting, value)

    assert findings(install.switches) == {found: Level.WARN}


def test_setting_that_django_refuses_is_a_failure(settings):
    settings.DEBUG, settings.REGISTRATION = False, "sometimes"

    assert Level.FAIL in findings(install.switches).values()


def test_secret_that_is_short_or_keys_that_are_none_are_seen(settings):
    settings.DEBUG, settings.SECRET_KEY, settings.CREDENTIALS_KEYS = False, SECRET, [key("a")]
    assert findings(install.secrets) == {"credentials are sealed with the key a": Level.OK}

    settings.SECRET_KEY, settings.CREDENTIALS_KEYS = "short", []

    assert findings(install.secrets) == {
        "SECRET_KEY is well known or short": Level.FAIL,
        "CREDENTIALS_KEYS is not set": Level.WARN,
    }


def test_credentials_keys_that_cannot_be_read_are_a_failure(settings):
    settings.CREDENTIALS_KEYS = ["a:not base64 of 32 bytes"]

    assert set(findings(install.secrets).values()) == {Level.FAIL}


@pytest.fixture
def sealed(acme, settings):
    """An integration of Acme, sealed with the key "a"."""
    settings.CREDENTIALS_KEYS = [key("a")]
    values = {"host": "mx.acme.test", "password": "secret"}
    return integrations.create(acme.tenant, "email", provider=SMTP, values=values)


def test_key_that_is_gone_while_something_is_sealed_with_it_is_named(sealed, settings):
    assert findings(install.sealed) == {"all that is sealed opens": Level.OK}

    settings.CREDENTIALS_KEYS = [key("b")]

    [(found, level)] = findings(install.sealed).items()
    assert level == Level.FAIL
    assert found.startswith("what was sealed with the key a does not open")


def test_integration_that_its_provider_refused_is_named(sealed):
    integrations.pause(sealed.id, "535 no")

    assert findings(life.paused) == {"acme email (535 no)": Level.WARN}


@pytest.mark.parametrize(("free", "level"), [(50, Level.OK), (10, Level.WARN), (2, Level.FAIL)])
def test_disk_that_fills_up_is_seen(db, monkeypatch, free, level):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(100, 100 - free, free))

    assert set(findings(install.disk_of_temporary_files).values()) == {level}
    assert set(findings(install.disk_of_database).values()) <= {level}


def test_report_says_why_and_what_next_of_what_is_not_well():
    told = table([good("database", "PostgreSQL 18"), fail("redis", "gone", "Limits are off.", "Start it.")])

    assert told.splitlines() == [
        "ok       database  PostgreSQL 18",
        "fail     redis     gone",
        "                   Limits are off.",
        "                   → Start it.",
        "",
        "1 ok, 1 fail",
    ]


# --- The whole run ----------------------------------------------------------------------------------------------

on_postgres = pytest.mark.skipif(connection.vendor != "postgresql", reason="processes beside the test need PostgreSQL")


def run(env: dict[str, str]) -> tuple[int, dict[str, list[dict[str, str]]]]:
    """Its exit code, and its verdicts by name."""
    command = [sys.executable, "manage.py", "doctor", "--json"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    verdicts: dict[str, list[dict[str, str]]] = {}
    for verdict in json.loads(done.stdout)["verdicts"]:
        verdicts.setdefault(verdict["name"], []).append(verdict)
    return done.returncode, verdicts


@on_postgres
@pytest.mark.timeout(120)
def test_doctor_finds_a_running_install_well_and_misses_its_dispatcher(acme, tmp_path: Path):
    with stack(tmp_path, CREDENTIALS_KEYS=key("a"), ALLOW_UNSAFE_POSTGRES="1", REGISTRATION="closed") as running:
        running.worker()
        wait_until(lambda: run(running.env)[1]["workers"][0]["level"] == "ok", what="a worker's heartbeat")
        without, missing = run(running.env)
        running.dispatcher()
        wait_until(lambda: run(running.env)[1]["dispatcher"][0]["level"] == "ok", what="a dispatcher's heartbeat")
        code, verdicts = run(running.env)

    assert (without, missing["dispatcher"][0]["level"]) == (1, "fail")
    assert code == 0, verdicts
    assert {"database", "migrations", "partitions", "redis", "celery", "clock", "overdue", "disk"} <= verdicts.keys()


@on_postgres
@pytest.mark.timeout(120)
def test_doctor_of_a_durable_server_without_tables(tmp_path: Path):
    tmp_path.chmod(0o711)
    passwords = {"POSTGRES_PASSWORD": "p", "VALKEY_PASSWORD": "v"}
    ports = {"postgres": free_port(), "valkey": free_port()}
    place = Place(folder=tmp_path, ports=ports, passwords=passwords, is_durable=True)
    with services({}, place) as reached, stack(tmp_path, **reached.settings) as running:
        code, verdicts = run(running.env)

    assert (code, verdicts["durability"][0]["level"], verdicts["migrations"][0]["level"]) == (1, "ok", "fail")
    assert verdicts["overdue"][0]["level"] == "unknown"


@pytest.mark.timeout(120)
def test_doctor_of_an_install_that_reaches_nothing_ends_within_seconds(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("tests.flow.stack.database_url", lambda: "")
    with black_hole() as url:
        nowhere = {
            "DATABASE_URL": url.replace("redis://", "postgres://u:p@"),
            "REDIS_URL": url,
            "CELERY_BROKER_URL": url,
        }
        with stack(tmp_path, **nowhere, SECRET_KEY=SECRET) as running:
            began = time.monotonic()
            code, verdicts = run(running.env)
            took = time.monotonic() - began

    assert (code, verdicts["database"][0]["level"], verdicts["redis"][0]["level"]) == (1, "fail", "fail")
    assert verdicts["migrations"][0]["level"] == "unknown"
    print(f"{took:.1f} s")
    assert took < 12
