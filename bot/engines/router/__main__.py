"""Starts the router's supervisor: `python -m bot.engines.router --state-dir DIR --socket PATH`."""

import sys

from bot.engines.router.supervisor import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
