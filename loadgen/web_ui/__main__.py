"""`python -m loadgen.web_ui PORT`, started by `loadgen run --ui`."""

from loadgen.web_ui.server import main

main()
