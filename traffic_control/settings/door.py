"""What comes in: the HTTP interface and its limits."""

from .install import DEBUG, env

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["tenants.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["tenants.authentication.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["traffic_control.renderers.ProblemAwareJSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["traffic_control.parsers.StrictJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "traffic_control.negotiation.QuickNegotiation",
    "DEFAULT_SCHEMA_CLASS": "traffic_control.openapi.Schema",
    "EXCEPTION_HANDLER": "traffic_control.errors.problem_handler",
    "UNAUTHENTICATED_USER": None,
    "COERCE_DECIMAL_TO_STRING": True,
}
REGISTRATION = env.str("REGISTRATION", "open" if DEBUG else "closed")
REGISTRATION_TOKEN = env.str("REGISTRATION_TOKEN", "")
MAX_BODY_BYTES = env.int("MAX_BODY_BYTES", 256 * 1024)
MAX_BATCH_BODY_BYTES = env.int("MAX_BATCH_BODY_BYTES", 4 * 1024 * 1024)
WEB_THREADS = env.int("WEB_THREADS", 4)  # of each web process; about half of them may wait for slow bodies
MAX_JSON_DEPTH = env.int("MAX_JSON_DEPTH", 20)
IDEMPOTENCY_HOURS = env.int("IDEMPOTENCY_HOURS", 24)
RETENTION_DAYS = env.int("RETENTION_DAYS", 0)  # for `manage.py partitions`, which is told to drop; 0: told how old, too
CONTENT_DAYS = env.int("CONTENT_DAYS", 30)  # after which addresses and texts are cleared; 0: never
DATA_UPLOAD_MAX_MEMORY_SIZE = max(MAX_BODY_BYTES, MAX_BATCH_BODY_BYTES)
BACKLOG_LIMIT = env.int("BACKLOG_LIMIT", 1_000_000)
API_RATE_LIMIT = env.str("API_RATE_LIMIT", "")
RECIPIENT_RATE_LIMIT = env.str("RECIPIENT_RATE_LIMIT", "")
INBOX_STREAM_URL = env.str("INBOX_STREAM_URL", "").rstrip("/")  # of the demo page; behind nginx it is one origin
INBOX_STREAMS = env.int("INBOX_STREAMS", 5_000)  # open at a time, in each process that streams
INBOX_RATE_LIMIT = env.str("INBOX_RATE_LIMIT", "600/m")
CALLBACK_RATE_LIMIT = env.str("CALLBACK_RATE_LIMIT", "6000/m")

SPECTACULAR_SETTINGS = {
    "TITLE": "Traffic Control",
    "DESCRIPTION": "Multi-tenant notifications: say what happened, or what to send.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/(api/)?v?1?",
    "ENUM_NAME_OVERRIDES": {"OrderStatusEnum": "event_intake.models.Order.Status"},
}
