#!/usr/bin/env python3
"""The project's command line for people: `python3 dev.py help`, or `make help`.

Plain Python 3.11 starts it; it makes .venv when that is missing or old, and goes on inside it.
"""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "Traffic Control needs Python 3.11 or newer; this is %d.%d. Try: make PYTHON=python3.11" % sys.version_info[:2]
    )

from dev.commands import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
