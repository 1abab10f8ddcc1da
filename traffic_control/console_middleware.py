"""Django's middleware for people with browsers: the API, which knows keys and no cookies, does without."""

from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.utils.deprecation import MiddlewareMixin

CONSOLE = "/admin/"


class ForConsole(MiddlewareMixin):
    def __call__(self, request: HttpRequest) -> Any:
        return super().__call__(request) if request.path_info.startswith(CONSOLE) else self.get_response(request)


class ConsoleSessions(ForConsole, SessionMiddleware):
    """`request.session`"""


class ConsoleUsers(ForConsole, AuthenticationMiddleware):
    """`request.user`"""


class ConsoleMessages(ForConsole, MessageMiddleware):
    """`request._messages`"""
