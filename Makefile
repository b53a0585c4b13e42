# The two that matter: make run, make test. The others are for whoever changes something.
# Portable: any make, any POSIX sh, Python 3.11 or newer with venv.

PORT = 8080
DEMO = 1
BIND = 127.0.0.1:$(PORT)
PYTEST_OPTIONS =

# Tests start hundreds of commands; each would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE

BIN = .venv/bin
QUICK = not mongo_server and not browser and not clients and not lasting and not soak

OUTSIDE = (mongo_server or browser or clients)
# What needs something expensive, such as a filled store behind a browser, runs in one process.
SLOW = $(BIN)/pytest -n 3 --dist loadgroup

.PHONY: help run test lasting lint wire browser clients outside slow soak screenshots bench clean

help:
	@echo 'make run [PORT=8080] [DEMO=0]   start a record store to try, on an embedded store under data/'
	@echo 'make test                       the quick tests'
	@echo 'make lasting                    tests that take many seconds each: whole cities, kills, large files'
	@echo 'make lint                       ruff, mypy, import-linter'
	@echo 'make wire browser clients       tests against a MongoDB server, in a real browser, with JavaScript clients'
	@echo 'make outside                    these three at once: they wait much, so together they take less'
	@echo 'make slow                       make lasting and make outside at once'
	@echo 'make soak                       what takes long'
	@echo 'make screenshots                pictures of every page, under .screenshots/'
	@echo 'make bench                      measure speed, size and growth'

run: .venv/.installed
	@case '$(DEMO)' in 0|no|false) demo=--no-demo ;; *) demo=--demo ;; esac; \
	exec $(BIN)/lrs run --bind '$(BIND)' $$demo

test: .venv/.installed-tests
	$(BIN)/pytest -n 3 -m '$(QUICK)' $(PYTEST_OPTIONS)

lasting: .venv/.installed-tests
	$(SLOW) -m 'lasting and not $(OUTSIDE) and not soak' $(PYTEST_OPTIONS)

lint: .venv/.installed-tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

wire: .venv/.installed-tests
	$(BIN)/pytest -n 2 --dist loadgroup -m 'mongo_server and not mongo_cluster and not soak' $(PYTEST_OPTIONS)

browser: .venv/.installed-tests
	$(BIN)/pytest -n 2 --dist loadgroup -m 'browser and not soak' $(PYTEST_OPTIONS)

clients: .venv/.installed-tests
	$(BIN)/pytest -m 'clients and not soak' $(PYTEST_OPTIONS)

outside: .venv/.installed-tests
	$(SLOW) -m '$(OUTSIDE) and not mongo_cluster and not soak' $(PYTEST_OPTIONS)

slow: .venv/.installed-tests
	$(SLOW) -m '(lasting or $(OUTSIDE)) and not mongo_cluster and not soak' $(PYTEST_OPTIONS)

soak: .venv/.installed-tests
	$(BIN)/pytest -m soak --timeout 7200 $(PYTEST_OPTIONS)
	$(BIN)/pytest --hypothesis-profile=soak --timeout 7200 tests/property/test_fuzz_doors.py tests/http/test_fuzz_api.py

screenshots: .venv/.installed-tests
	$(BIN)/python -m tests.e2e.screenshots

bench: .venv/.installed-tests
	$(BIN)/python -m benchmarks.http

# Installed again only when what is to be installed has changed.
.venv/.installed: setup.cfg pyproject.toml .venv/bin/python
	@echo 'Installing the project into .venv (a minute at most; only when it changed)'
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/.installed-tests: setup.cfg pyproject.toml .venv/bin/python
	@echo 'Installing the project and what its tests need into .venv'
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test,lint]'
	@touch .venv/.installed $@

.venv/bin/python:
	@for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	  if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "Making .venv with $$python"; exec $$python -m venv .venv; \
	  fi; \
	done; \
	echo 'Python 3.11 or newer with its venv module is needed (on Debian: apt-get install python3-venv).' >&2; exit 1

clean:
	rm -rf .venv build dist ./*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .screenshots node_modules
