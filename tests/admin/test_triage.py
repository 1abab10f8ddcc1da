"""Dead letters by cause in the console: test one, send all again, discard, export; each within one's own tenant."""

import pytest
from django.test import Client
from django.urls import reverse

from delivery_gateway.models import DeadLetter, NotificationLog, ReplayJob
from delivery_gateway.states import Status
from tests.admin.conftest import logged_in
from tests.admin.pages import act, messages_of
from tests.admin.world import World

CAUSES = reverse("admin:delivery_gateway_deadletter_triage")
EXPORT = reverse("admin:delivery_gateway_deadletter_export")


def take(client: Client, step: str, world: World, **fields: str):
    cause = {"tenant": str(world.tenant.pk), "channel": world.letter.channel, "code": world.letter.code}
    return client.post(CAUSES, {"step": step, **cause, **fields}, follow=True)


def page(response) -> str:
    text: str = response.content.decode()
    return text


def test_causes_are_counted_by_tenant(superuser: Client, acme_world: World, globex_world: World) -> None:
    text = page(superuser.get(CAUSES))

    for tenant in ("acme", "globex"):
        assert f"1 letter: email <code>http_500</code>, tenant {tenant}" in text


def test_staff_see_causes_of_their_tenant(operator: Client, acme_world: World, globex_world: World) -> None:
    text = page(operator.get(CAUSES))

    assert "tenant acme" in text
    assert "globex" not in text


def test_cause_is_tested_with_one_letter(operator: Client, acme_world: World) -> None:
    response = take(operator, "test", acme_world)

    acme_world.letter.refresh_from_db()
    assert acme_world.letter.replayed_at is not None
    assert response.redirect_chain[0][0].endswith(f"/{acme_world.letter.pk}/change/")


def test_all_of_a_cause_are_counted_first_and_then_sent_by_a_job(operator: Client, acme_world: World) -> None:
    NotificationLog.objects.filter(pk=acme_world.notification.pk).update(ambiguous=1)

    asked = page(take(operator, "ask", acme_world))
    assert "Send 1 letter again" in asked
    assert "1 of them may have arrived already" in asked
    assert not ReplayJob.objects.exclude(pk=acme_world.job.pk).exists()

    shown = page(take(operator, "replay", acme_world, rate="5"))

    job = ReplayJob.objects.exclude(pk=acme_world.job.pk).get()
    assert (job.total, job.rate, job.chosen) == (1, 5, {"channel": "email", "code": "http_500"})
    assert 'hx-trigger="every 2s"' in shown
    assert "0 of 1" in shown


def test_page_of_a_replay_that_has_ended_is_loaded_once_more(operator: Client, acme_world: World) -> None:
    url = reverse("admin:delivery_gateway_replayjob_change", args=[acme_world.job.pk])

    asking, looking = operator.get(url, headers={"HX-Request": "true"}), operator.get(url)

    assert asking.headers["HX-Refresh"] == "true"
    assert "HX-Refresh" not in looking.headers
    assert 'hx-trigger="every 2s"' not in page(looking)


def test_running_job_is_cancelled(operator: Client, acme_world: World) -> None:
    ReplayJob.objects.filter(pk=acme_world.job.pk).update(state="running", finished_at=None)

    act(operator, "cancel", acme_world.job)

    acme_world.job.refresh_from_db()
    assert acme_world.job.state == "cancelled"


def test_discarding_wants_a_reason(operator: Client, acme_world: World) -> None:
    refused = messages_of(take(operator, "discard", acme_world, reason=" "))
    done = messages_of(take(operator, "discard", acme_world, reason="Left."))

    acme_world.letter.refresh_from_db()
    assert (refused, done) == ("Say why they are discarded.", "1 discarded.")
    assert acme_world.letter.discard_reason == "Left."


@pytest.mark.parametrize("step", ["test", "ask", "replay", "discard"])
def test_other_tenants_letters_are_out_of_reach(
    operator: Client, acme_world: World, globex_world: World, step: str
) -> None:
    assert take(operator, step, globex_world, reason="x").status_code == 403
    assert not DeadLetter.objects.exclude(replayed_at=None, discarded_at=None).exists()


@pytest.mark.parametrize("step", ["test", "ask", "replay", "discard"])
def test_whoever_may_only_look_changes_nothing(viewer: Client, acme_world: World, step: str) -> None:
    assert take(viewer, step, acme_world, reason="x").status_code == 403
    assert 'name="step"' not in page(viewer.get(CAUSES))
    assert NotificationLog.objects.get(pk=acme_world.notification.pk).status == Status.FAILED


@pytest.mark.parametrize("fields", [{"step": "burn"}, {"step": "test"}, {"step": "replay", "tenant": "x"}], ids=str)
def test_nonsense_is_told_so(superuser: Client, fields: dict[str, str]) -> None:
    assert messages_of(superuser.post(CAUSES, fields, follow=True)) == "That could not be understood."


@pytest.mark.parametrize(("kind", "start"), [("csv", "id,notification_id,"), ("jsonl", "{")])
def test_export_is_of_ones_own_tenant_and_masked(
    operator: Client, acme_world: World, globex_world: World, kind: str, start: str
) -> None:
    text = operator.get(f"{EXPORT}?as={kind}").getvalue().decode()

    assert text.startswith(start)
    assert str(acme_world.letter.pk) in text
    assert str(globex_world.letter.pk) not in text
    assert "p•••@acme.test" in text


def test_strangers_are_sent_to_the_sign_in_page(db: None) -> None:
    assert {Client().get(url).status_code for url in (CAUSES, EXPORT)} == {302}


def test_staff_without_the_right_to_look_are_refused(acme_world: World) -> None:
    from tests.admin.conftest import staff

    nobody = logged_in(staff(acme_world.tenant))

    assert {nobody.get(url).status_code for url in (CAUSES, EXPORT)} == {403}
