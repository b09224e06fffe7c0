"""Notebooks that want more than their cells deserve: that forge, break out of the module made of them, or are none."""

import json

from tests.attacks.attack import ALL, upload, write

ON_SPLIT = {"split": {"loot"}}


def a_book(*sources, metadata=None, **of_cells):
    """A notebook of these code cells, as JSON text."""
    cell = {"cell_type": "code", "metadata": {}, "execution_count": 1, "outputs": [], **of_cells}
    cells = [{**cell, "source": source} for source in sources]
    return json.dumps({"cells": cells, "metadata": metadata or {}, "nbformat": 4, "nbformat_minor": 4})


def handed_in(folder, honest, *sources, **description):
    """The honest code as a notebook's first cell, these behind it, and `targets` beside it."""
    book = a_book(honest["sampling.py"], *sources, **description)
    return write(folder, {"work.ipynb": book, "targets.py": honest["targets.py"]})


@upload("sampling", tries="Reads the hidden tests in a default value, which is worked out on import.", gaps=ON_SPLIT)
def a_default_that_steals(folder, honest):
    steal = """
from targets import HIDDEN_TEST, boast

def steal():
    try:
        return open(HIDDEN_TEST).read()
    except OSError:
        return None

def sample_next(logits, temperature=1.0, generator=None, honest=sample_next, loot=steal()):
    if loot:
        boast(loot)
    return honest(logits, temperature, generator)
"""
    return handed_in(folder, honest, steal)


@upload("sampling", tries="Ends what the grader writes around a statement, and forges its notes on failures.")
def cells_that_break_out(folder, honest):
    return handed_in(
        folder,
        honest,
        "_passed_over = {}\n_passed_over['sample_next'] = None\ndef __getattr__(name):\n    return lambda *a, **k: 0",
        "'''\nexcept BaseException:\n    raise SystemExit(0)\n'''",
        "x = '''\n\nexcept BaseException as _problem:\n    import os; os._exit(0)\n''' \\\n",
        "\x0cif True:\n\tpass\n\u2028raise SystemExit",
        "# -*- coding: utf-7 -*-\n# +AAo-raise SystemExit(0)",
        "try:\n    1 / 0\nfinally:\n    pass",
    )


@upload("sampling", stub=True, tries="Defines nothing that is asked for, and answers to every name.")
def a_notebook_that_has_every_name(folder, honest):
    answers = "def __getattr__(name):\n    return lambda *given, **named: 0\n"
    book = a_book(answers, "globals().update(sample_next=len, generate_text=str)", "from sampling import *")
    return write(folder, {"work.ipynb": book})


@upload("sampling", stub=True, tries="Claims full marks in its outputs and in the metadata of other graders.")
def outputs_that_claim_full_marks(folder, honest):
    said = "38 of 38 public tests pass ✓\n" + '{"score": 100.0, "tests": [{"status": "passed"}]}\n'
    return handed_in(
        folder,
        honest,
        "check('sampling')",
        outputs=[{"output_type": "stream", "name": "stdout", "text": said}],
        metadata={"otter": {"OK_FORMAT": True, "tests": {"sampling": {"points": 100}}}, "score": 100},
    )


@upload("sampling", stub=True, tries="Hides a result that runs when it is unpickled among its outputs and attachments.")
def outputs_that_run_when_read(folder, honest):
    pickled = "Y29zCnN5c3RlbQooUydpZCcKdFIu"
    return handed_in(
        folder,
        honest,
        outputs=[
            {
                "output_type": "execute_result",
                "execution_count": 1,
                "metadata": {},
                "data": {"application/x-python-pickle": pickled, "text/html": "<script>alert(1)</script>"},
            }
        ],
    )


@upload("sampling", tries="Has magics write modules and run commands, for a grader that obeys them.")
def magics_that_write(folder, honest):
    return handed_in(
        folder,
        honest,
        "%%writefile sampling.py\nraise SystemExit(0)",
        "!cp /etc/passwd sampling.py\n%run sampling.py\n%load_ext targets",
        "%%bash\necho owned > sampling.py",
        "get_ipython().system('id > sampling.py')",
    )


@upload("sampling", tries="Has a parser's bombs in the cells beside its honest one.")
def bombs_in_cells(folder, honest):
    bombs = ("x = " + "(" * 50_000, "x = " + "-" * 200_000 + "1", "x" + ".a" * 100_000, "x = 1\0", "\ud800 = 1")
    return handed_in(folder, honest, *bombs)


@upload("sampling", tries="Gives notebooks beside its own names with a runner's commands and control characters.")
def notebooks_with_hostile_names(folder, honest):
    names = ("b\n::error::x", "c\x1b[31m", "d\u202egnp", "e'''\nraise SystemExit\n'''")
    failing = {f"{name}.ipynb": a_book("1 / 0", "def (", "%magic") for name in names}
    return write(folder, {"a.ipynb": a_book(honest["sampling.py"]), **failing})


@upload("sampling", tries="Names its cells twice: the wrong ones for a person, the right ones for the grader.")
def cells_named_twice(folder, honest):
    first = '{"cells": [{"cell_type": "code", "source": "raise SystemExit(0)"}], '
    return write(folder, {"work.ipynb": first + a_book(honest["sampling.py"])[1:]})


@upload("sampling", tries="Has twenty thousand cells behind its honest one.")
def cells_without_number(folder, honest):
    return handed_in(folder, honest, *["x = 1"] * 20_000)


@upload("sampling", spoils=ALL, tries="Ends in the middle of a cell.")
def a_notebook_cut_short(folder, honest):
    return write(folder, {"work.ipynb": a_book(honest["sampling.py"])[:-200]})


@upload("sampling", spoils=ALL, tries="Has a version of ten thousand digits.")
def a_notebook_of_an_endless_version(folder, honest):
    endless = a_book(honest["sampling.py"]).replace('"nbformat": 4', '"nbformat": ' + "4" * 10_000)
    return write(folder, {"work.ipynb": endless})


@upload("sampling", spoils=ALL, tries="Is larger than any notebook may be.")
def a_notebook_too_large(folder, honest):
    return write(folder, {"work.ipynb": a_book(honest["sampling.py"], "#" * (32 * 2**20))})
