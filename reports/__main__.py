"""`python -m reports` is `reports`."""

from reports.cli import main

main()
