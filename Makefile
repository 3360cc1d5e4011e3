# Two commands do everything: `make` runs the analysis, `make test` checks it. `make help` lists the rest.
COHORT ?= ash2012_reconstructed
# Seconds that a run waits for another one on the same cohort; 0 refuses at once.
WAIT ?= 600
PYTHON ?= python3
PY := .venv/bin/python
# The name becomes part of paths and of commands, so it is looked at unexpanded before anything else is.
LETTERS := a b c d e f g h i j k l m n o p q r s t u v w x y z A B C D E F G H I J K L M N O P Q R S T U V W X Y Z \
	0 1 2 3 4 5 6 7 8 9 _ . -
COMMA := ,
REST := $(value COHORT)
$(foreach letter,$(LETTERS),$(eval REST := $$(subst $(letter),,$$(value REST))))
ifneq ($(value REST)$(filter .% -%,$(value COHORT))$(words $(value COHORT)),1)
$(error COHORT must be the name of one folder in data/raw: letters, digits, _, - and . only, a letter or digit first)
endif
# What `make ensemble` takes: how many cohorts, of which random stream, under which readings of the abstract, on how many
# processes here (all cores without) or on which Dask cluster. `make mutate` takes SEED, JOBS and MUTANTS of each kind.
COHORTS ?= 100000
SEED ?= 2012
READING ?=
JOBS ?=
DASK ?=
MUTANTS ?= 20
ASKED := COHORTS SEED READING JOBS DASK MUTANTS
$(foreach name,$(ASKED),$(eval REST := $$(value $(name)))\
	$(foreach letter,$(LETTERS) : / [ ] $$(COMMA),$(eval REST := $$(subst $(letter),,$$(value REST))))\
	$(if $(value REST),$(error $(name) must be of letters, digits and _ . - : / [ ] $(COMMA) only)))
HOME_OUT := $(if $(REMISSION_OUTPUT),$(REMISSION_OUTPUT)/)
OUT := $(HOME_OUT)build/$(COHORT)
# The ledger is the last of a run, whatever its number: its manifest names the files of all the others.
LEDGER := 05_claim_ledger
NOTEBOOKS := $(filter-out $(LEDGER),$(basename $(notdir $(sort $(wildcard notebooks/0*.ipynb))))) $(LEDGER)
# Not part of a run: it reads what a run has left and writes nothing.
TEMPLATE := explore_template
export COHORT WAIT $(ASKED)

.DEFAULT_GOAL := run
.DELETE_ON_ERROR:
.PHONY: run analysis report ensemble new check test test-code test-notebooks verify reconstruct refresh refresh-outputs lab hooks bench mutate lock clean help

# One run at a time on a cohort; what a killed run left is cleared first, and what changed since is stamped.
run: .venv/ready ## run notebooks 01 to 07 on a cohort (COHORT=name) and print the ledger's verdict
	@$(PY) -m remission.alone "$$COHORT" --wait "$$WAIT" -- $(MAKE) --no-print-directory analysis

analysis: $(OUT)/05_claim_ledger.ipynb
	@cat $(HOME_OUT)data/processed/$(COHORT)/verdict.txt

$(OUT)/%.ipynb: notebooks/%.ipynb | .venv/ready
	@echo "$* on $(COHORT)"
	@$(PY) -m remission.run "$$COHORT" $*

# Each notebook waits for those whose tables it reads; 02 to 04c and 06 may run side by side (make -j2). The journal
# club, 07, reads the results of all; the ledger, 05, writes the manifest of all their files, so that it is the last.
ANALYSES := 02_toxicity 02b_dose_delivery 03_remission_duration 03b_small_sample_inference 04_mrd_predictiveness \
	04b_mrd_over_time 04c_absence_of_evidence 06_what_the_abstract_determines
# $(call order,FOLDER,SUFFIX): for the executed notebooks of a run, and for their checks.
define order
$(ANALYSES:%=$(1)/%$(2)): $(1)/01_clean_patient_tables$(2)
$(1)/04c_absence_of_evidence$(2): $(1)/04_mrd_predictiveness$(2)
$(1)/07_journal_club$(2): $(ANALYSES:%=$(1)/%$(2))
$(1)/05_claim_ledger$(2): $(1)/07_journal_club$(2)
endef
$(eval $(call order,$(OUT),.ipynb))
# The stamp holds the hashes of tables, code and lock: times of files say little after a copy or a checkout.
$(OUT)/01_clean_patient_tables.ipynb: $(OUT)/made_from.json

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and "Python 3.11 or newer is needed, this is %d.%d: make PYTHON=python3.11" % v[:2])'
	@echo "environment: .venv from requirements.lock (once)"
	@test -x $(PY) || $(PYTHON) -m venv .venv
	@# uv installs five times faster than pip; pip fetches it at the version and hash of the lock.
	@awk '/^uv==/ {on = 1} on {print} on && !/\\$$/ {exit}' requirements.lock > .venv/uv.lock
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.lock
	@VIRTUAL_ENV=.venv .venv/bin/uv pip sync --quiet --require-hashes --compile-bytecode requirements.lock
	@VIRTUAL_ENV=.venv .venv/bin/uv pip install --quiet --no-build-isolation --no-deps --editable .
	@touch $@

