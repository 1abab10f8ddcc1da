"""Workflows against channels: what is there, what is missing, and switching it."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from monitoring.models import AuditEntry
from notification_processor import matrix, templates
from notification_processor.matrix import Line, Matrix
from notification_processor.models import Workflow
from tenants.models import Integration
from tests.admin.pages import messages_of, page_of
from tests.admin.world import World, parts

MATRIX = reverse("admin:notification_processor_workflow_matrix")


@pytest.fixture
def sale(acme_world: World) -> Workflow:
    Workflow.objects.exclude(pk=acme_world.workflow.pk).delete()
    return Workflow.objects.create(
        tenant=acme_world.tenant, event_type="sale", channels=["email", "webhook"], template="acme_hello"
    )


def seen(client: Client, **query: str) -> Matrix:
    found: Matrix = client.get(MATRIX, query).context["matrix"]
    return found


def line_of(found: Matrix, workflow: Workflow) -> Line:
    return next(line for line in found.lines if line.workflow == workflow)


def tones(line: Line) -> dict[str, str]:
    return {cell.way.channel: cell.tone for cell in line.cells}


def form_of(found: Matrix) -> dict[str, list[str]]:
    """What a browser would send if nothing were ticked."""
    posted: dict[str, list[str]] = {"was": [], "active": [], "channel": []}
    for line in found.lines:
        row = line.workflow
        posted["was"].append(f"{row.pk}:{'on' if row.is_active else 'off'}:{','.join(row.channels)}")
        posted["active"] += [str(row.pk)] if row.is_active else []
        posted["channel"] += [f"{row.pk}:{channel}" for channel in row.channels]
    return posted


def test_cell_says_whether_there_is_a_template_and_a_way_out(viewer: Client, sale: Workflow) -> None:
    line = line_of(seen(viewer), sale)

    assert tones(line) == {
        "email": "well", "slack": "off", "teams": "off", "telegram": "off", "webhook": "plain", "in_app": "off",
    }  # fmt: skip
    assert [one.name for one in line.cells[0].templates] == ["acme_hello"]


def test_template_named_like_the_type_counts_as_the_generator_counts_it(viewer: Client, sale: Workflow) -> None:
    templates.create(sale.tenant, name="sale", channel="slack", locale="de", parts=parts("", "Sale!"))
    Workflow.objects.filter(pk=sale.pk).update(template="", channels=["slack", "email"])

    assert tones(line_of(seen(viewer), sale)) | {"slack": "well", "email": "plain"} == tones(
        line_of(seen(viewer), sale)
    )


def test_channel_with_nothing_to_send_through_stands_out(
    viewer: Client, acme_world: World, sale: Workflow, settings: Any
) -> None:
    settings.TELEGRAM_BOT_TOKEN = ""
    Integration.objects.filter(tenant=acme_world.tenant, channel="webhook").update(paused_at=timezone.now())
    Workflow.objects.filter(pk=sale.pk).update(channels=["telegram", "webhook"])

    response = viewer.get(MATRIX)

    found = tones(line_of(response.context["matrix"], sale))
    assert (found["telegram"], found["webhook"]) == ("stuck", "stuck")
    assert f"{reverse('admin:tenants_integration_add')}?channel=telegram" in response.content.decode()
    assert "integration paused" in response.content.decode()


def test_channels_that_customers_choose_are_no_switches(operator: Client, acme_world: World) -> None:
    Workflow.objects.filter(pk=acme_world.workflow.pk).update(channels=[])

    response = operator.get(MATRIX)

    assert {cell.is_on for cell in line_of(response.context["matrix"], acme_world.workflow).cells} == {None}
    assert f"{acme_world.workflow.pk}:email" not in response.content.decode().replace(":on:", "")


def test_switches_are_saved_and_noted(operator: Client, acme_world: World, sale: Workflow) -> None:
    form = form_of(seen(operator))
    form["channel"].remove(f"{sale.pk}:webhook")
    form["channel"].append(f"{sale.pk}:slack")
    form["active"].remove(str(acme_world.workflow.pk))

    response = operator.post(MATRIX, form, follow=True)

    sale.refresh_from_db()
    assert "2 workflows changed" in messages_of(response)
    assert (sale.channels, sale.is_active, sale.template) == (["email", "slack"], True, "acme_hello")
    assert not Workflow.objects.get(pk=acme_world.workflow.pk).is_active
    assert AuditEntry.objects.get(action="workflow.changed", object_id=str(sale.pk)).actor_kind == "user"
    assert "Changed in the matrix" in operator.get(page_of(sale, "history")).content.decode()


def test_page_sent_back_as_it_was_changes_nothing(operator: Client, sale: Workflow) -> None:
    before = Workflow.objects.get(pk=sale.pk).updated_at

    operator.post(MATRIX, form_of(seen(operator)))

    assert Workflow.objects.get(pk=sale.pk).updated_at == before


def test_last_channel_stays(operator: Client, sale: Workflow) -> None:
    form = form_of(seen(operator))
    form["channel"] = [one for one in form["channel"] if not one.startswith(str(sale.pk))]

    response = operator.post(MATRIX, form, follow=True)

    sale.refresh_from_db()
    assert "no channel left" in messages_of(response)
    assert sale.channels == ["email", "webhook"]


def test_what_somebody_else_changed_meanwhile_is_kept(operator: Client, sale: Workflow) -> None:
    form = form_of(seen(operator))
    Workflow.objects.filter(pk=sale.pk).update(channels=["teams"])
    form["channel"].append(f"{sale.pk}:slack")

    response = operator.post(MATRIX, form, follow=True)

    sale.refresh_from_db()
    assert "meanwhile" in messages_of(response)
    assert sale.channels == ["teams"]


def test_staff_see_and_change_their_own_tenant_only(
    operator: Client, viewer: Client, superuser: Client, sale: Workflow, globex_world: World
) -> None:
    theirs = globex_world.workflow
    form = {"was": [f"{theirs.pk}:on:email"], "channel": [f"{theirs.pk}:slack"], "active": [str(theirs.pk)]}
    before = Workflow.objects.get(pk=theirs.pk).channels

    operator.post(f"{MATRIX}?tenant={globex_world.tenant.pk}", form)

    assert theirs not in [line.workflow for line in seen(operator, tenant=str(globex_world.tenant.pk)).lines]
    assert Workflow.objects.get(pk=theirs.pk).channels == before
    assert viewer.post(MATRIX, form).status_code == 403
    assert theirs in [line.workflow for line in seen(superuser, tenant=str(globex_world.tenant.pk)).lines]


@pytest.mark.parametrize("said", ["", "x", "x:on:email", "::", "018f0000-0000-7000-8000-000000000000:on:email"])
def test_nonsense_is_survived(said: str, operator: Client, sale: Workflow) -> None:
    assert operator.post(MATRIX, {"was": [said], "channel": ["x:y", ":"], "active": ["z"]}).status_code == 302


def test_page_takes_a_dozen_queries_however_many_workflows(viewer: Client, acme_world: World) -> None:
    Workflow.objects.bulk_create(
        Workflow(tenant=acme_world.tenant, event_type=f"kind.{n:03}", channels=["email"]) for n in range(matrix.SHOWN)
    )

    with CaptureQueriesContext(connection) as queries:
        response = viewer.get(MATRIX)

    assert len(queries) <= 12, [query["sql"] for query in queries]
    assert response.context["matrix"].has_more


@pytest.mark.parametrize(("path", "place"), [("", "Dashboard"), ("notification_processor/workflow/matrix/", "Matrix")])
def test_sidebar_marks_one_place(path: str, place: str, superuser: Client, acme_world: World) -> None:
    groups = superuser.get(f"/admin/{path}").context["sidebar_navigation"]

    assert [item["title"] for group in groups for item in group["items"] if item["active"]] == [place]
