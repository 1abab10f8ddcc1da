"""Started by `renderer_process` as: python -I -S __main__.py FOLDER…, the folders to import from."""

import os
import sys


def main() -> None:
    os.environ.clear()
    sys.path[:0] = sys.argv[1:]
    del sys.argv[1:]
    from notification_processor.renderer.serving import serve

    serve()


if __name__ == "__main__":
    main()
