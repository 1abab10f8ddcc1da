"""Plays a tenant's own receiver: it believes only what the public `standardwebhooks` library verifies."""

from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from tests.peers.http_server import Answer, HttpPeer, Request

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


class WebhookPeer(HttpPeer):
    """`accepted` holds the payload of each distinct `webhook-id`: repeats are recognised."""

    path = "/hooks/traffic"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.secret = SECRET
        self.accepted: dict[str, Any] = {}

    def answer(self, request: Request) -> Answer:
        if request.target != self.path:
            return self.refuse(404)
        try:
            payload = Webhook(self.secret).verify(request.body, dict(request.headers))
        except WebhookVerificationError as error:
            return Answer.of({"error": str(error)}, status=401)
        self.accepted.setdefault(request.headers["webhook-id"], payload)
        return Answer.of({"received": True})

    def forget(self) -> None:
        super().forget()
        self.accepted.clear()
