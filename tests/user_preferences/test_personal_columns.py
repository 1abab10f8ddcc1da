"""What a table says about people: every column with words has to be told apart, so that erasure forgets none."""

import pytest
from django.apps import apps
from django.db.models import CharField, JSONField, TextField

# Every text and JSON column there is. A new one has to be put on one side: does it ever say anything about a person?
ABOUT_PEOPLE = {
    # the rows of these three go
    "user_preferences.customer": "user_id name email phone addresses locale timezone attributes quiet_hours",
    "user_preferences.preference": "category channel source",
    "user_preferences.consententry": "category channel quiet_hours source actor_kind actor_id ip_hash text_version",
    "user_preferences.erasure": "sealed",  # emptied with the last step
    "delivery_gateway.notificationlog": "user_id to subject body html payload detail provider_message_id"
    " provider_response",
    "delivery_gateway.attempt": "detail",
    "delivery_gateway.providerevent": "detail",
    "delivery_gateway.deadletter": "reason discard_reason",
    "delivery_gateway.inboxitem": "title body payload category actions_done",  # the row goes
    "delivery_gateway.sandboxmessage": "channel to subject body html payload event_type user_id",  # the row goes
    "delivery_gateway.suppression": "address_hash",  # stays, and is what keeps the promise
    "notification_processor.event": "recipients payload cursor error",
    "tenants.idempotencyrecord": "response",
    "admin.logentry": "object_repr",
}
ABOUT_NOBODY = {
    "user_preferences.erasure": "stage cursor",
    "delivery_gateway.notificationlog": "mode event_type channel lane template_name category status reason"
    " error_class error_code provider",
    "delivery_gateway.attempt": "outcome code",
    "delivery_gateway.providerevent": "kind code",
    "delivery_gateway.deadletter": "channel code",
    "delivery_gateway.replayjob": "state chosen started_by",
    "delivery_gateway.notificationcopy": "kind made_by",
    "delivery_gateway.inboxitem": "event_type",
    "delivery_gateway.deliverycount": "channel mode status",
    "delivery_gateway.minutecount": "channel mode what detail",
    "delivery_gateway.suppression": "channel scope reason",
    "notification_processor.event": "mode event_type topic channels idempotency_key fingerprint state plan",
    "notification_processor.workflow": "event_type channels template category quiet_hours dedup_key",
    "notification_processor.messagetemplate": "name channel locale",
    "notification_processor.templateversion": "subject body html",
    "notification_processor.seenkey": "key_hash",
    "event_intake.order": "order_number items currency status",
    # its operator's, not a recipient's
    "tenants.tenant": "name slug email channel_defaults default_locale timezone inbox_origins",
    "tenants.apikey": "name mode public_id secret_hash last_four scopes",
    "tenants.inboxsecret": "kid sealed last_four",
    "tenants.integration": "channel provider name config sealed secret_hints paused_reason",
    "tenants.idempotencyrecord": "scope key fingerprint location",
    "tenants.sweepmark": "kind",
    "monitoring.auditentry": "action actor_kind actor_id actor_label object_kind object_id summary changes ip"
    " request_id digest",
    "monitoring.audithead": "digest",
    "admin.logentry": "object_id change_message",
}
OURS = (
    "tenants",
    "user_preferences",
    "delivery_gateway",
    "notification_processor",
    "event_intake",
    "monitoring",
    "admin",
)


def columns():
    """Of every model: its columns that can hold words."""
    for label in OURS:
        for model in apps.get_app_config(label).get_models():
            found = {f.name for f in model._meta.concrete_fields if isinstance(f, CharField | TextField | JSONField)}
            if found:
                yield model._meta.label_lower, found


@pytest.mark.parametrize(("model", "found"), list(columns()), ids=lambda value: value if isinstance(value, str) else "")
def test_every_column_with_words_is_on_one_side(model, found):
    about, harmless = (set(side.get(model, "").split()) for side in (ABOUT_PEOPLE, ABOUT_NOBODY))

    assert about | harmless == found
    assert not about & harmless
