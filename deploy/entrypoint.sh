#!/bin/sh
# One image, several commands: web | worker | dispatcher | migrate | manage ...
set -eu

case "${1:-}" in
web)
    # Each thread keeps a database connection: processes times threads times containers must fit max_connections.
    exec granian --interface wsgi --host 0.0.0.0 --port "${PORT:-8000}" --no-ws \
        --workers "${WEB_CONCURRENCY:-2}" --blocking-threads "${WEB_THREADS:-16}" traffic_control.wsgi:application
    ;;
worker)
    # WORKER_QUEUES: some of process,deliver.email,deliver.chat,deliver.webhook,deliver.in_app; unset: all of them.
    exec celery -A traffic_control -q worker --without-gossip --without-mingle --loglevel "${LOG_LEVEL:-INFO}" \
        --concurrency "${WORKER_CONCURRENCY:-4}" ${WORKER_QUEUES:+--queues "$WORKER_QUEUES"}
    ;;
dispatcher)
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
