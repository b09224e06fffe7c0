"""The trusted side: pytest suites that send probes, check the replies and earn points.

A test is one function:

    @points(2, of="LSTMCellFromScratch", promise="lstm-step")
    def test_matches_nn_lstm(submission, rng):
        reply = submission.run(probes.lstm_steps, **inputs)
        expect(reply["h"], axes="step row unit").matches(oracle.nn_lstm(**inputs).h)

`submission` runs probes in the student's process; `rng` is a generator seeded from the course's seed
and the test's name. What a test may raise is this package's: `expect` and `Reply` raise Mismatch.
"""

from grader.suite.expectation import Mismatch, Part, Tolerance, expect
from grader.suite.points import Grading, points
from grader.suite.reply import Reply

__all__ = ["Grading", "Mismatch", "Part", "Reply", "Tolerance", "expect", "points"]
