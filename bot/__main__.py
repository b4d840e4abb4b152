"""`python -m bot` is the program `shipmate`."""

from bot.cli import main

main()
