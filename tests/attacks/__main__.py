"""`python -m tests.attacks`: list the attacks, run some of them, or compare with a naive grader.

python -m tests.attacks                             every attack, its class and what it tries
python -m tests.attacks daemon --rung landlock      run those whose name contains "daemon"
python -m tests.attacks --compare                   grade all both ways, write the table into README.md
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from grader.sandbox import RUNGS
from tests.attacks.attack import EFFECTS, Attack
from tests.attacks.naive_grader import NaiveGrade, NaiveGrader, can_grade
from tests.attacks.range import KINDS, Range, load_attacks
from tests.support import rows_of

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- made by: python -m tests.attacks --compare -->", "<!-- end -->"
MORE = 0.05  # of the points, above what is deserved


@dataclass(frozen=True)
class Compared:
    """One attack, graded both ways; shares of the points from 0 to 1."""

    attack: Attack
    deserved: float
    ours: float
    our_effects: frozenset[str]
    naive: NaiveGrade | None

    @property
    def pays(self) -> bool:
        """Whether the naive grader awards more than is deserved, by either way of reading it."""
        return self.naive is not None and max(self.naive.by_report, self.naive.by_status) > self.deserved + MORE


def main() -> int:
    """List, run or compare."""
    parser = argparse.ArgumentParser(prog="python -m tests.attacks")
    parser.add_argument("names", nargs="*", help="attacks, or classes of them")
    parser.add_argument("--rung", choices=RUNGS, default=RUNGS[-1])
    parser.add_argument("--compare", action="store_true", help="grade with the naive grader too, into README.md")
    options = parser.parse_args()
    attacks = load_attacks().values()
    chosen = [attack for attack in attacks if any(name in (attack.name, attack.kind) for name in options.names)]
    if options.compare:
        table = as_markdown([*compare(chosen or attacks, options.rung)], options.rung)
        before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        README.write_text(f"{before}{BEGIN}\n\n{table}\n{END}{after}", encoding="utf-8")
        return 0
    for attack in chosen or attacks:
        print(f"{attack.kind:10} {attack.name:42} {attack.tries}")
    return run(chosen, options.rung) if chosen else 0


def run(attacks: list[Attack], rung: str) -> int:
    """Run attacks on one rung and print what was seen."""
    with Range(rung) as firing_range:
        for attack in attacks:
            document, seen = firing_range.run(attack)
            print(f"\n{attack.name}: {document['score'] if document else 'no'} points")
            for effect, what in seen.items():
                print(f"  {effect} ({EFFECTS[effect]}): {what}")
            for name, row in (
                rows_of(document, "failed", "error", "timeout", "grader-error").items() if document else ()
            ):
                print(f"  {row['status']}: {name}: {row['message'][:200]}")
    return 0


def compare(attacks: Iterable[Attack], rung: str) -> Iterable[Compared]:
    """Grade each attack both ways; says on standard error how far it is."""
    with Range(rung) as firing_range, NaiveGrader(firing_range.targets) as naive_grader:
        for attack in attacks:
            if rung in attack.never_on:
                continue
            document, seen = firing_range.run(attack)
            assert document is not None, seen
            rows = rows_of(document)
            most = sum(row["max_score"] for row in rows.values())
            deserved = sum(rows[name]["max_score"] for name in attack.deserves(rows)) / most
            naive = naive_grader.grade(attack) if can_grade(attack) else None
            effects = frozenset(seen) - {"high", "low"}
            compared = Compared(attack, deserved, document["score"] / most, effects, naive)
            print(attack.name, naive, file=sys.stderr)
            yield compared


def as_markdown(everything: list[Compared], rung: str) -> str:
    """A summary by class, and each attack that gains or does something in the naive grader."""
    lines = [
        f"{len(everything)} of the corpus' {len(load_attacks())} attacks, graded on the rung `{rung}` and by the",
        "naive grader where an attack is harmless enough and its assignment has naive tests. *Pays*: more points than",
        "it deserves. *Does harm*: it got a secret, reached a listener, changed or ended something outside, or left a",
        "process behind.",
        "",
        "| class | attacks | run in both | naive: pays | naive: does harm | ours: pays | ours: does harm |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for kind in (*KINDS, "all"):
        of_kind = [one for one in everything if kind in (one.attack.kind, "all")]
        both = [one for one in of_kind if one.naive]
        counts = (
            len(of_kind),
            len(both),
            sum(one.pays for one in both),
            sum(bool(one.naive and one.naive.effects) for one in both),
            sum(one.ours > one.deserved + 1e-9 for one in of_kind),
            sum(bool(one.our_effects) for one in of_kind),
        )
        lines.append("| " + " | ".join([kind, *map(str, counts)]) + " |")
    lines += [
        "",
        "| attack | deserves | naive, report | naive, exit status | naive: harm | ours | ours: harm |",
        "|---|---:|---:|---:|---|---:|---|",
    ]
    for one in everything:
        above = one.ours > one.deserved + 1e-9
        if one.naive and (one.pays or one.naive.effects or above or one.our_effects):
            cells = (
                one.attack.name,
                f"{one.deserved:.0%}",
                f"{one.naive.by_report:.0%}",
                f"{one.naive.by_status:.0%}",
                ", ".join(sorted(one.naive.effects)) or "–",
                f"{one.ours:.0%}",
                ", ".join(sorted(one.our_effects)) or "–",
            )
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
