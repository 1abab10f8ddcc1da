"""Where the console's sidebar leads: by what somebody wants to do, and only to what this person may see."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse


@dataclass(frozen=True, slots=True)
class Place:
    """An entry. `model` as in URL names, for its list; `url_name` for a page of its own. `icon`: a Material symbol."""

    title: str
    icon: str
    model: str = ""
    url_name: str = ""
    permission: str = ""

    def is_open_to(self, request: HttpRequest) -> bool:
        return not self._permission or bool(request.user.has_perm(self._permission))

    def link(self) -> str:
        return reverse(self.url_name or f"admin:{self.model}_changelist")

    @property
    def _permission(self) -> str:
        if self.permission or not self.model:
            return self.permission
        app, _, name = self.model.rpartition("_")
        return f"{app}.view_{name}"


PLACE = "traffic_control.console_place"
MATRIX = "notification_processor.view_workflow"
EXPLAIN = "notification_processor.view_event"
GROUPS: dict[str, Sequence[Place]] = {
    "": (Place("Dashboard", "monitoring", url_name="admin:index"),),
    "Watch": (
        Place("Messages", "mail", "delivery_gateway_notificationlog"),
        Place("Events", "bolt", "notification_processor_event"),
        Place("Dead letters", "report", "delivery_gateway_deadletter"),
        Place("Replays", "replay", "delivery_gateway_replayjob"),
        Place("Explain", "help", url_name="admin:notification_processor_event_explain", permission=EXPLAIN),
        Place("Suppressions", "block", "delivery_gateway_suppression"),
    ),
    "Say": (
        Place("Templates", "draft", "notification_processor_messagetemplate"),
        Place("Workflows", "account_tree", "notification_processor_workflow"),
        Place("Matrix", "grid_on", url_name="admin:notification_processor_workflow_matrix", permission=MATRIX),
    ),
    "Reach": (
        Place("Customers", "group", "user_preferences_customer"),
        Place("Preferences", "tune", "user_preferences_preference"),
        Place("Inbox items", "inbox", "delivery_gateway_inboxitem"),
    ),
    "Connect": (
        Place("Integrations", "cable", "tenants_integration"),
        Place("API keys", "key", "tenants_apikey"),
        Place("Sandbox", "science", "delivery_gateway_sandboxmessage"),
    ),
    "Govern": (
        Place("Tenants", "apartment", "tenants_tenant"),
        Place("Audit trail", "history", "monitoring_auditentry"),
        Place("Consent log", "fact_check", "user_preferences_consententry"),
    ),
}
ACCOUNTS = (
    Place("Accounts", "person", "auth_user"),
    Place("Roles", "badge", "auth_group"),
    Place("Memberships", "domain", "tenants_membership"),
)  # for superusers, as their pages are


def is_open(link: str, request: HttpRequest, links: Collection[str]) -> bool:
    """The page that is looked at is behind this link, and no other comes nearer to it."""
    here = request.META.get(PLACE, request.path)
    nearest = max((one for one in links if here.startswith(one)), key=len, default="")
    return link == nearest


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """As the theme wants it."""
    groups: dict[str, Sequence[Place]] = {**GROUPS, **({"Accounts": ACCOUNTS} if request.user.is_superuser else {})}
    links = {place: place.link() for places in groups.values() for place in places if place.is_open_to(request)}
    return [
        {"title": title, "items": [_item(place, links, request) for place in places if place in links]}
        for title, places in groups.items()
    ]


def stand_at(request: HttpRequest, list_of: str) -> None:
    """For a page whose address lies below another place than the one it is about. `list_of` as in `Place.model`."""
    request.META[PLACE] = reverse(f"admin:{list_of}_changelist")


def _item(place: Place, links: Mapping[Place, str], request: HttpRequest) -> dict[str, Any]:
    link = links[place]
    is_active = is_open(link, request, links.values())
    return {"title": place.title, "icon": place.icon, "link": link, "has_permission": True, "active": is_active}


def environment(request: HttpRequest) -> tuple[str, str]:
    """The badge beside the title, so that nobody takes a trial for the real thing."""
    return ("Development", "info") if settings.DEBUG else ("Production", "success")
