"""`doctor --integrations`: what providers that we play say to it, and that nobody gets a message."""

import json

import pytest
from django.core.management import call_command

from delivery_gateway import registry
from monitoring.doctor import integrations as knocking
from monitoring.doctor.examination import examine
from monitoring.doctor.verdict import Level, Verdict
from tenants import integrations
from tenants.providers import PROVIDERS
from tests.peers.slack import SlackPeer
from tests.peers.smtp import SmtpPeer
from tests.peers.telegram import TOKEN
from tests.peers.webhook import SECRET


@pytest.fixture(autouse=True)
def _permitted(settings):
    settings.EGRESS_ALLOW, settings.EGRESS_ALLOW_HTTP = ["127.0.0.0/8"], True
    settings.TELEGRAM_BOT_TOKEN = settings.EMAIL_BACKEND = ""
    registry.forget_providers()
    yield
    registry.forget_providers()


@pytest.fixture
def prove(acme):
    """The doctor's word about an integration of Acme with these values."""

    def asked(channel: str, **values: str) -> Verdict:
        row = integrations.create(acme.tenant, channel, provider=PROVIDERS[channel][0], values=values)
        [verdict] = knocking.proves(f"acme {channel}", channel, integrations.opened(row))
        return verdict

    return asked


def test_mail_server_that_lets_us_in_gets_no_mail(prove, smtp_peer):
    verdict = prove("email", host="127.0.0.1", port=str(smtp_peer.port))

    assert (verdict.level, verdict.found) == (Level.OK, f"127.0.0.1:{smtp_peer.port} lets us in")
    assert (smtp_peer.connections, smtp_peer.received) == (1, [])


def test_mail_server_that_refuses_the_password_is_seen(prove):
    with SmtpPeer(users={"ada": "right"}) as peer:
        good = prove("email", host="127.0.0.1", port=str(peer.port), username="ada", password="right")
        bad = prove("email", host="127.0.0.1", port=str(peer.port), username="ada", password="wrong")

    assert (good.level, bad.level) == (Level.OK, Level.FAIL)
    assert "535" in bad.found
    assert "wrong" not in bad.found


@pytest.mark.parametrize("fault", ["greet:drop", "ehlo:drop", "greet:554 5.7.1 not you"])
def test_mail_server_that_breaks_off_is_seen(prove, smtp_peer, fault):
    smtp_peer.script(fault)

    assert prove("email", host="127.0.0.1", port=str(smtp_peer.port)).level == Level.FAIL


def test_bot_is_asked_for_its_name_only(prove, telegram_peer, settings):
    settings.TELEGRAM_BASE_URL = telegram_peer.base_url

    good = prove("telegram", bot_token=TOKEN, chat_id="7")
    bad = prove("telegram", bot_token="1:wrong", chat_id="7")

    assert (good.level, good.found, bad.level) == (Level.OK, "the bot is @peer_bot", Level.FAIL)
    assert [request.target.rpartition("/")[2] for request in telegram_peer.received] == ["getMe", "getMe"]
    assert "wrong" not in bad.found


@pytest.mark.parametrize(("channel", "secrets"), [("slack", {}), ("teams", {}), ("webhook", {"secret": SECRET})])
def test_hook_is_connected_to_and_hears_nothing(prove, channel, secrets):
    with SlackPeer() as peer:
        good = prove(channel, url=peer.url, **secrets)
    gone = prove(channel, url=peer.url, **secrets)

    assert (good.level, good.found) == (Level.OK, "127.0.0.1 takes connections")
    assert peer.received == []
    assert gone.level == Level.FAIL
    assert peer.path not in gone.found


def test_hook_that_may_not_be_reached_is_seen(prove, settings):
    settings.EGRESS_ALLOW = []
    registry.forget_providers()

    verdict = prove("slack", url="https://127.0.0.1/services/secret-path")

    assert verdict.level == Level.FAIL
    assert verdict.found.startswith("egress_refused")
    assert "secret-path" not in verdict.found


def test_provider_that_hangs_holds_nobody_up(acme, smtp_peer):
    smtp_peer.always("greet:hang")
    values = {"host": "127.0.0.1", "port": str(smtp_peer.port)}
    integrations.create(acme.tenant, "email", provider=PROVIDERS["email"][0], values=values)
    [check] = [check for check in knocking.checks() if check.name == "acme email"]

    [verdict] = examine([check], seconds=0.5)

    assert (verdict.level, verdict.found) == (Level.UNKNOWN, "no answer within 0.5 s")


def test_command_knocks_only_when_asked_to(acme, smtp_peer, capsys):
    values = {"host": "127.0.0.1", "port": str(smtp_peer.port)}
    integrations.create(acme.tenant, "email", provider=PROVIDERS["email"][0], values=values)

    names = []
    for flags in ([], ["--integrations"]):
        with pytest.raises(SystemExit):  # no worker here
            call_command("doctor", "--json", *flags)
        names.append({verdict["name"] for verdict in json.loads(capsys.readouterr().out)["verdicts"]})

    assert names[1] - names[0] == {"acme email", "acme webhook"}
    assert smtp_peer.connections == 1
