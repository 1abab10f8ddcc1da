"""Plays the Teams Workflows trigger: 202 and an empty body once it has an Adaptive Card it can read."""

import json
from typing import Any

from tests.peers.http_server import Answer, HttpPeer, Request

MAX_BYTES = 28 * 1024
CARD = "application/vnd.microsoft.card.adaptive"


class TeamsPeer(HttpPeer):
    path = "/powerautomate/automations/direct/workflows/0a1b/triggers/manual/paths/invoke?api-version=1&sig=secret"

    def answer(self, request: Request) -> Answer:
        if request.target != self.path:
            return self.refuse(404)
        # Without a charset, the flow counts the body as UTF-16 and takes half as much.
        limit = MAX_BYTES if "charset=utf-8" in request.headers.get("content-type", "") else MAX_BYTES // 2
        if len(request.body) > limit:
            return self.refuse(413)
        try:
            _check(json.loads(request.body))
        except (ValueError, KeyError, TypeError, AssertionError) as error:
            return Answer.of({"error": {"code": "TriggerInputSchemaMismatch", "message": repr(error)}}, status=400)
        return Answer(202)

    def refuse(self, status: int) -> Answer:
        code = {401: "DirectApiAuthorizationRequired", 404: "WorkflowNotFound", 429: "TooManyRequests"}.get(
            status, "Error"
        )
        return Answer.of({"error": {"code": code, "message": f"The flow answers {status}."}}, status=status)


def _check(payload: Any) -> None:
    assert set(payload) == {"type", "attachments"}
    assert payload["type"] == "message"
    (attachment,) = payload["attachments"]
    assert attachment["contentType"] == CARD
    assert attachment["contentUrl"] is None
    card = attachment["content"]
    assert card["$schema"] == "http://adaptivecards.io/schemas/adaptive-card.json"
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert card["body"], "a card needs a body"
    for block in card["body"]:
        assert block["type"] == "TextBlock"
        assert block["text"]
        assert set(block) <= {"type", "text", "weight", "size", "wrap"}
