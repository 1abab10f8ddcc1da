"""Problems as the middleware and the views would send them, without either."""

from django.core.handlers.wsgi import get_path_info

from traffic_control.errors import CONTENT_TYPE, Problem, problem_body
from traffic_control.log_context import request_id_of
from traffic_control.renderers import ProblemAwareJSONRenderer
from traffic_control.threshold import Answer, Environ

RENDERER = ProblemAwareJSONRenderer()
EVERY_ANSWER = {
    "Content-Type": CONTENT_TYPE,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


def bare(problem: Problem, environ: Environ) -> Answer:
    """Lacks `Allow`, which takes the view to know, and HSTS, which the next answer brings."""
    request_id, path = request_id_of(environ), get_path_info(environ)
    known = problem_body(problem.status_code, problem.code, str(problem.detail), path=path)
    body = RENDERER.render(known | {"request_id": request_id} | problem.members)
    headers = EVERY_ANSWER | problem.headers | {"X-Request-ID": request_id, "Content-Length": str(len(body))}
    return Answer(problem.status_code, headers, body)
