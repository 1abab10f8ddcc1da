"""Header fields that only some mail has: links to unsubscribe, and our id for services that call back with theirs."""

from delivery_gateway.contract import Message

# Fields that a service gives back in its callbacks. Others name the mail by its Message-ID, which has our id in it.
CARRIED = {
    "postmark": ("X-PM-Metadata-notification", "{id}"),
    "resend": ("X-Metadata", '{{"notification":"{id}"}}'),
    "brevo": ("X-Mailin-custom", '{{"notification":"{id}"}}'),
    "sparkpost": ("X-MSYS-API", '{{"metadata":{{"notification":"{id}"}}}}'),
    "mailjet": ("X-MJ-EventPayload", '{{"notification":"{id}"}}'),
}


def extra_fields(message: Message, service: str) -> dict[str, str]:
    """`service`: whose callbacks are awaited, if any."""
    fields = unsubscribe_fields(message.unsubscribe_url)
    if carried := CARRIED.get(service):
        fields[carried[0]] = carried[1].format(id=message.id)
    return fields


def unsubscribe_fields(url: str) -> dict[str, str]:
    """List-Unsubscribe (RFC 2369), and the promise that a POST to it is enough (RFC 8058), which needs https."""
    if not url:
        return {}
    fields = {"List-Unsubscribe": f"<{url}>"}
    return fields | {"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"} if url.startswith("https:") else fields
