# Needs only make and Python ≥ 3.11 with venv. Every target installs first; `make install` again costs nothing.
#   make PYTHON=python3.12 …   another interpreter        make TEST_WORKERS=8 test   more processes
#   make FUZZ_SECONDS=60 fuzz  for how long bytes are thrown at the responder (ten minutes)
#   make MINUTES=240 soak   for how long (30)

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTHON ?= $(firstword $(foreach v,python3 python3.13 python3.12 python3.11,$(shell $(v) -c 'import sys; sys.version_info >= (3, 11) and print("$(v)")' 2>/dev/null)))
TEST_WORKERS ?= 2
FUZZ_SECONDS ?= 600

.PHONY: install lint test demo bench corpus fuzz soak clean

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "ncipd needs Python 3.11 or newer; none found. Install one, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt -e '.[dev,speed]'
	touch $@

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict ncipd broker_sim

test: lint
	$(BIN)/pytest -n $(TEST_WORKERS) --dist loadgroup

demo: $(STAMP)
	$(BIN)/python .ci/demo.py

bench: $(STAMP)
	@failed=0; for one in tests.bench tests.bench.reading tests.bench.growth; do \
		echo "$$one"; $(BIN)/python -m $$one || failed=1; done; exit $$failed

corpus: $(STAMP)
	$(BIN)/python -m tests.corpus --page docs/corpus.md

fuzz: $(STAMP)
	$(BIN)/pytest -n $(TEST_WORKERS) --dist loadgroup --hypothesis-profile=fuzz tests/ncip tests/edge
	$(BIN)/python -m tests.edge.fuzz --seconds $(FUZZ_SECONDS)

soak: $(STAMP)
	$(BIN)/python -m tests.bench.soak $(if $(MINUTES),--minutes $(MINUTES))

clean:
	rm -rf $(VENV) build dist demo-report bench-report.json .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find ncipd broker_sim tests .ci -name __pycache__ -type d -prune -exec rm -rf {} +
