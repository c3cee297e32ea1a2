# Gated Memory. `make` builds the website, `make test` tests everything, `make help` lists the rest.
# Needs Python 3.11 or newer and make.

SHELL := bash
.SHELLFLAGS := -eo pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := site

PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
STAMPS := _build/stamps

# Everything below runs from the environment, and from no other.
export VIRTUAL_ENV := $(CURDIR)/.venv
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

package := $(shell find autograder experiments -type f -not -path '*/__pycache__/*')
# What the executed pages import of it: grading, for one, is not among it. Without Python, all of it.
executed := $(or $(shell $(PYTHON) book/_ext/executed_code.py 2>/dev/null),$(package))
sources := $(wildcard solutions/*.py)
pages := $(shell find book tests/other_course -type f -not -path 'book/_ext/*' -not -path '*/.ipynb_checkpoints/*' -not -path '*/__pycache__/*')
machinery := $(shell find book/_ext -type f -not -path '*/__pycache__/*')
notebooks := $(wildcard notebooks/*/*.ipynb)
say = printf '\n\033[1m%s\033[0m\n' $(1)

.PHONY: site environment notebooks serve lab test check lint types demo experiments bench bench-site gpu lock clean help

site: $(STAMPS)/site  ## build the website (the default)
	@$(call say,"The website is built.")
	@echo "  make serve   and open http://localhost:$(PORT)/"
	@echo "  or open      $(CURDIR)/_build/html/book/index.html"

# ---- the environment ----

environment: .venv/.installed  ## create .venv with everything the course needs

# PyTorch first and by its exact version, so that nothing else can choose another build of it.
.venv/.installed: requirements.txt constraints.txt pyproject.toml
	@$(call say,"1/3  Python environment in .venv (the first time: a few minutes and about 2 GB)")
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; choose one with: make PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv || { \
	  echo "Python cannot create environments; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install -c constraints.txt "$$(grep -E '^torch==' requirements.txt)"
	$(BIN)/python -m pip install -c constraints.txt -r requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps -e .
	@touch $@

# ---- the student notebooks ----

notebooks: $(STAMPS)/notebooks  ## derive notebooks/ from solutions/

# A notebook somebody has worked in is passed over. The notebook itself says whether: no history is
# asked, which a copy may not have. Its first cell holds an address and a version.
$(STAMPS)/notebooks: $(sources) $(executed) $(wildcard nbgrader_config.py) _config.yml pyproject.toml | .venv/.installed
	@$(call say,"2/3  Student notebooks from solutions/")
	@mkdir -p $(STAMPS)
	@$(BIN)/autograder notebooks --keep
	@touch $@

# ---- the website ----

# Results of executed cells depend on the code that they import and on its libraries, which the cache
# of executed pages cannot see; pages that are already read would not be executed again either.
$(STAMPS)/results: $(executed) $(wildcard tests/course/recordings/*.npz tests/attacks/attack_corpus/*.py book/data/*.json book/data/trial/* book/data/work/* book/data/sounds/* book/data/house/*) constraints.txt
	@mkdir -p $(STAMPS)
	@rm -rf _build/.jupyter_cache _build/.doctrees
	@touch $@

# Sphinx notices changed pages, but neither changed templates nor pages that left the table of contents.
$(STAMPS)/frame: $(machinery) _toc.yml _config.yml
	@mkdir -p $(STAMPS)
	@rm -rf _build/html _build/.doctrees
	@touch $@

# What runs Python in a page; without npm there is none of it, and the pages say so.
$(STAMPS)/browser: $(wildcard browser/*) book/_ext/run_parts.py book/_ext/course_wheel.py $(package) pyproject.toml $(STAMPS)/notebooks | .venv/.installed
	@mkdir -p $(STAMPS)
	@$(BIN)/python book/_ext/run_parts.py
	@touch $@

# After a failure the pages are read afresh: Sphinx repeats no warning about a page it has read.
$(STAMPS)/site: .venv/.installed $(STAMPS)/notebooks $(STAMPS)/browser $(STAMPS)/results $(STAMPS)/frame $(pages) $(notebooks) $(shell find browser/lite -type f -not -path '*/__pycache__/*')
	@$(call say,"3/3  Pages: executing what is new and writing _build/html")
	@$(BIN)/jupyter-book build . -W --keep-going 2> >(grep --line-buffered -v "Kernel is running over TCP" >&2) || { \
	  rm -rf _build/.doctrees; exit 1; }
	@touch $@

serve: site  ## build, then serve the website on this machine
	@$(call say,"http://localhost:$(PORT)/   (Ctrl-C stops)")
	@$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

lab: .venv/.installed $(STAMPS)/notebooks  ## open the exercises in JupyterLab
	$(BIN)/jupyter lab notebooks

# ---- tests ----

# In half as many more processes as there are cores, since browsers and kernels are waited for; a file's
# tests stay together, the long files begin first.
processes = $(shell $(BIN)/python -c 'import os; print(max(2, 3 * os.cpu_count() // 2))')
side_by_side = -n $(processes) --dist loadfile --no-loadscope-reorder

test: site lint types  ## run every test (installs a browser for those of the website where it can)
	@bash tests/site/ensure-browser
	@$(call say,"Tests")
	$(BIN)/python -m pytest $(side_by_side)

# pytest ends with 5 where every test that was named is a slow one.
check: lint types  ## lint, types, and the fast tests of what differs from main (two minutes)
	@tests=$$($(BIN)/python tests/touched.py); \
	if [ -z "$$tests" ]; then echo "No test depends on what differs from main."; exit; fi; \
	$(call say,"Fast tests of what differs from main"); echo $$tests; \
	$(BIN)/python -m pytest $(side_by_side) -m "not slow" $$tests || test $$? = 5

lint: .venv/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo --cache-dir _build/import-linter

types: .venv/.installed
	$(BIN)/mypy --cache-dir _build/mypy

# ---- the rest ----

demo: .venv/.installed  ## grade a small class with nbgrader and show the result
	$(BIN)/autograder demo

experiments: .venv/.installed  ## run the experiments that have no result yet (three hours for all; resumes)
	$(BIN)/python -m experiments

bench: .venv/.installed  ## measure grading against stock nbgrader, and the first check (an hour)
	$(BIN)/python benchmarks/first_check.py
	$(BIN)/python benchmarks/grading.py
	$(BIN)/python benchmarks/cluster.py

bench-site: site  ## measure what its pages load, Lighthouse, Python in them, then building it
	$(BIN)/python benchmarks/practice.py
	$(BIN)/python benchmarks/page_load.py --lighthouse all
	$(BIN)/python benchmarks/website.py

# Ends with an error where there is no GPU.
gpu: .venv/.installed  ## run what needs a GPU: tests, claim C5, layers beside the CPU (ten minutes)
	$(BIN)/python benchmarks/gpu.py

# Run it in a fresh environment, after a direct dependency in requirements.txt has changed.
lock: .venv/.installed  ## write constraints.txt from what is installed
	@{ echo "# Every package of the environment the course is tested in, at its exact version."; \
	   echo "# Written by: make lock"; \
	   $(BIN)/pip freeze --exclude-editable | sed 's/+cpu$$//'; } > constraints.txt

clean:  ## remove everything that was built, the environment excepted
	rm -rf _build .pytest_cache .ruff_cache .hypothesis

help:  ## show this list
	@grep -hE '^[a-z-]+:.*  ## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*  ## /\1\t/' | \
	  awk -F '\t' '{ printf "  make %-13s%s\n", $$1, $$2 }'
