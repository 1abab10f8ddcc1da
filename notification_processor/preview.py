"""Renders a template for its author; sends nothing."""

import uuid
from typing import Any

from delivery_gateway.registry import CHANNELS
from notification_processor import rendering, templates
from notification_processor.context import context_for
from notification_processor.models import MessageTemplate
from notification_processor.renderer_jobs import at_once
from tenants.models import Tenant
from traffic_control.errors import invalid
from user_preferences import selectors
from user_preferences.models import Customer

PROVIDED = frozenset({"customer", "tenant", "event"})


def preview(tenant: Tenant, template: MessageTemplate, *, data: dict[str, Any], user_id: str = "") -> dict[str, Any]:
    """Rendered parts, or the fault; variables the data lacks; length per part beside the channel's limit."""
    source = templates.source_of(template)
    customer = _customer(tenant.id, user_id) if user_id else None
    answer: dict[str, Any] = {"version": source.number, "missing_variables": [], "error": None}
    owner, effort = str(tenant.id), at_once()  # one for both steps
    try:
        names = rendering.check(source, owner=owner, effort=effort)
        answer["missing_variables"] = sorted(names - data.keys() - PROVIDED)
        context = context_for(payload=data, tenant_name=tenant.name, customer=customer)
        text = rendering.render(source, context, owner=owner, effort=effort)
    except rendering.TemplateFault as fault:
        return answer | {
            "rendered": None,
            "length": None,
            "error": {"part": fault.part, "line": fault.line, "detail": str(fault)},
        }
    length = {"subject": len(text.subject), "body": len(text.body), "limit": CHANNELS[template.channel].limits.body}
    return answer | {
        "rendered": {"subject": text.subject, "body": text.body, "html": text.html or None},
        "length": length,
    }


def _customer(tenant_id: uuid.UUID, user_id: str) -> Customer:
    found = selectors.by_user_ids(tenant_id, [user_id])
    if user_id not in found:
        raise invalid("/user_id", f'There is no customer with user_id "{user_id}".', code="unknown_customer")
    return found[user_id]
