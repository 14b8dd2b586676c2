"""One injector: `python -m loadgen.injector`, started by `loadgen run` with pipes."""

from loadgen.injector.main import main

main()
