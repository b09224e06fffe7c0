"""Fuzz the decoder of frames, the reader of archives, that of notebooks, or the whole of intake.

    python -m tests.fuzz frames --cases 1000000
    python -m tests.fuzz archives --cases 100000 --seed 7
    python -m tests.fuzz received --cases 3000
    python -m tests.fuzz notebooks --cases 50000
    python -m tests.fuzz frames --case 4711 --seed 7         one case of a campaign again
    python -m tests.fuzz archives --replay build/fuzz/archives-7-4711.bin

Exits with 1 if a case crashed, hung or grew; each is written to build/fuzz with the line that replays it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from tests.fuzz import campaign
from tests.fuzz.campaign import ROOT, Target

CASES = {"frames": 1_000_000, "archives": 100_000, "received": 3_000, "notebooks": 50_000}


def target_of(name: str) -> Target:
    """What is fuzzed under this name; imported late, for only frames need torch."""
    if name == "frames":
        from tests.fuzz.frames import Frames

        return Frames()
    if name == "notebooks":
        from tests.fuzz.notebooks import Notebooks

        return Notebooks()
    from tests.fuzz import archives

    return archives.Archives() if name == "archives" else archives.Received()


def main() -> int:
    """Run campaigns, or one case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", choices=tuple(CASES))
    parser.add_argument(
        "--cases", type=int, help="how many; by default a million frames, 100,000 archives, 50,000 notebooks"
    )
    parser.add_argument("--seed", type=int, help="by default the time; printed either way")
    parser.add_argument("--case", type=int, help="run this case of the campaign and no other")
    parser.add_argument("--replay", type=Path, help="run the case in this file")
    parser.add_argument("--worker", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        campaign.work(target_of(options.worker["name"]), options.worker, sys.stdout)
        return 0
    if options.replay or options.case is not None:
        if options.name is None:
            parser.error(f"say which: {', '.join(CASES)}")
        target = target_of(options.name)
        case = (
            options.replay.read_bytes()
            if options.replay
            else campaign.case_of(target, options.name, options.seed or 0, options.case)
        )
        print(f"{len(case):,} bytes: {target.feed(case)}")
        return 0
    seed = options.seed if options.seed is not None else int(time.time())
    failed = False
    for name in [options.name] if options.name else list(CASES):
        print(f"{name}: seed {seed}", flush=True)
        tally = campaign.run(
            name, target_of(name), seed, options.cases or CASES[name], ROOT / "build" / "fuzz", sys.stderr
        )
        print(*tally.lines(), sep="\n", flush=True)
        for number, problem in tally.failures.items():
            print(f"\ncase {number}: {problem}", flush=True)
        failed = failed or bool(tally.failures)
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
