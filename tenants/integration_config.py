"""Reads the `config` of an integration against the fields of its provider."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from email.utils import parseaddr
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from tenants import integrations, syntax
from tenants.providers import (
    CALLBACK_SECRET,
    MAIL_SERVICES,
    SERVICE,
    SIGNED,
    STANDARD,
    STANDARD_WEBHOOKS,
    WITH_PASSWORD,
    Field,
    Kind,
    Provider,
)
from traffic_control.faults import Fault, Faults
from traffic_control.rate_limit import parse_limit

BOT_TOKEN = re.compile(r"[A-Za-z0-9:_-]{1,200}")
SIGNING_KEY_BYTES = range(24, 65)  # Standard Webhooks
HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e]+)")
OURS = ("webhook-", "content-", "host", "connection", "transfer-encoding", "idempotency-key")
SHORTEST_PASSWORD = 16
MAX_HEADERS = 4_000  # characters


def read(provider: Provider, config: Any, *, stored: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """All values after the change `config` makes to `stored`; null takes one away. Raises Problem with every fault."""
    faults = Faults()
    if not isinstance(config, dict):
        faults.add("/config", "It must be an object with the fields of the provider.")
        faults.refuse()
    fields = {field.name: field for field in provider.fields}
    faults.unknown(config, fields, pointer="/config")
    values = dict(stored or {})
    for name, given in config.items():
        if given is None:
            values.pop(name, None)
        elif name in fields:
            values[name] = faults.checked(f"/config/{name}", _check_of(fields[name]), given)
    _check_as_a_whole(provider, values, faults)
    faults.refuse()
    return values


def _check_of(field: Field) -> Callable[[Any], Any]:
    """What is wrong with a secret is told without quoting it: errors end up in clients' logs."""
    check = CHECKS[field.kind]

    def checked(value: Any) -> Any:
        try:
            return check(value)
        except ValueError as exc:
            told = str(exc).replace(syntax.quoted(value), "This").replace(str(value), "…")
            raise Fault(told, code=getattr(exc, "code", "invalid")) from None

    return checked if field.is_secret else check


def completed(provider: Provider, values: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """The values with a signing secret in any case, and the secret when it was made here: to be shown once."""
    if provider is not STANDARD_WEBHOOKS or "secret" in values:
        return dict(values), ""
    secret = integrations.new_signing_secret()
    return {**values, "secret": secret}, secret


def _check_as_a_whole(provider: Provider, values: Mapping[str, Any], faults: Faults) -> None:
    for field in provider.fields:
        if field.is_required and field.name not in values:
            faults.add(f"/config/{field.name}", _needed(provider, field), code="required")
    if values.get("use_tls") and values.get("use_ssl"):
        detail = "use_tls (STARTTLS, usually port 587) and use_ssl (port 465) exclude each other; turn one off."
        faults.add("/config/use_ssl", detail)
    _check_callbacks(values, faults)


def _check_callbacks(values: Mapping[str, Any], faults: Faults) -> None:
    """Each service proves itself in its own way; one that is named needs the secret for it."""
    pointer, secret = f"/config/{CALLBACK_SECRET.name}", values.get(CALLBACK_SECRET.name)
    service = values.get(SERVICE, STANDARD)
    if secret is not None and service is not None:
        faults.checked(pointer, CALLBACK_PROOFS[service], secret)
    elif values.get(SERVICE):
        faults.add(pointer, f"Callbacks of {service} cannot be proven without it.", code="required")


def _needed(provider: Provider, field: Field) -> str:
    names = ", ".join(known.name for known in provider.fields)
    return f"{provider.name} cannot do without {field.name}. Its fields: {names}."


def _filled_text(value: Any) -> str:
    if not (checked := syntax.text(value, max_length=500)):
        raise Fault("It is empty. Leave it out, or send null to take it away.", code="blank")
    return checked


def _port(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 65_535:
        raise Fault(f"{syntax.quoted(value)} is not a port: a number from 1 to 65535.")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Fault(f"{syntax.quoted(value)} is neither true nor false.")
    return value


def _sender(value: Any) -> str:
    """An address, or a name and an address."""
    sender = _filled_text(value)
    try:
        syntax.email(parseaddr(sender)[1])
    except ValueError as exc:
        raise Fault(f"{syntax.quoted(sender)} is not a sender like Acme <hello@acme.example>.") from exc
    return sender


def _bot_token(value: Any) -> str:
    if not BOT_TOKEN.fullmatch(token := _filled_text(value)):
        raise Fault("This is not a bot token like 123456:ABC-DEF: letters, digits, colon, _ and - only.")
    return token


def _rate(value: Any) -> str:
    rate = _filled_text(value)
    try:
        parse_limit(rate)
    except ImproperlyConfigured as exc:
        raise Fault(str(exc)) from exc
    return rate


def _signing_secret(value: Any) -> str:
    secret = _filled_text(value)
    try:
        key = base64.b64decode(secret.removeprefix(integrations.SIGNING_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(integrations.SIGNING_PREFIX) or len(key) not in SIGNING_KEY_BYTES:
        raise Fault("A signing secret is whsec_ and 24 to 64 random bytes in base64. Leave it out to get a new one.")
    return secret


def _headers(value: Any) -> str:
    """Further headers, for a receiver that wants credentials of its own."""
    if not isinstance(value, str):
        raise Fault(f"{syntax.quoted(value)} is not a text; write headers one a line.")
    lines = [line.strip() for line in value.splitlines() if line.strip()]
    for line in lines:
        if not (header := HEADER.fullmatch(line)):
            raise Fault('Write headers one a line as "Name: value", in ASCII.')
        if header[1].lower().startswith(OURS):
            raise Fault(f'The header "{header[1]}" is set by the signature or by HTTP itself.')
    if len(joined := "\n".join(lines)) > MAX_HEADERS:
        raise Fault(f"They have {len(joined):,} characters; at most {MAX_HEADERS:,} fit.")
    return joined


def _mail_service(value: Any) -> str:
    if value not in MAIL_SERVICES:
        raise Fault(f"{syntax.quoted(value)} is not one of {', '.join(MAIL_SERVICES)}.")
    return str(value)


def _password(value: str) -> str:
    """What the service is told to call back with, as HTTP Basic."""
    user, _, password = value.partition(":")
    if not user or len(password) < SHORTEST_PASSWORD:
        raise Fault(f"Write it as user:password, the password with at least {SHORTEST_PASSWORD} characters.")
    return value


def _signing_key(value: str) -> str:
    if len(value) < SHORTEST_PASSWORD or not value.isascii():
        raise Fault("This is not the service's signing key for webhooks.")
    return value


CALLBACK_PROOFS: dict[str, Callable[[Any], str]] = {
    **dict.fromkeys(SIGNED, _signing_secret),
    **dict.fromkeys(WITH_PASSWORD, _password),
    "mailgun": _signing_key,
}
CHECKS: dict[Kind, Callable[[Any], Any]] = {
    Kind.TEXT: _filled_text,
    Kind.HOST: syntax.host,
    Kind.PORT: _port,
    Kind.FLAG: _flag,
    Kind.URL: syntax.web_url,
    Kind.SENDER: _sender,
    Kind.CHAT: syntax.telegram_chat,
    Kind.BOT_TOKEN: _bot_token,
    Kind.SIGNING_SECRET: _signing_secret,
    Kind.RATE: _rate,
    Kind.MAIL_SERVICE: _mail_service,
    Kind.HEADERS: _headers,
}
