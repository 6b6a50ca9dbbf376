# Everything runs in .venv, made from pyproject.toml and constraints.txt when it is missing or old.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
LOWEST := $(VENV)/lowest
OF_LOWEST := tests/test_scenarios.py tests/timeseries tests/plan_tables tests/files/test_csv_file.py \
  tests/report/test_workbook.py tests/sweeps \
  tests/studies/test_settle.py::test_the_state_that_a_plan_leaves_is_where_the_next_begins
STAMP  := $(VENV)/installed
SOURCE := planner tests benchmarks scenarios docs

.DEFAULT_GOAL := help
.PHONY: help install run test slow year screen package lowest fuzz lint format bench instances scenarios golden docs site pictures words clean

help: ## show this help
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

install: $(STAMP) ## set up .venv with everything the project needs

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo 'Python 3.11 or later is needed: make PYTHON=python3.11'; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo 'setting up .venv (once; takes about a minute)'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable '.[dev]'
	@touch $@

run: $(STAMP) ## solve the Huainan scenario, print the summary, write the plan folder
	@$(BIN)/planner solve scenarios/huainan/scenario.yaml --out plans/huainan

test: $(STAMP) ## run the tests
	@$(BIN)/python -m pytest -n 2

slow: $(STAMP) ## run the slow tests too
	@$(BIN)/python -m pytest -n 2 -m 'not screen and not year'

year: $(STAMP) ## plan the year of Huainan and compare it with what is expected
	@$(BIN)/python -m pytest -m year

screen: $(STAMP) ## run the tests that need Chromium and LibreOffice Calc
	@$(BIN)/python -m pytest -m screen

package: $(STAMP) ## build the wheel and run what the README says in an empty environment
	@$(BIN)/python -m pytest -m package

lowest: $(STAMP) ## run tests with the lowest dependencies that pyproject.toml allows
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(LOWEST)
	@$(BIN)/uv pip install --quiet --python $(LOWEST) --resolution lowest-direct \
	  --editable '.[cluster,parquet,sensitivity]'
	@$(BIN)/uv pip install --quiet --python $(LOWEST) pytest pytest-xdist hypothesis openpyxl jsonschema
	@$(LOWEST)/bin/python -m pytest -n 2 $(OF_LOWEST)

lint: $(STAMP) ## check style and types
	@$(BIN)/ruff check $(SOURCE)
	@$(BIN)/ruff format --check --quiet $(SOURCE) || { echo 'run make format'; exit 1; }
	@$(BIN)/mypy

format: $(STAMP) ## put the code in form
	@$(BIN)/ruff format --quiet $(SOURCE)
	@$(BIN)/ruff check --fix --quiet $(SOURCE)

fuzz: $(STAMP) ## try ten thousand broken scenarios
	@$(BIN)/python -m tests.support.fuzz 10000

bench: $(STAMP) ## measure: sizes of ours, and side by side with PyPSA and oemof-solph (installs them)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable '.[dev,bench]'
	@$(BIN)/python benchmarks/sizes.py scenarios/huainan/scenario.yaml
	@$(BIN)/python benchmarks/side_by_side.py

instances: $(STAMP) ## write programs of shipped scenarios as MPS files for authors of solvers
	@$(BIN)/python benchmarks/instances.py

scenarios: $(STAMP) ## make the data of the shipped scenarios again and solve each of them
	@$(BIN)/python scenarios/huainan/build_data.py
	@$(BIN)/python scenarios/two_sites/build_data.py
	@for folder in $(dir $(wildcard scenarios/*/scenario.yaml)); do \
	  command=solve; case $$folder in *_year/) command=year;; esac; \
	  $(BIN)/planner $$command $$folder --quiet --out plans/$$(basename $$folder) || exit 1; \
	  echo "plans/$$(basename $$folder)"; done

golden: $(STAMP) ## write the golden LPs again after a change of mathematics
	@GOLDEN=write $(BIN)/python -m pytest -q -k golden

docs: $(STAMP) ## write the generated pages of docs/ again
	@$(BIN)/python docs/generate.py

site: $(STAMP) ## build the documentation as a site in site/ (installs mkdocs)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable '.[dev,docs]'
	@$(BIN)/python docs/site/build.py

pictures: $(STAMP) ## make docs/pictures/ and the gallery again (needs Chromium)
	@$(BIN)/python docs/pictures.py
	@$(BIN)/python docs/gallery.py

words: $(STAMP) ## bring the Chinese catalogue in line with the texts of the sources
	@$(BIN)/python -m tests.support.words

clean: ## remove .venv, caches and plans
	rm -rf $(VENV) plans build dist site *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
