"""Recipients as tenants write them: what is taken, and what is told about the rest."""

from typing import Any

import pytest

from traffic_control.errors import Problem
from user_preferences import recipients
from user_preferences.customers import COLUMNS, RecipientInput
from user_preferences.serializers import RecipientSerializer

FULL: dict[str, Any] = {
    "user_id": "u1",
    "name": "Ann Ä. O'Neil",
    "email": "ann@example.com",
    "phone": "+48 (123) 456-789",
    "addresses": {
        "slack": "https://hooks.slack.com/services/T/B/X",
        "teams": "https://example.com:8443/flow?sig=a%20b",
        "telegram": -1001234567890,
        "webhook": "http://127.0.0.1:9000/in",
    },
    "locale": "pt_BR",
    "timezone": "Europe/Warsaw",
    "attributes": {"plan": "gold", "since": 2019},
}


def errors_of(body, **options) -> list[dict]:
    with pytest.raises(Problem) as caught:
        recipients.read(body, **options)
    assert (caught.value.status_code, caught.value.code) == (400, "validation_error")
    return caught.value.errors or []


def test_read_takes_everything_and_tidies_it():
    assert recipients.read(FULL) == RecipientInput(
        user_id="u1",
        name="Ann Ä. O'Neil",
        email="ann@example.com",
        phone="+48123456789",
        addresses=FULL["addresses"] | {"telegram": "-1001234567890"},
        locale="pt-BR",
        timezone="Europe/Warsaw",
        attributes={"plan": "gold", "since": 2019},
    )


def test_read_leaves_open_what_is_not_said():
    assert recipients.read({"user_id": "u1", "name": None}) == RecipientInput("u1")


def test_read_takes_the_alias():
    assert recipients.read({"external_id": "u1"}).user_id == "u1"


def test_read_takes_empty_texts_as_such():
    empty = recipients.read({"user_id": "u1", "email": "", "phone": "", "locale": "", "timezone": "", "name": ""})

    assert (empty.email, empty.phone, empty.locale, empty.timezone, empty.name) == ("",) * 5


def test_read_keeps_null_addresses_as_removals():
    assert recipients.read({"user_id": "u1", "addresses": {"slack": None, "teams": ""}}).addresses == {
        "slack": None,
        "teams": None,
    }


@pytest.mark.parametrize(
    ("body", "pointer", "told"),
    [
        ({}, "#/user_id", "how your own system names"),
        ({"user_id": ""}, "#/user_id", "empty"),
        ({"user_id": 7}, "#/user_id", 'Write it as "7".'),
        ({"user_id": "x" * 129}, "#/user_id", "129 characters; at most 128"),
        ({"user_id": "a\nb"}, "#/user_id", "line break"),
        ({"user_id": "u", "external_id": "v"}, "#/external_id", "the same field"),
        ({"user_id": "u", "emial": "a@b.cd"}, "#/emial", 'Did you mean "email"?'),
        ({"user_id": "u", "tenant": "x"}, "#/tenant", "no field"),
        ({"user_id": "u", "email": "ann"}, "#/email", '"ann" is not an e-mail address'),
        ({"user_id": "u", "email": "a@b.cd\r\nBcc: x@y.zz"}, "#/email", "line break"),
        ({"user_id": "u", "email": "a@b.cd, c@d.ef"}, "#/email", "is not an e-mail address"),
        ({"user_id": "u", "email": ["a@b.cd"]}, "#/email", "is not a text"),
        ({"user_id": "u", "name": "Ann\r\nBcc: x@y.zz"}, "#/name", "line break"),
        ({"user_id": "u", "phone": "call me"}, "#/phone", '"call me" is not a phone number'),
        ({"user_id": "u", "addresses": []}, "#/addresses", "must be an object"),
        ({"user_id": "u", "addresses": {"slak": "https://x.test"}}, "#/addresses/slak", 'Did you mean "slack"?'),
        ({"user_id": "u", "addresses": {"email": "a@b.cd"}}, "#/addresses/email", "field of its own"),
        ({"user_id": "u", "addresses": {"in_app": "u"}}, "#/addresses/in_app", "is the customer"),
        ({"user_id": "u", "addresses": {"slack": "#general"}}, "#/addresses/slack", "is not a URL"),
        ({"user_id": "u", "addresses": {"slack": "javascript:alert(1)"}}, "#/addresses/slack", "is not a URL"),
        ({"user_id": "u", "addresses": {"teams": "https://"}}, "#/addresses/teams", "is not a URL"),
        ({"user_id": "u", "addresses": {"teams": "https://x.test/a b"}}, "#/addresses/teams", "is not a URL"),
        ({"user_id": "u", "addresses": {"webhook": "http://x.test:99999/"}}, "#/addresses/webhook", "is not a URL"),
        ({"user_id": "u", "addresses": {"webhook": "http://[::1/"}}, "#/addresses/webhook", "is not a URL"),
        ({"user_id": "u", "addresses": {"webhook": "https://u:p@x.test/"}}, "#/addresses/webhook", "user name"),
        ({"user_id": "u", "addresses": {"telegram": "my chat"}}, "#/addresses/telegram", "is not a Telegram chat"),
        ({"user_id": "u", "addresses": {"telegram": True}}, "#/addresses/telegram", "is not a text"),
        ({"user_id": "u", "locale": "english please"}, "#/locale", "is not a language tag"),
        ({"user_id": "u", "timezone": "Europe/Warsawa"}, "#/timezone", 'Did you mean "Europe/Warsaw"?'),
        ({"user_id": "u", "timezone": "../../etc/passwd"}, "#/timezone", "is not an IANA time zone"),
        ({"user_id": "u", "attributes": []}, "#/attributes", "must be an object"),
        ({"user_id": "u", "attributes": {"x": "y" * 20_000}}, "#/attributes", "at most 16,384 fit"),
    ],
)
def test_read_names_the_place_the_value_and_the_way_out(body, pointer, told):
    (error,) = errors_of(body)

    assert error["pointer"] == pointer
    assert told in f"{error['detail']} {error.get('hint', '')}"


def test_read_tells_every_fault_at_once():
    body = {"email": "ann", "timezone": "Mars/Base", "addresses": {"slack": "x", "telegram": "a b"}, "extra": 1}

    assert [error["pointer"] for error in errors_of(body)] == [
        "#/addresses/slack",
        "#/addresses/telegram",
        "#/email",
        "#/extra",
        "#/timezone",
        "#/user_id",
    ]


def test_serializer_says_the_same_where_a_recipient_is_part_of_a_body():
    inner = RecipientSerializer(data={"user_id": "u", "emial": "x", "addresses": {"slack": "x"}})

    assert not inner.is_valid()
    assert inner.errors == {
        "emial": ['There is no field "emial" here. Did you mean "email"?'],
        "addresses": {"slack": ['"x" is not a URL like https://example.com/hook.']},
    }
    whole = RecipientSerializer(data=["u1"])
    assert not whole.is_valid()
    assert list(whole.errors) == ["non_field_errors"]


def test_serializer_yields_the_recipient():
    inner = RecipientSerializer(data=FULL)

    assert inner.is_valid()
    assert inner.to_recipient() == recipients.read(FULL)


def test_fields_are_the_same_everywhere():
    assert set(RecipientSerializer().fields) == set(recipients.FIELDS) == {"user_id", *COLUMNS}
