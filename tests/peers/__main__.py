"""`python -m tests.peers [slack teams …]`: peers as a process. Prints one line of JSON with their addresses.

`control` is a small HTTP door to them: `POST /slack/script ["500", "ok"]`, `POST /slack/always "hang"`,
`GET /slack/received`, `DELETE /slack`.
"""

import argparse
import base64
import json
import signal
import threading
from typing import Any

from tests.peers.http_server import Answer, HttpPeer, Request
from tests.peers.server import Peer
from tests.peers.slack import SlackPeer
from tests.peers.smtp import Mail, SmtpPeer
from tests.peers.teams import TeamsPeer
from tests.peers.telegram import TelegramPeer
from tests.peers.webhook import WebhookPeer

KINDS: dict[str, type[Peer[Any]]] = {
    "slack": SlackPeer,
    "teams": TeamsPeer,
    "telegram": TelegramPeer,
    "webhook": WebhookPeer,
    "smtp": SmtpPeer,
}


class Control(HttpPeer):
    def __init__(self, peers: dict[str, Peer[Any]]) -> None:
        super().__init__()
        self.peers = peers

    def answer(self, request: Request) -> Answer:
        name, _, action = request.target.strip("/").partition("/")
        peer = self.peers.get(name)
        if peer is None:
            return self.refuse(404)
        match request.method, action:
            case "GET", "received":
                return Answer.of(
                    {"connections": peer.connections, "received": [_shown(item) for item in peer.received]}
                )
            case "POST", "script":
                peer.script(*request.json)
            case "POST", "always":
                peer.always(request.json)
            case "DELETE", "":
                peer.forget()
            case _:
                return self.refuse(405)
        return Answer(204)


def _shown(item: Request | Mail) -> dict[str, Any]:
    if isinstance(item, Mail):
        return {"mail_from": item.mail_from, "rcpt_tos": item.rcpt_tos, "content": _text(item.content)}
    return {"target": item.target, "headers": dict(item.headers), "body": _text(item.body)}


def _text(content: bytes) -> str:
    """As text, or in base64 when it is none."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return base64.b64encode(content).decode()


def _address(peer: Peer[Any]) -> dict[str, Any]:
    address: dict[str, Any] = {"host": peer.host, "port": peer.port}
    if isinstance(peer, HttpPeer):
        address |= {"url": peer.url, "base_url": peer.base_url}
    if isinstance(peer, TelegramPeer):
        address["token"] = peer.token
    if isinstance(peer, WebhookPeer):
        address["secret"] = peer.secret
    return address


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="kind", choices=[*KINDS, []], help=", ".join(KINDS))
    kinds = parser.parse_args().kinds or list(KINDS)
    peers = {kind: KINDS[kind]().start() for kind in kinds}
    control = Control(peers).start()
    addresses = {kind: _address(peer) for kind, peer in peers.items()}
    print(json.dumps(addresses | {"control": {"url": control.base_url}}), flush=True)
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    over.wait()
    for peer in (*peers.values(), control):
        peer.stop()


if __name__ == "__main__":
    main()
