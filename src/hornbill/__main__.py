"""`python -m hornbill` is the `hornbill` command."""

import sys

from hornbill.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    sys.exit(main())