# Both halves side by side, so that no processor waits while the last notebooks depend on each other.
CORES := $(shell getconf _NPROCESSORS_ONLN)
SIDE_BY_SIDE = --no-print-directory --keep-going $(if $(findstring jobserver,$(MAKEFLAGS)),,--jobs=$(CORES))
test: .venv/ready ## check everything: unit and property tests, all cohorts, notebook outputs
	@$(MAKE) $(SIDE_BY_SIDE) test-code test-notebooks

# The notebooks' check makes the default cohort's outputs, which are then compared with the committed ones: `make test`
# runs no notebook twice, and pytest without make runs that cohort too.
COMPARED := "tests/test_pipeline.py::test_the_cohort_runs_and_reproduces_its_committed_outputs[ash2012_reconstructed]"
# Dozens of processes start: code is compiled once, whatever the environment says.
test-code test-notebooks: export PYTHONDONTWRITEBYTECODE :=

# Files are dealt in the order of tests/conftest.py, the longest first, so that the workers end together.
test-code: .venv/ready
	$(PY) -m pytest -n auto --dist loadfile --no-loadscope-reorder --deselect $(COMPARED) tests src

# In the order of a run, as many side by side as there are processors; all are checked even if one fails.
# Outputs go to a folder of their own, so that checking never writes into the checkout.
CHECKED := build/nbval/checked
$(eval $(call order,$(CHECKED),.txt))
$(CHECKED)/$(TEMPLATE).txt: $(CHECKED)/$(LEDGER).txt
test-notebooks: .venv/ready
	@rm -rf build/nbval
	@mkdir -p $(CHECKED)
	@$(MAKE) $(SIDE_BY_SIDE) $(patsubst %,$(CHECKED)/%.txt,$(NOTEBOOKS) $(TEMPLATE))
	@REMISSION_MADE=$(CURDIR)/build/nbval $(PY) -m pytest -p no:cacheprovider $(COMPARED)

$(CHECKED)/%.txt: notebooks/%.ipynb
	@REMISSION_OUTPUT=$(CURDIR)/build/nbval $(PY) -m pytest -p no:cacheprovider --nbval --nbval-cell-timeout=300 $< \
		> $@ 2>&1; status=$$?; echo "nbval $<"; cat $@; exit $$status

# Parts of a killed run stay, and the next goes on from them; remission.ensemble.spread checks what it is given.
ensemble: .venv/ready ## draw cohorts that agree with an abstract (COHORT=name COHORTS=number DASK=tcp://host:port)
	@$(PY) -m remission.ensemble.spread "$$COHORT" "--cohorts=$$COHORTS" "--seed=$$SEED" "--reading=$$READING" \
		"--jobs=$$JOBS" "--dask=$$DASK" "--wait=$$WAIT"

report: run ## a site that opens from disk, build/report/<cohort>/index.html (COHORT=name)
	@$(PY) -m remission.report.site "$$COHORT"

new: .venv/ready ## make a folder for a cohort of your own (COHORT=name): empty tables, study.toml, README
	@$(PY) -m remission.new "$$COHORT"
	@git config --get core.hooksPath > /dev/null 2>&1 || git config core.hooksPath .githooks 2> /dev/null || true

check: .venv/ready ## look over a cohort's tables without running: every problem at once, and data_queries.csv
	@$(PY) -m remission.check "$$COHORT"

verify: .venv/ready ## say whether a cohort's results still belong to its inputs, the code and the lock
	@$(PY) -m remission.manifest "$$COHORT"

hooks: ## install the git hook that refuses to commit patient data
	@git config core.hooksPath .githooks && echo "git hooks: .githooks (a commit of a cohort that is not shipped is refused)"

reconstruct: .venv/ready ## regenerate the synthetic cohort's raw tables, byte for byte
	@$(PY) -m remission.alone ash2012_reconstructed --wait "$$WAIT" -- \
		$(PY) -m remission.run ash2012_reconstructed 00_reconstruct_cohort

refresh: .venv/ready ## rewrite the committed notebooks' outputs (the only command that does)
	@$(PY) -m remission.alone ash2012_reconstructed --wait "$$WAIT" -- $(MAKE) --no-print-directory refresh-outputs

refresh-outputs:
	@for n in $(NOTEBOOKS) $(TEMPLATE); do echo "refresh $$n"; $(PY) -m remission.run ash2012_reconstructed $$n --refresh || exit 1; done

# The settings beside it show Markdown rendered and ask no network for news; those of the user come before them.
lab: .venv/ready ## open JupyterLab at a start page
	@JUPYTER_CONFIG_PATH=.jupyter .venv/bin/jupyter lab --LabApp.default_url=/lab/tree/notebooks/start.md

bench: .venv/ready ## how run time grows, and the array kernels against other software, as ratios
	@$(PY) tests/bench.py

mutate: .venv/ready ## alter one datum, one constant of the code or one shown number at a time: is each noticed?
	@$(PY) tests/mutate.py

lock: ## resolve requirements.lock anew from pyproject.toml
	@rm -f requirements.lock
	@.venv/bin/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --fork-strategy fewest \
		--generate-hashes --no-annotate --no-header --no-emit-index-url --no-strip-extras --quiet --output-file requirements.lock

clean: ## delete build/ (executed notebooks); keeps .venv and committed outputs
	@rm -rf build

help: ## this list
	@echo "make [target] [COHORT=name] [-j2]    cohorts: $(notdir $(patsubst %/,%,$(dir $(wildcard data/raw/*/study.toml))))"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' Makefile
