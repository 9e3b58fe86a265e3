"""`python -m hornbill` is the `hornbill` command."""

import sys

from hornbill.cli import main

if __name__ == "__main__":
    sys.exit(main())
