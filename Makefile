# Two commands: `make grade` and `make test`. The rest is for those who work on the kit.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help grade test test-attacks test-names test-long fuzz mutants fairness steady golden gpu lint lock setup-grade setup-test

help:
	@echo 'make grade                    grade the example class that comes with the kit'
	@echo 'make grade SUBMISSION=path    grade one folder or archive'
	@echo 'make test                     run the tests of the kit itself'
	@echo 'make test-attacks             grade every hostile submission on every rung of the sandbox'
	@echo 'make test-long                everything that make test leaves out, attacks and names too; an hour or more'
	@echo 'make fuzz                     a million forged frames, 100,000 archives, 50,000 notebooks; half an hour'
	@echo 'make test-names               all of those about naming mistakes (make test takes a sample)'
	@echo 'make mutants                  every small change of the solutions: does it lose points? half an hour'
	@echo 'make fairness                 what each known mistake costs, and that it costs nothing elsewhere'
	@echo 'make golden                   write anew what students read of every known mistake; some minutes'
	@echo 'make gpu                      everything that wants a GPU, its figures as Markdown; an hour or more'
	@echo 'make steady                   a thousand correct programs on a busy machine: not a point lost'

setup-grade:
	@$(PYTHON) grader/bootstrap.py grade

setup-test:
	@$(PYTHON) grader/bootstrap.py test

grade: setup-grade
ifdef SUBMISSION
	@$(BIN)/grader grade '$(SUBMISSION)'
else
	@$(BIN)/python -m tests.example_class
endif

# On all cores; a core that has no test left takes some of another's.
test: setup-test lint
	@$(BIN)/python -m pytest -n auto --dist worksteal

test-attacks: setup-test
	@$(BIN)/python -m pytest -n auto --dist worksteal -m long tests/attacks

test-long: setup-test
	@$(BIN)/python -m pytest -m long

# The full campaigns; each case that fails is written to build/fuzz with the line that replays it.
# Fewer, or others: .venv/bin/python -m tests.fuzz --help
fuzz: setup-test
	@nice $(BIN)/python -m tests.fuzz

# Every known mistake in another hand, and every wrong program that is none: is each named for what it is?
test-names: setup-test
	@$(BIN)/python -m pytest -m "long or not long" tests/laws/test_names.py

# Prints what survives as it is found; a few: .venv/bin/python -m tests.mutation --every 20
mutants: setup-test
	@nice $(BIN)/python -m tests.mutation

# The table of costs; its laws are in tests/laws/test_fair_parts.py.
fairness: setup-test
	@nice $(BIN)/python -m tests.laws.fairness

# Fewer: .venv/bin/python -m tests.benchmarks.steady --runs 100
steady: setup-test
	@nice $(BIN)/python -m tests.benchmarks.steady

# The texts in tests/golden; look at the difference before you commit it. Some: .venv/bin/python -m tests.golden cells
golden: setup-test
	@nice $(BIN)/python -m tests.golden

# Where there is none it says so, and ends with 3. The same steps in small: .venv/bin/python -m tests.gpu --device cpu --short
gpu: setup-test
	@$(BIN)/python -m tests.gpu

lint: setup-test
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy

# Writes constraints.txt from what is installed now.
lock: setup-test
	@{ echo "# What set-up installs, exactly. Made by: make lock"; \
	   $(BIN)/pip freeze --exclude-editable --exclude sequence-grader | sed 's/+cpu$$//'; } > constraints.txt
