#!/bin/sh
# One image, several commands: web | worker | dispatcher | migrate | manage ...
set -eu

# A database that forgets commits is refused; a variable that looks misspelt is named.
check_settings() {
    python manage.py check --database default --tag database --tag settings
}

case "${1:-}" in
web)
    check_settings
    # Each thread keeps a database connection: processes times threads times containers must fit max_connections.
    exec granian --interface wsgi --host 0.0.0.0 --port "${PORT:-8000}" --no-ws \
        --workers "${WEB_CONCURRENCY:-2}" --blocking-threads "${WEB_THREADS:-4}" traffic_control.wsgi:application
    ;;
worker)
    check_settings
    # WORKER_QUEUES: some of process,deliver.email,deliver.chat,deliver.webhook,deliver.in_app; unset: all of them.
    exec celery -A traffic_control -q worker --without-gossip --without-mingle --loglevel "${LOG_LEVEL:-INFO}" \
        --concurrency "${WORKER_CONCURRENCY:-4}" ${WORKER_QUEUES:+--queues "$WORKER_QUEUES"}
    ;;
dispatcher)
    check_settings
    exec python manage.py dispatcher
    ;;
migrate)
    exec python manage.py migrate --no-input
    ;;
manage)
    shift
    exec python manage.py "$@"
    ;;
*)
    echo "usage: web | worker | dispatcher | migrate | manage COMMAND [ARGUMENTS]" >&2
    exit 64
    ;;
esac
