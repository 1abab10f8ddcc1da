"""The page that says what would reach a customer."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from notification_processor.admin.reach import hours_of
from notification_processor.models import Workflow
from tests.admin.conftest import logged_in, staff
from tests.admin.pages import page_of
from tests.admin.world import World
from user_preferences.models import Customer
from user_preferences.quiet_hours import DAYS


def reach_of(customer: Customer) -> str:
    return reverse("admin:notification_processor_workflow_reach", args=[customer.pk])


def test_page_has_the_answer_and_its_rule(viewer: Client, acme_world: World) -> None:
    text = viewer.get(reach_of(acme_world.customer)).content.decode()

    assert "acme.created" in text
    assert "not_in_workflow" in text
    assert "system_default" in text
    assert "Quiet hours: none." in text


def test_page_masks_addresses(viewer: Client, superuser: Client, acme_world: World) -> None:
    masked, full = (client.get(reach_of(acme_world.customer)).content.decode() for client in (viewer, superuser))

    assert "p•••@acme.test" in masked
    assert acme_world.customer.email not in masked
    assert acme_world.customer.email in full


def test_page_of_a_customer_leads_there(viewer: Client, acme_world: World) -> None:
    assert reach_of(acme_world.customer) in viewer.get(page_of(acme_world.customer)).content.decode()


def test_foreign_customer_is_not_there(operator: Client, acme_world: World, globex_world: World) -> None:
    assert operator.get(reach_of(globex_world.customer)).status_code == 404
    assert logged_in(staff(acme_world.tenant)).get(reach_of(acme_world.customer)).status_code == 403


def test_page_takes_a_dozen_queries_however_many_workflows(viewer: Client, acme_world: World) -> None:
    Workflow.objects.bulk_create(
        Workflow(tenant=acme_world.tenant, event_type=f"kind.{n}", channels=["email"]) for n in range(40)
    )

    with CaptureQueriesContext(connection) as queries:
        viewer.get(reach_of(acme_world.customer))

    assert len(queries) <= 12, [query["sql"] for query in queries]


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        (None, ""),
        ({"enabled": False, "days": {"mon": [["22:00", "07:00"]]}}, ""),
        (
            {"days": {"mon": [["22:00", "07:00"]], "sat": []}, "timezone": "Europe/Warsaw"},
            "mon 22:00–07:00 (Europe/Warsaw)",
        ),
        (
            {
                "days": {day: [["22:00", "07:00"]] for day in DAYS},
                "channels": ["slack"],
            },
            "every day 22:00–07:00 (the tenant's time zone), on slack",
        ),
    ],
)
def test_quiet_hours_are_said_in_a_line(stored, said: str) -> None:
    assert hours_of(Customer(quiet_hours=stored)) == said


def test_sidebar_marks_what_the_page_is_about(viewer: Client, acme_world: World) -> None:
    groups = viewer.get(reach_of(acme_world.customer)).context["sidebar_navigation"]

    assert [item["title"] for group in groups for item in group["items"] if item["active"]] == ["Customers"]
