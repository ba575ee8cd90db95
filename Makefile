# The two commands of the README are `make demo` and `make test`. `make help` lists the others.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# Two processes suit the smallest machine that runs the tests; `make test WORKERS=8` suits a larger one.
WORKERS ?= 2
FIGURES := $(abspath $(VENV))/.figures.jsonl

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# The version of pyright is the lock file's affair; it need not ask for its newest release at every run.
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test long check prove mutants bench reference docs pictures format lock clean

help:  ## List the commands.
	@grep -hE '^[a-z]+:.*  ## ' $(MAKEFILE_LIST) | awk -F ':.*  ## ' '{ printf "make %-8s %s\n", $$1, $$2 }'

setup: $(INSTALLED)  ## Make the virtual environment .venv, or bring it up to date.

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed: make setup PYTHON=/path/to/it")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

demo: setup  ## Serve a sample company and print a link that works.
	$(BIN)/portal demo

test: check  ## Run every check and every test; what needs a server that is not there is skipped.
	@# The core is covered by its own tests alone; to trace the others too would slow them down and tell nothing more.
	$(BIN)/pytest --numprocesses=$(WORKERS) --cov --cov-report=term-missing:skip-covered tests/core
	$(BIN)/pytest --numprocesses=$(WORKERS) --ignore=tests/core --ignore=tests/browser
	@# Playwright keeps an event loop running in its process, where no other test could start one of its own.
	$(BIN)/pytest --numprocesses=$(WORKERS) tests/browser

long: setup  ## Run the long versions of the tests that have one.
	$(BIN)/pytest --numprocesses=$(WORKERS) -m long --timeout=1800

check: setup  ## Lint, and check the format, the imports, the types and the dependencies.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/deptry .

prove: setup  ## Try what the proofs promise, in full (about an hour), and write docs/reference/proof.md.
	rm -f $(FIGURES)
	PORTAL_PROVE=full PORTAL_PROVE_FIGURES=$(FIGURES) $(BIN)/pytest tests/prove --numprocesses=$(WORKERS) --timeout=7200
	$(BIN)/python tools/prove.py $(FIGURES)

# mutmut has an environment of its own, which borrows the packages of the other one: it is no part of what is locked.
mutants: setup $(VENV)/mutmut/bin/mutmut  ## Alter the domain in one place at a time, and print what no test notices.
	nice $(VENV)/mutmut/bin/python tools/mutants.py

$(VENV)/mutmut/bin/mutmut:
	$(BIN)/python -m venv $(VENV)/mutmut
	$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > \
		"$$($(VENV)/mutmut/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/borrowed.pth"
	$(VENV)/mutmut/bin/python -m pip install --quiet mutmut==3.8.1

# The data are made once (some minutes) and kept in .bench; `make bench ONLY=dashboard,page` measures some parts again.
bench: setup .bench/peers/bin/uvicorn .bench/lighthouse/node_modules/.bin/lighthouse  ## Measure the speed beside others (about 25 minutes), and write docs/reference/benchmark.md.
	$(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY))

# The peers have an environment of their own: none of them is a part of the portal.
.bench/peers/bin/uvicorn: benchmarks/peers/requirements.lock
	$(PYTHON) -m venv .bench/peers
	.bench/peers/bin/python -m pip install --quiet --require-hashes --requirement $<
	touch $@

.bench/lighthouse/node_modules/.bin/lighthouse:
	npm install --silent --no-audit --no-fund --prefix .bench/lighthouse lighthouse@12.8.2

reference: setup  ## Write the reference of the API and the commands from what the program says of itself.
	$(BIN)/python tools/reference.py

docs: setup  ## Make the documentation into a site, build/docs/index.html; a warning is an error.
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going docs build/docs

pictures: setup  ## Take the pictures of the pages in docs/images.
	$(BIN)/python tools/screenshots.py

format: setup  ## Put the code into its format and mend what can be mended safely.
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# The resolver has an environment of its own, so that it is no part of what it locks.
lock: $(VENV)/uv/bin/uv  ## Choose the newest versions that pyproject.toml allows and write requirements.lock.
	$< pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header --no-annotate \
		--extra server --extra dev --output-file requirements.lock pyproject.toml
	$< pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header --no-annotate \
		--constraint requirements.lock --extra server --output-file deploy/requirements.lock pyproject.toml
	$< pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header --no-annotate \
		--output-file benchmarks/peers/requirements.lock benchmarks/peers/requirements.in

$(VENV)/uv/bin/uv:
	$(PYTHON) -m venv $(VENV)/uv
	$(VENV)/uv/bin/python -m pip install --quiet uv

clean:  ## Remove the virtual environment and what the tools have left behind.
	rm -rf $(VENV) .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
