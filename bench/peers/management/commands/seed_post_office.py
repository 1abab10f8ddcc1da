from typing import Any

from django.core.management.base import BaseCommand
from post_office.models import EmailTemplate

from bench import work


class Command(BaseCommand):
    help = "The template of the plain design, as django-post-office keeps it."

    def handle(self, *_: Any, **__: Any) -> None:
        EmailTemplate.objects.create(
            name=work.TEMPLATE, subject=work.SUBJECT, content=work.BODY, html_content=work.BODY
        )
