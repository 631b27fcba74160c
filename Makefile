# make run   sets up and runs the main job on the demo
# make test  sets up and passes the tests
PYTHON ?= python3
BIN := .venv/bin
DEMO := demo-project

.PHONY: setup run test test-slow lint format bench bench-linking docs lock clean

setup: .venv/ready

.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet "$$(sed -n 's/^\(uv==[0-9.]*\).*/\1/p' requirements.lock)"
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	touch $@

# A made-up supplier's exports, and one night over them; the page to open is printed at the end.
run: setup
	test -e $(DEMO)/mutual-value.toml || $(BIN)/mutual-value demo --project $(DEMO)
	$(BIN)/mutual-value run --project $(DEMO)

test: setup
	$(BIN)/python -m pytest -m "not slow" --numprocesses auto --dist loadfile

test-slow: setup
	$(BIN)/python -m pytest

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup
	$(BIN)/python -m benchmarks.night

bench-linking: setup
	$(BIN)/python -m benchmarks.linking

docs: setup
	$(BIN)/mutual-value docs

lock: setup
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-strip-extras --generate-hashes \
		--extra dev pyproject.toml -o requirements.lock

clean:
	rm -rf .venv $(DEMO)
