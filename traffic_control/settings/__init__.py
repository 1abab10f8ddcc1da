"""Every setting, read from the environment (`.env.example` lists them all).

The small default needs no configuration: a SQLite file, DEBUG on, tasks run inline. Naming a database with
DATABASE_URL makes it a service: DEBUG off, Celery workers, and a SECRET_KEY of your own.
"""

from .applications import *
from .console import *
from .database import *
from .delivery import *
from .door import *
from .install import *
from .look import *
from .observability import *
from .queues import *
from .secrets import *
