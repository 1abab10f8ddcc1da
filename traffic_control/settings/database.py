"""The database: the record of truth."""

import environ

from .install import BASE_DIR, env

_database = environ.Env.db_url_config(env.str("DATABASE_URL", "") or f"sqlite:///{BASE_DIR / 'db.sqlite3'}")
DATABASES = {"default": _database}
IS_SQLITE = _database["ENGINE"].endswith("sqlite3")
_database.setdefault("OPTIONS", {})
if IS_SQLITE:
    # One writer at a time: take the write lock at BEGIN, or two readers that both want to write would deadlock.
    _database["OPTIONS"] |= {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=20000",
    }
else:
    _database["ENGINE"] = _database["ENGINE"].replace("django.db.backends.postgresql", "traffic_control.postgresql")
    _database["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", 600)
    _database["CONN_HEALTH_CHECKS"] = True
    _database["OPTIONS"] = {"connect_timeout": 3, "application_name": "traffic_control"} | _database["OPTIONS"]
# on: no request without it; off: never; auto: as soon as `migrate` or `manage.py isolate` has made what it takes.
ROW_SECURITY = env.str("ROW_SECURITY", "auto")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
