# Everything a developer types. Each target works on a fresh machine.
.PHONY: help setup demo check audit test test-full format

help: ## show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: ## create .venv with everything pinned in uv.lock, and build the web page
	@sh scripts/setup.sh
	@.venv/bin/python scripts/web.py

demo: setup ## set up everything and run one real test
	@sh scripts/demo.sh

check: setup ## the fast part: lint, types, import directions, unit tests
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports
	.venv/bin/pyright
	.venv/bin/python scripts/web.py check
	.venv/bin/pytest -q tests/unit tests/fuzz tests/meta

audit: setup ## look the locked dependencies up in the lists of known vulnerabilities
	.venv/bin/python scripts/audit.py

test: setup ## the whole suite, on Docker and Podman, PostgreSQL and the test model
	@sh scripts/test-services.sh
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports
	.venv/bin/pyright
	.venv/bin/python scripts/web.py check
	.venv/bin/python scripts/audit.py --if-reachable
	.venv/bin/pytest -n 2 --no-loadscope-reorder

test-full: setup ## every matrix in full
	@sh scripts/test-services.sh
	SEATRIAL_TEST_FULL=1 .venv/bin/pytest -n 2 --no-loadscope-reorder

format: setup ## format the code
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .
	.venv/bin/python scripts/web.py format
