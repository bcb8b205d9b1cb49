# Two commands do everything on a fresh machine, set-up included: `make run` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python deploy/install.py
SAMPLE := docs/sample/astronaut.jpg
VIEWER := serving/viewer
SIDE_BY_SIDE := --numprocesses=auto --maxprocesses=4 --dist=loadfile
NPM := PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix $(VIEWER) --silent

.PHONY: setup run test coverage walk lighthouse check docs dist texts viewer lock sbom bench notebooks clean

setup: $(VENV)/.ready

# What the site needs, without torch and the tools of development; once for each change of what may be installed. The
# import lets Python compile what the site's processes import: else the first visitor waits for that.
$(VENV)/.site-ready: pyproject.toml constraints.txt
	@echo "Setting up the site in $(VENV): about a minute, the first time only" >&2
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@$(INSTALL) serving,openvino
	@$(BIN)/deep3d compile
	@$(BIN)/python -c "import serving.serve, serving.worker.process, serving.live.process"
	@touch $@

# Everything else; unpacking torch takes a minute or two.
$(VENV)/.ready: $(VENV)/.site-ready
	@$(INSTALL) serving,openvino,torch,train,dev
	@touch $@

# The scripts of the pages: TypeScript, bundled with what npm brings. The bundle is committed, so that the site needs no
# Node.js; a test says when it is older than its sources. Node.js comes with the extra `dev`.
viewer: $(VIEWER)/node_modules/.package-lock.json
	$(NPM) run build

$(VIEWER)/node_modules/.package-lock.json: $(VIEWER)/package.json $(VIEWER)/package-lock.json $(VENV)/.ready
	@echo "Fetching three.js ..."
	$(NPM) ci --ignore-scripts --no-audit --no-fund
	@touch $@

$(VENV)/.notebooks-ready: $(VENV)/.ready
	@$(INSTALL) notebooks
	@touch $@

# The site, with everything below data/; Ctrl-C ends it.
run: $(VENV)/.site-ready
	$(BIN)/deep3d serve

# Files of tests side by side; more processes than four would mostly hold memory.
test: setup
	$(BIN)/python -m pytest $(SIDE_BY_SIDE)

# Which branches no test runs; the report of each file lies in build/coverage.
coverage: setup
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) --cov --cov-report=term:skip-covered --cov-report=html:build/coverage

# A picture of every state of the pages in build/walk, in light and dark, on three screens, and what axe-core says of each.
walk: setup $(VIEWER)/node_modules/.package-lock.json
	$(BIN)/python -m tests.serving.e2e.walk build/walk en de es zh

# How quick and how accessible the pages are on a phone.
lighthouse: setup
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m tests.serving.e2e.lighthouse

check: setup $(VIEWER)/node_modules/.package-lock.json
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(NPM) run check

# The documentation site, in build/docs; a warning is an error.
docs: setup
	NO_MKDOCS_2_WARNING=1 PYTHONPATH=. $(BIN)/mkdocs build --quiet

# A wheel and a source distribution, in dist/.
dist: setup
	$(BIN)/python -m build --no-isolation
	$(BIN)/twine check --strict dist/*

# Gather the texts of pages and mails into the catalogues; new ones come without a translation.
texts: setup
	$(BIN)/pybabel --quiet extract --mapping serving/translations/babel.cfg --keyword N_ --ignore-dirs node_modules \
		--no-location --output build/texts.pot serving
	$(foreach language,de es zh,$(BIN)/pybabel --quiet update --no-fuzzy-matching --ignore-obsolete --omit-header --width 120 \
		--locale $(language) --input-file build/texts.pot --output-file serving/translations/$(language).po &&) true

# What the image installs, with the digests of all files; after a change of constraints.txt.
lock: setup
	$(BIN)/pip-compile --quiet --generate-hashes --strip-extras --no-annotate --no-header --no-emit-index-url \
		--no-emit-find-links --no-emit-trusted-host --extra serving --extra openvino --constraint constraints.txt \
		--output-file build/requirements.txt pyproject.toml
	{ head -1 deploy/requirements.txt; cat build/requirements.txt; } > build/lock && mv build/lock deploy/requirements.txt

# The list of all that a site is made of (CycloneDX): Python's packages, and what npm brings into the pages.
sbom: $(VENV)/.ready
	@mkdir -p build
	$(BIN)/cyclonedx-py requirements deploy/requirements.txt --pyproject pyproject.toml --output-reproducible \
		--output-file build/sbom.json
	$(BIN)/python deploy/add_npm.py $(VIEWER)/package-lock.json build/sbom.json

bench: setup
	$(BIN)/deep3d bench $(SAMPLE)

# Executed in place. They call the command deep3d; the times of their cells, which change each time, are left out.
notebooks: $(VENV)/.notebooks-ready
	PATH="$(CURDIR)/$(BIN):$$PATH" jupyter nbconvert --to notebook --execute --inplace \
		--ExecutePreprocessor.record_timing=False $(sort $(wildcard notebooks/*.ipynb))

clean:
	rm -rf $(VENV) $(VIEWER)/node_modules build dist .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
