"""The fields of each provider's configuration, as plain data. The first provider of a channel is its default."""

from dataclasses import dataclass
from enum import StrEnum

CHANNELS = ("email", "slack", "teams", "telegram", "webhook", "in_app")


class Kind(StrEnum):
    TEXT = "text"
    HOST = "host"
    PORT = "port"
    FLAG = "flag"
    URL = "url"
    SENDER = "sender"
    CHAT = "chat"
    MAIL_SERVICE = "mail_service"
    BOT_TOKEN = "bot_token"  # noqa: S105 - the name of a kind
    SIGNING_SECRET = "signing_secret"  # noqa: S105
    RATE = "rate"
    HEADERS = "headers"  # one `Name: value` a line


@dataclass(frozen=True, slots=True)
class Field:
    """A secret field is sealed, and never answered again except for its last four characters."""

    name: str
    kind: Kind = Kind.TEXT
    is_secret: bool = False
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class Provider:
    name: str
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field | None:
        return next((field for field in self.fields if field.name == name), None)


RATE_LIMIT = "rate_limit"
SERVICE, STANDARD = "callbacks", "standard_webhooks"  # who calls back, and how when nobody is named
SIGNED = (STANDARD, "resend")  # with a secret as Standard Webhooks write it
WITH_PASSWORD = ("postmark", "brevo", "sparkpost", "mailjet")  # "user:password", as HTTP Basic
MAIL_SERVICES = (*SIGNED, "mailgun", *WITH_PASSWORD)
CALLBACK_SECRET = Field("callback_secret", is_secret=True)  # every provider has it
RATE = Field(RATE_LIMIT, Kind.RATE)  # every provider has it: how fast it may be written to, "10/s"

SMTP = Provider(
    "smtp",
    (
        Field("host", Kind.HOST, is_required=True),
        Field("port", Kind.PORT),
        Field("username"),
        Field("password", is_secret=True),
        Field("use_tls", Kind.FLAG),
        Field("use_ssl", Kind.FLAG),
        Field("from_email", Kind.SENDER),
        RATE,
        Field(SERVICE, Kind.MAIL_SERVICE),
        CALLBACK_SECRET,
    ),
)
SLACK_HOOK = Provider("webhook", (Field("url", Kind.URL, is_secret=True, is_required=True), RATE, CALLBACK_SECRET))
TEAMS_FLOW = Provider("workflows", (Field("url", Kind.URL, is_secret=True, is_required=True), RATE, CALLBACK_SECRET))
TELEGRAM_BOT = Provider(
    "bot",
    (
        Field("bot_token", Kind.BOT_TOKEN, is_secret=True, is_required=True),
        Field("chat_id", Kind.CHAT),
        RATE,
        CALLBACK_SECRET,
    ),
)
STANDARD_WEBHOOKS = Provider(
    "standard_webhooks",
    (
        Field("url", Kind.URL),
        Field("secret", Kind.SIGNING_SECRET, is_secret=True),
        Field("previous_secret", Kind.SIGNING_SECRET, is_secret=True),  # signs too while receivers change over
        Field("headers", Kind.HEADERS, is_secret=True),
        RATE,
        CALLBACK_SECRET,
    ),
)

PROVIDERS: dict[str, tuple[Provider, ...]] = {
    "email": (SMTP,),
    "slack": (SLACK_HOOK,),
    "teams": (TEAMS_FLOW,),
    "telegram": (TELEGRAM_BOT,),
    "webhook": (STANDARD_WEBHOOKS,),
}


def provider_of(channel: str, name: str = "") -> Provider | None:
    """The named provider of a channel, or its default one."""
    known = PROVIDERS.get(channel, ())
    return next((provider for provider in known if name in ("", provider.name)), None)
