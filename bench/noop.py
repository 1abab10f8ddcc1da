"""A Celery task that does nothing, to see what a task costs."""

import os

from celery import Celery

# Others may import this, who have an app of their own.
app = Celery("noop", broker=os.environ.get("CELERY_BROKER_URL"), set_as_current=False)
app.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True)


@app.task
def noop() -> None:
    """Nothing."""
