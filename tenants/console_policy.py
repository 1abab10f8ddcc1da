"""What a console page may load and run: for pages that show words of strangers."""

from typing import TypeVar

from django.http import HttpResponse

Response = TypeVar("Response", bound=HttpResponse)

# The theme's scripts evaluate what stands in its attributes, and mail is drawn with styles of its own, in a frame that
# inherits this and closes more.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def closed(response: Response) -> Response:
    """No script of the page's own words runs, and nothing is loaded from elsewhere."""
    response["Content-Security-Policy"] = POLICY
    return response
