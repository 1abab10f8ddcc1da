"""Every `code` a problem can have: one table, from which /docs/errors/ and docs/errors.md are made."""

from typing import NamedTuple


class Entry(NamedTuple):
    """`remedy` says what the caller does next."""

    code: str
    status: int
    meaning: str
    remedy: str


CATALOGUE = (
    Entry("already_replayed", 409, "This dead letter was sent again before.", "Look at its notification's status."),
    Entry("ambiguous_person", 409, "Several customers have this address.", "Name each of them by its `user_id`."),
    Entry("backlog_full", 429, "So much of this tenant waits to be sent that no more is taken for now.",
          "Send the same request again after `Retry-After`; what was accepted before is on its way."),
    Entry("bad_request", 400, "The request could not be understood at all.", "Check its URL, headers and host."),
    Entry("batch_rejected", 400, "Every item of the batch is faulty.", "`errors` has a pointer for each; mend them."),
    Entry("conflict", 409, "Somebody else has changed it meanwhile.", "Look at it again, then decide."),
    Entry("content_cleared", 409, "The address and the text of this dead letter were cleared.",
          "There is nothing left to send."),
    Entry("customer_exists", 409, "There is a customer with this `user_id`.", "PATCH that one, or use the batch call."),
    Entry("database_unavailable", 503, "The database does not answer; nothing was stored.",
          "Send the same request again after `Retry-After`, with its `Idempotency-Key`."),
    Entry("discarded", 409, "This dead letter was put away.", "Its `discard_reason` says why."),
    Entry("error", 400, "The request was refused for a reason without a code of its own.", "`detail` has the reason."),
    Entry("idempotency_key_in_progress", 409, "The first request with this `Idempotency-Key` is still running.",
          "Send it again after `Retry-After`; you get the first one's answer."),
    Entry("idempotency_key_invalid", 400, "The `Idempotency-Key` is not 1 to 255 visible ASCII characters.",
          "Send a UUID, for instance."),
    Entry("idempotency_key_reused", 422, "The key came before, with another body.", "Use a new key."),
    Entry("illegal_status_step", 409, "An order cannot go from its status to this one.",
          "`detail` names the legal ones."),
    Entry("inbox_secret_limit", 409, "The tenant has two inbox secrets.", "Delete the older one first."),
    Entry("internal_error", 500, "Something broke on the server's side.",
          "Send it again later; tell the operator the `request_id`, which the log has too."),
    Entry("invalid_api_key", 401, "The key is unknown, expired or revoked.", "Use another key."),
    Entry("invalid_callback", 400, "The provider's call cannot be understood.", "See `callbacks` of the integration."),
    Entry("invalid_cursor", 400, "The cursor is not from this list.", "Start again without `?cursor=`."),
    Entry("invalid_filter", 400, "A query parameter has a value that it cannot have.", "`detail` says what it takes."),
    Entry("invalid_limit", 400, "`limit` is not a number from 1 to 200.", "Leave it out for 50."),
    Entry("invalid_signature", 401, "A provider's call is not proven to be its own.", "Mend `callback_secret`."),
    Entry("invalid_token", 401, "The inbox token proves nothing.", "`detail` says why; sign it anew."),
    Entry("invalid_user_id", 400, "The `user_id` in the path cannot be one.", "`detail` says why."),
    Entry("json_too_deep", 400, "The JSON is nested too deeply.", "Send it flatter."),
    Entry("last_admin_key", 409, "Without this key the tenant could no longer manage its keys.",
          "Make another live key with the scope `admin` first."),
    Entry("live_key_needed", 403, "A test key cannot make live keys, or see real people.", "Use a live key."),
    Entry("malformed_json", 400, "The body is not JSON.", "`detail` has line and column."),
    Entry("method_not_allowed", 405, "The path does not take this method.", "The header `Allow` has those it takes."),
    Entry("missing_scope", 403, "The key lacks the scope of this call.", "Use a key that has it; `detail` names it."),
    Entry("no_public_url", 409, "The install does not know its own address.", "Its operator sets `PUBLIC_URL`."),
    Entry("no_test_inbox", 409, "In-app messages of a test key are in the sandbox, not in inboxes.", "Use a live key."),
    Entry("not_acceptable", 406, "Nothing the `Accept` header wants can be answered.", "Accept `application/json`."),
    Entry("not_authenticated", 401, "The request has no key.", "Send `X-API-KEY`, or `Authorization: Bearer …`."),
    Entry("not_cancellable", 409, "The notification is being sent, or has come to its end.", "Nothing to do."),
    Entry("not_found", 404, "There is no such path, or no such object of this tenant.", "Check the id and the key."),
    Entry("not_sent_yet", 503, "A provider tells of a message whose sending is not recorded yet.",
          "Call again after `Retry-After`."),
    Entry("nothing_to_replay", 409, "No dead letter that waits is like that.",
          "Look at `GET /v1/dead-letters/?state=waiting`."),
    Entry("order_exists", 409, "There is an order with this number.", "Use another number."),
    Entry("origin_not_allowed", 403, "The tenant has not named the page's origin.",
          "Add it to `inbox_origins`: PATCH /v1/tenants/me/."),
    Entry("payload_too_large", 413, "The body is larger than this call takes.", "Split it, or use the batch call."),
    Entry("permission_denied", 403, "The caller may not do this.", "`detail` says why."),
    Entry("preference_locked", 400, "These messages are essential, and cannot be declined.", "Leave them out."),
    Entry("preferences_changed", 412, "The choices are no longer those that `If-Match` names.",
          "Read them again, and decide anew."),
    Entry("rate_limited", 429, "The tenant has made its share of requests. `type` is the IETF's `quota-exceeded`.",
          "Wait for `Retry-After`; batch calls count as one."),
    Entry("registration_closed", 403, "This install takes no registrations.", "Ask its operator for a tenant."),
    Entry("registration_token_invalid", 403, "`X-Registration-Token` is missing or wrong.", "Ask the operator for it."),
    Entry("renderer_unavailable", 503, "Templates cannot be rendered at the moment; nothing was stored.",
          "Send the same request again after `Retry-After`; `manage.py doctor` tells the operator why."),
    Entry("stale_callback", 401, "The signed time of a provider's call is too far from now.",
          "Sign it anew; check the clock."),
    Entry("streaming_unavailable", 501, "This install does not stream.", "Poll `/v1/inbox/counts/` instead."),
    Entry("template_exists", 409, "There is a template with this name, channel and locale.", "PATCH that one."),
    Entry("template_syntax", 400, "The template cannot be parsed.", "`errors` has line and column."),
    Entry("tenant_inactive", 403, "The tenant is switched off.", "Ask the operator to activate it."),
    Entry("test_key", 409, "A test key never sends, so it cannot test an integration.", "Use a live key."),
    Entry("token_expired", 401, "The inbox token has expired.", "Get a fresh one from your server."),
    Entry("token_revoked", 401, "The tenant has called back the tokens that this user had.",
          "Get a fresh one from your server."),
    Entry("too_many_bad_keys", 429, "Too many requests with a wrong key came from this address.",
          "Send a key that works: it is let in at once. Else wait for `Retry-After`."),
    Entry("too_many_streams", 503, "The process holds as many streams as it takes.",
          "Poll `/v1/inbox/counts/`; try again after `Retry-After`."),
    Entry("unavailable", 503, "nginx reached no web process.",
          "Send the same request again, with its `Idempotency-Key`."),
    Entry("unknown_parameter", 400, "There is no such query parameter.", "`detail` names the closest."),
    Entry("unknown_template", 400, "There is no template with this name for this channel.",
          "`detail` names the closest."),
    Entry("unsupported_media_type", 415, "The body's `Content-Type` is not taken.", "Send `application/json`."),
    Entry("validation_error", 400, "One or more fields are wrong; `errors` has a JSON pointer for each.",
          "Mend what `errors` names; `hint` often has the answer."),
    Entry("workflow_exists", 409, "There is a workflow for this event type.", "PATCH that one."),
)  # fmt: skip

INTRODUCTION = (
    "Every error is `application/problem+json` (RFC 9457). `code` is stable and made for programs; `detail` is for "
    "people: it names the value, the reason and the next step. `request_id` finds the request in the log."
)


def markdown() -> str:
    """docs/errors.md."""
    rows = (f"| `{e.code}` | {e.status} | {e.meaning} | {e.remedy} |" for e in CATALOGUE)
    head = ["| code | status | what it means | what to do |", "|---|---|---|---|"]
    note = "<!-- Made by `manage.py error_docs --write`. -->"
    return "\n".join(["# Errors", "", note, "", INTRODUCTION, "", *head, *rows, ""])
