"""The receivers of a run: each message is on record before anybody hears of it."""

import json
import smtplib
import urllib.error
import urllib.request
import uuid

import pytest

from chaos.told import launch
from dev.processes import stop_all
from tests.flow.stack import wait_until


@pytest.fixture
def sinks(tmp_path):
    told = launch("chaos.sinks", "--record", str(tmp_path / "record"), "--seed", "7", "--delay-ms", "0")
    yield told
    stop_all([told.child], seconds=3)


@pytest.fixture
def record(tmp_path):
    return lambda: [json.loads(line) for line in (tmp_path / "record").read_text().splitlines()]


def hook(sinks, identity):
    request = urllib.request.Request(f"http://127.0.0.1:{sinks.ports['http']}/hook", b"{}", {"webhook-id": identity})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def test_mail_is_recorded_by_its_message_id(sinks, record):
    identity = str(uuid.uuid4())
    with smtplib.SMTP("127.0.0.1", sinks.ports["smtp"]) as client:
        client.sendmail("a@b.test", ["c@d.test"], f"Subject: Hi\r\nMessage-ID: <{identity}@b.test>\r\n\r\nHello\r\n")

    assert [(line["id"], line["channel"], line["taken"]) for line in record()] == [(identity, "email", True)]


def test_chat_message_is_recorded_by_its_address(sinks, record):
    request = urllib.request.Request(f"http://127.0.0.1:{sinks.ports['http']}/chat/quiet-7-1", b'{"text": "Hi"}')
    with urllib.request.urlopen(request, timeout=10):
        pass

    assert [(line["id"], line["channel"], line["taken"]) for line in record()] == [("quiet-7-1", "slack", True)]


@pytest.mark.parametrize(
    ("fault", "status", "taken"),
    [("error", 500, False), ("throttled", 429, False), ("reset", 0, True), ("lost", 0, True)],
)
def test_fault_is_answered_and_recorded(sinks, record, fault, status, taken):
    sinks.order(shares={fault: 1.0})
    wait_until(lambda: hook(sinks, str(uuid.uuid4())) == status)

    last = record()[-1]

    assert (last["channel"], last["fate"], last["taken"]) == ("webhook", fault, taken)
