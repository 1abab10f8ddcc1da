"""A recipient as a tenant writes one in JSON. Plain checks instead of serializer fields: a call may bring thousands."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from tenants import syntax
from traffic_control.faults import Fault, Faults
from traffic_control.spelling import did_you_mean
from user_preferences.customers import RecipientInput

LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
MAX_ATTRIBUTES = 16 * 1024  # bytes of JSON
ALIASES = {"external_id": "user_id"}
ADDRESSES: dict[str, Callable[[Any], str]] = {
    "slack": syntax.web_url,
    "teams": syntax.web_url,
    "telegram": syntax.telegram_chat,
    "webhook": syntax.web_url,
}
ELSEWHERE = {
    "email": 'The e-mail address has a field of its own: "email".',
    "phone": 'The phone number has a field of its own: "phone".',
    "in_app": "The address of in_app is the customer.",
}


def read(body: Mapping[str, Any], *, needs_user_id: bool = True) -> RecipientInput:
    """The recipient a body describes; null means the same as leaving a field out. Raises Problem with every fault."""
    faults = Faults()
    given = {name: value for name, value in _without_aliases(body, faults).items() if value is not None}
    faults.unknown(given, FIELDS)
    values: dict[str, Any] = {"user_id": ""}
    for name, check in CHECKS.items():
        if name in given:
            values[name] = faults.checked(f"/{name}", check, given[name])
    if "addresses" in given:
        values["addresses"] = _addresses(given["addresses"], faults)
    if needs_user_id and "user_id" not in given:
        faults.add("/user_id", "It is required: how your own system names this customer.", code="required")
    faults.refuse()
    return RecipientInput(**values)


def _without_aliases(body: Mapping[str, Any], faults: Faults) -> dict[str, Any]:
    given = dict(body)
    for alias, name in ALIASES.items():
        if alias in given and name in given:
            faults.add(f"/{alias}", f"{alias} and {name} are the same field; send one of them.")
            del given[alias]
        elif alias in given:
            given[name] = given.pop(alias)
    return given


def user_id(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        raise Fault("It must be a text.", code="not_a_text", hint=f'Write it as "{value}".')
    checked = syntax.text(value, max_length=128)
    if not checked:
        raise Fault("It is empty; send how your own system names this customer.", code="blank")
    return checked


def locale(value: Any) -> str:
    tag = syntax.text(value, max_length=35).replace("_", "-")
    if not LOCALE.fullmatch(tag):
        raise Fault(f"{syntax.quoted(value)} is not a language tag like en or pt-BR.")
    return tag


def _addresses(value: Any, faults: Faults) -> dict[str, str | None]:
    """By channel; null or an empty text takes an address away."""
    if not isinstance(value, dict):
        faults.add("/addresses", 'It must be an object like {"slack": "https://hooks.slack.com/…"}.')
        return {}
    return {
        channel: None if address in (None, "") else faults.checked(f"/addresses/{channel}", _check_of(channel), address)
        for channel, address in value.items()
    }


def _check_of(channel: str) -> Callable[[Any], str]:
    return ADDRESSES.get(channel) or (lambda _: _not_an_address(channel))


def _not_an_address(channel: str) -> str:
    hint = ELSEWHERE.get(channel) or did_you_mean(channel, ADDRESSES)
    raise Fault(f'"{channel}" is not a channel with an address here.', code="unknown_channel", hint=hint)


def attributes(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Fault('It must be an object like {"plan": "gold"}.')
    size = len(orjson.dumps(value))
    if size > MAX_ATTRIBUTES:
        raise Fault(f"It has {size:,} bytes; at most {MAX_ATTRIBUTES:,} fit.")
    return value


def _or_empty(check: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda value: "" if value == "" else check(value)


CHECKS: dict[str, Callable[[Any], Any]] = {
    "user_id": user_id,
    "name": lambda value: syntax.text(value, max_length=200),
    "email": _or_empty(syntax.email),
    "phone": _or_empty(syntax.phone),
    "locale": _or_empty(locale),
    "timezone": _or_empty(syntax.time_zone),
    "attributes": attributes,
}
FIELDS = (*CHECKS, "addresses")
