from typing import Any

import requests
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from jinja2.sandbox import SandboxedEnvironment

from bench.plain.models import MessageTemplate


def deliver(template: MessageTemplate, address: str, variables: dict[str, Any]) -> None:
    subject, body = _render(template.subject, variables), _render(template.body, variables)
    if template.channel == "email":
        _send_mail(address, subject, body)
    elif template.channel == "slack":
        _post(address, {"text": body})
    else:
        _post(address, {"subject": subject, "body": body})


def _render(source: str, variables: dict[str, Any]) -> str:
    return SandboxedEnvironment(autoescape=True).from_string(source).render(variables)


def _send_mail(address: str, subject: str, body: str) -> None:
    message = EmailMultiAlternatives(subject, body, settings.DEFAULT_FROM_EMAIL, [address])
    message.attach_alternative(body, "text/html")
    message.send()


def _post(address: str, content: dict[str, str]) -> None:
    requests.post(address, json=content, timeout=10).raise_for_status()
