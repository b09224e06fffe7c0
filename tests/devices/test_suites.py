"""On the pretended GPU the solutions and the variants pass every test, and each slip is seen, which no CPU sees."""

from __future__ import annotations

import pytest

from grader.course import load_course, select
from tests.devices.slips import SLIPS
from tests.devices.suites import failures, files_at, solutions
from tests.variants.test_variants import VARIANTS

COURSE = load_course()
OUT_OF_SIGHT = {"threads_and_log_softmax": "its threads ask torch for a real GPU, past the pretence"}


def _named(slip, number):
    return f"{slip.of}-{number}"


PLACES = [pytest.param(slip, id=_named(slip, number)) for number, slip in enumerate(SLIPS) if slip.place]
SAMPLE = (  # one of each assignment; the others are a long proof
    *("einsum", "torch_data", "diagonals", "options_dictionary", "bisect_closures"),
    *("heap", "packed_layers", "forward_mode", "scripted_pieces"),
)
VARIANT_CASES = [
    pytest.param(
        assignment,
        path,
        id=f"{assignment.name}-{path.stem}",
        marks=() if path.stem in SAMPLE else pytest.mark.long,
    )
    for assignment, path in VARIANTS
]


@pytest.mark.parametrize("assignment", COURSE, ids=[assignment.name for assignment in COURSE])
def test_the_solutions_and_all_probes_work_on_the_pretended_gpu(assignment):
    assert failures(assignment, solutions(*assignment.needs, assignment.name)) == {}


@pytest.mark.parametrize("slip", PLACES)
def test_a_tensor_on_the_wrong_device_is_found_there_and_only_there(slip):
    (assignment,) = select([slip.assignment])
    files = {**solutions(*assignment.needs), assignment.file: slip.source(slip.place).encode()}
    assert failures(assignment, files, first=True), "the device suite does not see it"
    assert failures(assignment, files, "cpu").keys() <= {"test_device", "test_recurrent_model_on_the_device"}


@pytest.mark.parametrize(("assignment", "path"), VARIANT_CASES)
def test_correct_programs_of_all_styles_work_on_the_pretended_gpu(assignment, path):
    if path.stem in OUT_OF_SIGHT:
        pytest.skip(OUT_OF_SIGHT[path.stem])
    assert failures(assignment, {**solutions(*assignment.needs), **files_at(path, assignment.file)}) == {}


def test_every_name_that_makes_tensors_has_its_slips():
    with_slips = {slip.of for slip in SLIPS if slip.place} & {slip.of for slip in SLIPS if slip.kind}
    makes_none = {"build_vocab", "encode", "decode", "create_batches", "teacher_forcing_probability"}
    assert with_slips == {name for assignment in COURSE for name in assignment.names} - makes_none
