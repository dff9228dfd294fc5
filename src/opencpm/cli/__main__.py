"""``python -m opencpm.cli``: the command where it is not on the path."""

from opencpm.cli import main

main(prog_name="opencpm")
