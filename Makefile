# Two commands do everything on a fresh machine, set-up included: `make run` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable
SAMPLE := docs/sample/astronaut.jpg
VIEWER := serving/viewer
NPM := PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix $(VIEWER) --silent

.PHONY: setup run test check texts bench notebooks clean

setup: $(VENV)/.ready serving/static/build/result.js

# Once for each change of the two files that say what to install; unpacking torch takes a minute or two.
$(VENV)/.ready: pyproject.toml constraints.txt
	@echo "Installing into $(VENV) ..."
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(INSTALL) '.[serving,openvino,torch,train,dev]'
	@echo "Compiling the number kernels ..."
	-@$(BIN)/deep3d reconstruct $(SAMPLE) --out build/first-run
	@touch $@

# The viewer of the site: TypeScript, bundled with what npm brings. Node.js comes with the virtual environment.
serving/static/build/result.js: $(VIEWER)/node_modules/.package-lock.json $(wildcard $(VIEWER)/src/*.ts $(VIEWER)/src/*/*.ts)
	$(NPM) run build

$(VIEWER)/node_modules/.package-lock.json: $(VIEWER)/package.json $(VIEWER)/package-lock.json $(VENV)/.ready
	@echo "Fetching three.js ..."
	$(NPM) ci --ignore-scripts --no-audit --no-fund
	@touch $@

$(VENV)/.notebooks-ready: $(VENV)/.ready
	$(INSTALL) '.[notebooks]'
	@touch $@

# The site, with everything below data/; Ctrl-C ends it.
run: setup
	$(BIN)/deep3d serve

test: setup
	$(BIN)/python -m pytest

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(NPM) run check

# Gather the texts of pages and mails into the catalogues; new ones come without a translation.
texts: setup
	$(BIN)/pybabel --quiet extract --mapping serving/translations/babel.cfg --keyword N_ --ignore-dirs node_modules \
		--no-location --output build/texts.pot serving
	$(foreach language,de es zh,$(BIN)/pybabel --quiet update --no-fuzzy-matching --ignore-obsolete --omit-header --width 120 \
		--locale $(language) --input-file build/texts.pot --output-file serving/translations/$(language).po &&) true

bench: setup
	$(BIN)/deep3d bench $(SAMPLE)

# Executed in place. They call the command deep3d; the times of their cells, which change each time, are left out.
notebooks: $(VENV)/.notebooks-ready
	PATH="$(CURDIR)/$(BIN):$$PATH" jupyter nbconvert --to notebook --execute --inplace \
		--ExecutePreprocessor.record_timing=False $(sort $(wildcard notebooks/*.ipynb))

clean:
	rm -rf $(VENV) $(VIEWER)/node_modules serving/static/build build dist .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
