# make demo      try it: sets up, tunes the sandbox's functions, load-tests its shop, writes one report
# make test      sets up what the tests need and runs them
# make check     what CI checks besides the tests: format, lint, types
# make contract  runs one boto3 script against the sandbox, moto and MiniStack

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

# A plain path entry: the finder module that setuptools makes otherwise costs 20 ms at each start.
EDITABLE = --config-settings editable_mode=compat

DEMO_FUNCTIONS = thumbnail lookup checkout report-sort
DEMO_RUN := runs/$(shell date -u +%Y%m%dT%H%M%SZ)-demo

.PHONY: demo test check contract clean

# Inconclusive (exit code 4) is an answer too: the demo goes on.
demo: $(VENV)/installed
	@for name in $(DEMO_FUNCTIONS); do \
	  asked="--sandbox $$name --payload profiles/events/$$name.json"; \
	  case $$name in \
	    checkout) asked="$$asked --requests-per-month 3M";; \
	    report-sort) asked="$$asked --max-invocations 20";; \
	  esac; \
	  echo; \
	  echo "\$$ tune $$asked"; \
	  $(BIN)/tune $$asked --runs $(DEMO_RUN) || [ $$? -eq 4 ] || exit 1; \
	done
	@echo
	@echo "\$$ loadgen run profiles/orders.yaml --sandbox"
	@$(BIN)/loadgen run profiles/orders.yaml --sandbox --runs $(DEMO_RUN)
	@echo
	@echo "\$$ reports build $(DEMO_RUN)/*-tune-* $(DEMO_RUN)/*-load-* -o $(DEMO_RUN)/report.html"
	@$(BIN)/reports build $(DEMO_RUN)/*-tune-* $(DEMO_RUN)/*-load-* -o $(DEMO_RUN)/report.html -q
	@echo "Open $(DEMO_RUN)/report.html in a browser."

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest -n 2 -q

check: $(VENV)/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# moto and MiniStack run in environments of their own: they pin what the toolkit has in other versions.
contract: $(VENV)/installed-dev .contract/moto/installed .contract/ministack/installed
	$(BIN)/python -m pytest -n 2 -q tests/contract

.contract/%/installed: tests/contract/%.txt
	@echo "installing $* into .contract/$*"
	@$(PYTHON) -m venv .contract/$*
	@.contract/$*/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

clean:
	rm -rf $(VENV) .contract build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and "Python 3.11 or newer is needed (this is %d.%d); say which with make PYTHON=..." % v[:2])'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "installing into $(VENV)"
	@$(PIP) $(EDITABLE) -e .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(PIP) $(EDITABLE) -e '.[dev]'
	@touch $@
