"""The console's first page says what the sums say, to each what is theirs, in a handful of queries."""

import json
import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from delivery_gateway.models import DeadLetter, NotificationLog
from delivery_gateway.states import Status
from monitoring.dashboard.figures import Figures
from monitoring.dashboard.period import RANGES, Period
from tenants.models import Tenant
from tests.admin.conftest import logged_in, staff, superuser  # noqa: F401 - fixtures

MOST_QUERIES = 12


@pytest.fixture
def seeded(db: None) -> None:
    call_command("seed_demo", verbosity=0)


def board(client: Client, **query: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(reverse("admin:index"), query).context["board"]
    return found


def tile(found: dict[str, Any], title: str) -> str:
    return str(next(one.value for one in found["tiles"] if one.title == title)).replace(",", "")


def drawn(found: dict[str, Any], key: str) -> int:
    return sum(value or 0 for line in found["drawn"][key]["lines"] for value in line["data"])


@pytest.mark.usefixtures("seeded")
def test_tiles_say_what_the_ledger_says(superuser: Client) -> None:  # noqa: F811
    found = board(superuser, range="7d")

    rows = NotificationLog.objects.all()
    sent = rows.filter(status__in=[Status.SENT, Status.DELIVERED, Status.BOUNCED]).count()
    failed = rows.filter(status=Status.FAILED).count()
    assert tile(found, "Accepted") == str(rows.count())
    assert tile(found, "Sent") == str(sent)
    assert tile(found, "Success") == f"{100 * sent / (sent + failed):.1f} %"
    assert tile(found, "Dead letters") == str(DeadLetter.objects.count()) == str(failed)


@pytest.mark.usefixtures("seeded")
def test_plots_draw_every_message_once(superuser: Client) -> None:  # noqa: F811
    found = board(superuser, range="7d")

    rows = NotificationLog.objects.exclude(status=Status.SCHEDULED)
    bounced = rows.filter(status=Status.BOUNCED).count()  # sent before, and bounced afterwards
    assert drawn(found, "throughput") == rows.count() + bounced
    assert (
        found["drawn"]["under_way"]["lines"][0]["data"][-1]
        == NotificationLog.objects.exclude(
            status__in=[Status.SENT, Status.DELIVERED, Status.BOUNCED, Status.FAILED, Status.SUPPRESSED]
        ).count()
    )


@pytest.mark.usefixtures("seeded")
def test_causes_lead_to_their_dead_letters(superuser: Client) -> None:  # noqa: F811
    for cause in board(superuser, range="7d")["causes"]:
        assert len(superuser.get(cause.link).context["cl"].result_list) == cause.count


@pytest.mark.usefixtures("seeded")
def test_tenant_filter_and_staff_of_that_tenant_see_the_same(superuser: Client) -> None:  # noqa: F811
    acme, globex = Tenant.objects.order_by("name")
    own = logged_in(staff(acme, *Permission.objects.filter(codename__startswith="view_")))

    filtered, seen = (board(c, range="7d", tenant=str(t.pk)) for c, t in ((superuser, acme), (own, globex)))

    assert [one.value for one in seen["tiles"]] == [one.value for one in filtered["tiles"]]
    assert tile(seen, "Accepted") == str(NotificationLog.objects.filter(tenant=acme).count())
    assert seen["tenants"] == []
    assert "Globex" not in own.get(reverse("admin:index")).content.decode()


@pytest.mark.usefixtures("seeded")
def test_staff_of_nobody_and_who_may_not_look_see_no_figures() -> None:
    nobody = logged_in(staff(None, *Permission.objects.all()))
    blind = logged_in(staff(Tenant.objects.first()))

    assert ["board" in one.get(reverse("admin:index")).context for one in (nobody, blind)] == [False, False]


@pytest.mark.parametrize("range_", RANGES)
@pytest.mark.usefixtures("seeded")
def test_queries_stay_few(range_: str, superuser: Client) -> None:  # noqa: F811
    superuser.get(reverse("admin:index"))
    with CaptureQueriesContext(connection) as queries:
        superuser.get(reverse("admin:index"), {"range": range_})

    assert len(queries) <= MOST_QUERIES
    ledger = [q["sql"] for q in queries if "delivery_gateway_notificationlog" in q["sql"]]
    assert [sql for sql in ledger if "queued" not in sql] == []


def test_empty_install_shows_how_to_begin(superuser: Client, settings: Any) -> None:  # noqa: F811
    settings.REGISTRATION = "open"
    found = board(superuser)

    assert "http://testserver/v1/notify/" in found["quickstart"]["curl"]
    assert [plot.rows for plot in found["plots"]] == [[], [], [], []]


def test_test_traffic_alone_is_what_is_shown(superuser: Client, seeded: None) -> None:  # noqa: F811
    from delivery_gateway.models import DeliveryCount, MinuteCount

    DeliveryCount.objects.update(mode="test")
    MinuteCount.objects.update(mode="test")

    assert board(superuser)["mode"] == "test"
    assert board(superuser, mode="live")["mode"] == "live"


@pytest.mark.parametrize("query", [{"range": "x"}, {"tenant": "x"}, {"mode": "<b>"}])
def test_nonsense_is_answered_with_the_usual(query: dict[str, str], superuser: Client) -> None:  # noqa: F811
    assert superuser.get(reverse("admin:index"), query).status_code == 200


def test_numbers_reach_the_page_as_json(superuser: Client, seeded: None) -> None:  # noqa: F811
    page = superuser.get(reverse("admin:index")).content.decode()

    (found,) = re.findall(r'<script id="drawn" type="application/json">(.*?)</script>', page)
    assert set(json.loads(found)) == {"throughput", "success", "latency", "under_way"}


def test_period_and_the_one_before_are_of_one_length() -> None:
    from django.utils import timezone

    period = Period.until(timezone.now(), RANGES["24h"])

    assert period.end - period.start == period.start - period.before == 24 * 60
    assert len(period.labels) == 96


def test_figures_of_nothing_are_none() -> None:
    assert Figures().latency_of_all(0.95) is None


def test_demo_keeps_to_the_lengths_of_columns(seeded: None) -> None:
    """SQLite does not."""
    for row in (
        *NotificationLog.objects.all()[:500],
        *NotificationLog.objects.exclude(error_class=""),
        *DeadLetter.objects.all(),
    ):
        row.clean_fields(exclude=["tenant", "notification"])
