#!/bin/sh
# One image, several commands: web | streams | worker | dispatcher | migrate | manage ...
set -eu

# A database that forgets commits is refused; a variable that looks misspelt is named.
check_settings() {
    python manage.py check --deploy --database default --tag database --tag settings
}

case "${1:-}" in
web)
    check_settings
    # A connection costs a file, idle ones too; what the options mean is in dev/server.py.
    [ "$(ulimit -n)" = unlimited ] || [ "$(ulimit -n)" -ge 16384 ] || ulimit -n 16384 2>/dev/null || ulimit -n "$(ulimit -H -n)"
    # Each thread keeps a database connection: processes times threads times containers must fit max_connections.
    exec granian --interface wsgi --host 0.0.0.0 --port "${PORT:-8000}" --no-ws \
        --workers "${WEB_CONCURRENCY:-2}" --blocking-threads "${WEB_THREADS:-4}" \
        --http 1 --backlog 4096 --backpressure 4096 --http1-buffer-size 65536 --http1-header-read-timeout 30000 \
        traffic_control.wsgi:application
    ;;
streams)
    check_settings
    # Each open inbox is a connection, and so a file. Streams never end by themselves, so they are not waited for.
    [ "$(ulimit -n)" = unlimited ] || [ "$(ulimit -n)" -ge 32768 ] || ulimit -n 32768 2>/dev/null || ulimit -n "$(ulimit -H -n)"
    exec granian --interface asgi --host 0.0.0.0 --port "${PORT:-8000}" --no-ws \
        --http 1 --backlog 4096 --backpressure 16384 --http1-buffer-size 65536 --http1-header-read-timeout 30000 \
        --workers-kill-timeout 3 inbox.stream.application:application
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
    echo "usage: web | streams | worker | dispatcher | migrate | manage COMMAND [ARGUMENTS]" >&2
    exit 64
    ;;
esac
