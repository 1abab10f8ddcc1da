"""What kind of install this is."""

from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parents[2]
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

IS_EMBEDDED = not env.str("DATABASE_URL", "")
DEBUG = env.bool("DEBUG", IS_EMBEDDED)
INSECURE_KEY = "insecure-development-key-never-for-production"
SECRET_KEY = env.str("SECRET_KEY", INSECURE_KEY if DEBUG else "")
if not SECRET_KEY or (SECRET_KEY == INSECURE_KEY and not DEBUG):
    raise ImproperlyConfigured(
        "SECRET_KEY is not set, and DEBUG is off. Set it to 50 random characters: "
        'python -c "import secrets; print(secrets.token_urlsafe(50))"'
    )
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] + ([".localhost"] if DEBUG else [])
)
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
PUBLIC_URL = env.str("PUBLIC_URL", "").rstrip("/")
