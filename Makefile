# `make run` and `make test` need Python 3.11 or newer and a package index, nothing else.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
PROJECTS := pyproject.toml $(wildcard plugins/*/pyproject.toml)

.PHONY: run test soak mutants check docs bench clean

# The main job, against a sandboxed ServiceNow: changes arrive at a receiver as signed notifications.
run: $(READY)
	$(BIN)/connect run servicenowoauth --sandbox --for 30s

test: $(READY)
	$(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist worksteal

# The model-based test of the engine, with many more examples.
soak: $(READY)
	CONNECTORY_TRUTH_EXAMPLES=5000 $(BIN)/pytest tests/polling/test_truth.py

# Small wrong changes to the code, one by one in a copy: the tests must notice each.
mutants: $(READY)
	$(BIN)/python -m tests.mutants

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The pages of docs/reference, out of the code.
docs: $(READY)
	$(BIN)/python -m tests.docs.generate

bench: $(READY)
	$(BIN)/python -m tests.bench

$(READY): $(PROJECTS)
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test,dev]' $(patsubst %/pyproject.toml,--editable %,$(wildcard plugins/*/pyproject.toml))
	touch $@

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
