"""Who is measured: services that are brought up, and the ways of using one that are compared with each other."""

PRODUCT, PLAIN, TUNED, BARE = "product", "plain", "tuned", "bare"
SYNCHRONOUS, POST_OFFICE, DJANGO_Q = "synchronous", "post_office", "django_q"
UNPOLICED, IN_PROCESS = "unpoliced", "in_process"
PEERS = (POST_OFFICE, DJANGO_Q, SYNCHRONOUS)

BATCH, LARGE_AUDIENCE = "batch", "large_audience"
SYSTEMS = {BATCH: PRODUCT, LARGE_AUDIENCE: PRODUCT}

TITLES = {
    PRODUCT: "Traffic Control",
    PLAIN: "plain",
    TUNED: "tuned",
    BARE: "bare view",
    SYNCHRONOUS: "in the request",
    POST_OFFICE: "django-post-office",
    DJANGO_Q: "django-q2",
    UNPOLICED: "without row security",
    IN_PROCESS: "nor renderers",
    BATCH: "in batches",
    LARGE_AUDIENCE: "to 200,000",
}


def system_of(entrant: str) -> str:
    """The service behind a name in a table."""
    return SYSTEMS.get(entrant, entrant)
