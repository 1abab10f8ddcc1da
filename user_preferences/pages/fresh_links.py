"""A fresh link for whoever has an old one: mailed to the address that we know of, which is told to nobody."""

from collections.abc import Callable
from dataclasses import dataclass

from user_preferences.models import Customer
from user_preferences.pages import links, texts


@dataclass(frozen=True, slots=True)
class Letter:
    subject: str
    body: str


_post: Callable[[Customer, Letter], None] = lambda customer, letter: None  # noqa: E731 - nobody sends mail yet


def plug(post: Callable[[Customer, Letter], None]) -> None:
    """Call it from `AppConfig.ready`. `post` sees to it that nobody is mailed too often."""
    global _post
    _post = post


def mail(customer: Customer) -> None:
    """In their own language; to nobody without an address. Raises Problem 429 `backlog_full`."""
    url = links.url_for(customer)
    if not (url and customer.email and customer.tenant.is_active):
        return
    words = texts.LANGUAGES[texts.language_of(customer.locale or customer.tenant.default_locale)]
    about = {"sender": customer.tenant.name, "url": url, "days": links.LIFETIME_DAYS}
    _post(customer, Letter(words["mail_subject"].format(**about), words["mail_body"].format(**about)))
