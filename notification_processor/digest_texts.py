"""The words of digests: what a template is told of the messages it stands for, and which template."""

import logging
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from delivery_gateway.digests import DIGEST, NAME
from delivery_gateway.ledger import NewNotification
from delivery_gateway.models import NotificationLog
from delivery_gateway.registry import CHANNELS
from delivery_gateway.states import Status
from notification_processor import context, templates
from notification_processor.defaults import ChannelDefaults
from notification_processor.digest_layout import built_in_digest
from notification_processor.renderer_jobs import IN_TURN
from notification_processor.rendering import Order, Rendered, Source, TemplateFault, render_many
from traffic_control import decisions
from traffic_control.ids import derived_uuid7
from user_preferences import selectors
from user_preferences.models import Customer
from user_preferences.quiet_hours import zone_of

log = logging.getLogger(__name__)

SHOWN = 50  # messages that a digest lists; the others are counted
TITLE = 200  # characters
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
NO_WORDS = Rendered("", "", "")
Bundle = Sequence[NotificationLog]
Made = tuple[Source, Rendered | TemplateFault]
Defaults = Mapping[uuid.UUID, ChannelDefaults]
Customers = Mapping[uuid.UUID, Customer]


def drafts(bundles: Sequence[Bundle], defaults: Defaults, now: datetime) -> list[NewNotification]:
    """For each bundle the one message that stands for it, routed and rendered. Its id comes of its last row's."""
    customers = selectors.by_ids({bundle[0].customer_id for bundle in bundles if bundle[0].customer_id})
    held = [_held(bundle, _customer(bundle, customers), defaults) for bundle in bundles]
    sources = _sources(bundles, customers, defaults)
    made = _texts([_order(*each, customers, defaults) for each in zip(bundles, held, sources, strict=True)])
    return [_new(bundle, payload, *text, now) for bundle, payload, text in zip(bundles, held, made, strict=True)]


def _held(bundle: Bundle, customer: Customer | None, defaults: Defaults) -> dict[str, Any]:
    """What a digest's template, its page and its webhook are told. Times are those of the recipient's clock."""
    zone = zone_of((customer.timezone if customer else "") or defaults[bundle[0].tenant_id].timezone)
    times = [row.created_at.astimezone(zone).isoformat(timespec="seconds") for row in (bundle[0], bundle[-1])]
    items = [
        {
            "id": str(row.id),
            "title": title_of(row),
            "at": row.created_at.astimezone(zone).isoformat(timespec="seconds"),
            "event_id": str(row.event_id) if row.event_id else None,
            "event_type": row.event_type or None,
            "category": row.category or None,
        }
        for row in bundle[:SHOWN]
    ]
    more = len(bundle) - len(items)
    return {"count": len(bundle), "more": more, "first_at": times[0], "last_at": times[1], "items": items}


def title_of(row: NotificationLog) -> str:
    """Its subject, or how its text begins: one line."""
    opening: str = row.subject or getattr(row, "opening", "")
    line = next((line for line in opening.splitlines() if line.strip()), "") or row.event_type.replace("_", " ")
    return " ".join(CONTROLS.sub(" ", line).split())[:TITLE] or "(no title)"


def _customer(bundle: Bundle, customers: Customers) -> Customer | None:
    return customers.get(bundle[0].customer_id) if bundle[0].customer_id else None


def _sources(bundles: Sequence[Bundle], customers: Customers, defaults: Defaults) -> list[Source]:
    """The tenant's template for its channel, in the recipient's language; the built-in words where there is none."""
    pinned = templates.pinned({(bundle[0].tenant_id, NAME) for bundle in bundles})
    found: list[str | None] = []
    for bundle in bundles:
        row, customer = bundle[0], _customer(bundle, customers)
        by_locale = pinned.get((row.tenant_id, NAME), {}).get(row.channel)
        locales = (customer.locale if customer else "", defaults[row.tenant_id].locale)
        found.append(templates.nearest(by_locale, *locales) if by_locale else None)
    known = templates.sources({version for version in found if version})
    return [known[v] if v else built_in_digest(bundle[0].channel) for v, bundle in zip(found, bundles, strict=True)]


def _order(bundle: Bundle, held: dict[str, Any], source: Source, customers: Customers, defaults: Defaults) -> Order:
    row = bundle[0]
    names = context.context_for(
        payload=held,
        tenant_name=defaults[row.tenant_id].tenant_name,
        customer=_customer(bundle, customers),
        has_link=context.has_link(source.text, row.mode),
        event_type=NAME,
    )
    return Order(source, names, owner=str(row.tenant_id))


def _texts(orders: Sequence[Order]) -> list[Made]:
    """A tenant's template that fails gives way to the built-in words: what was held is told all the same."""
    made: list[Made] = [(o.source, text) for o, text in zip(orders, render_many(orders, effort=IN_TURN), strict=True)]
    unfit = [n for n, (_, text) in enumerate(made) if isinstance(text, TemplateFault)]
    if unfit:
        second = [Order(built_in_digest(orders[n].source.channel), orders[n].context) for n in unfit]
        for n, order, text in zip(unfit, second, render_many(second, effort=IN_TURN), strict=True):
            log.warning("a digest's template failed", extra={"template": made[n][0].key})
            made[n] = order.source, text
    return made


def _new(
    bundle: Bundle, held: dict[str, Any], source: Source, text: Rendered | TemplateFault, now: datetime
) -> NewNotification:
    first, last = bundle[0], bundle[-1]
    categories, expiries = {row.category for row in bundle}, [row.expires_at for row in bundle if row.expires_at]
    is_made, words = isinstance(text, Rendered), text if isinstance(text, Rendered) else NO_WORDS
    return NewNotification(
        id=derived_uuid7(last.id, DIGEST),
        tenant_id=first.tenant_id,
        mode=first.mode,
        channel=first.channel,
        event_type=NAME,
        user_id=first.user_id,
        customer_id=first.customer_id,
        to=first.to,
        subject=words.subject,
        body=words.body,
        html=words.html,
        payload=held,
        template_name=source.name,
        template_version=source.number,
        category=categories.pop() if len(categories) == 1 else "",
        status=Status.QUEUED if is_made else Status.FAILED,
        reason="" if is_made else "template_error",
        detail="" if is_made else str(text),
        decision=decisions.packed(DIGEST, {}, tuple(CHANNELS)),
        expires_at=max(expiries) if len(expiries) == len(bundle) else None,
        created_at=now,
        routed_at=now,
    )
