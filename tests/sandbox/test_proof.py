"""Every denial that a rung claims, proved in three runs: without a sandbox the act succeeds, inside it
fails, and it succeeds again when the layers that hold it are left out, and all others stay.

Where two layers hold the same act, each of them does so alone: that is the fourth, longer, proof.
"""

from __future__ import annotations

import functools
import os

import pytest

from grader.sandbox import Sandbox, SandboxError
from grader.sandbox.sandbox import CLAIMS

# What holds an act: all of these have to be left out before it succeeds. A uid of one's own is root's to
# give; an undumpable grader is kept from its own user's processes, not from root's.
HELD_BY = {
    "namespaced": {
        "read-secrets": ("files",),
        "read-memory": ("processes", "uid", "undumpable", "user"),
        "write-outside": ("files", "uid"),
        "change-outside": ("files", "uid"),
        "network-tcp": ("network", "calls"),
        "network-udp": ("network", "calls"),
        "unix-sockets": ("files", "calls", "uid"),
        "signal-grader": ("processes", "uid"),
        "see-processes": ("processes",),
        "unlimited-processes": ("limits",),
    },
    "landlock": {
        "read-secrets": ("files",),
        "read-memory": ("files", "network", "signals", "uid", "undumpable"),
        "write-outside": ("files", "uid"),
        "change-outside": ("calls", "uid"),
        "network-tcp": ("network", "calls"),
        "network-udp": ("calls",),
        "unix-sockets": ("calls", "uid"),
        "signal-grader": ("signals", "uid"),
        "see-processes": ("files",),
        "unlimited-processes": ("limits",),
    },
}
PROOFS = [pytest.param(rung, act, id=f"{rung}-{act}") for rung, acts in HELD_BY.items() for act in acts]


def layers_of(rung: str, act: str) -> tuple[str, ...]:
    """The layers that hold an act, for the user who runs these tests."""
    void = "undumpable" if os.geteuid() == 0 else "uid"
    return tuple(layer for layer in HELD_BY[rung][act] if layer != void)


@functools.cache
def observed(rung: str, without: tuple[str, ...]) -> dict[str, str]:
    """What the canary sees; a sandbox that lacks a layer refuses to start and has looked all the same."""
    sandbox = Sandbox([], rung=rung, without=without)
    try:
        with sandbox:
            pass
    except SandboxError as problem:
        if not sandbox.observed:
            pytest.skip(f"no {rung} here: {problem}")
    return sandbox.observed


def skip_what_holds_anyway(act: str) -> None:
    """Some machines refuse an ordinary user an act without any sandbox: nothing can be proved of it there."""
    if observed("split", ("undumpable",))[act] != "open":
        pytest.skip("this machine refuses it without a sandbox")


def test_every_claim_has_its_proof():
    assert {rung: frozenset(acts) for rung, acts in HELD_BY.items()} | {"split": frozenset()} == CLAIMS


@pytest.mark.parametrize(("rung", "act"), PROOFS)
def test_open_then_held_then_open_again(rung, act):
    skip_what_holds_anyway(act)
    assert observed(rung, ())[act] == "held"
    layers = layers_of(rung, act)
    if "user" in layers and os.geteuid() != 0:
        pytest.skip("an ordinary user's bubblewrap can't leave the user namespace out")
    assert observed(rung, layers)[act] == "open"


@pytest.mark.long
@pytest.mark.parametrize(("rung", "act"), PROOFS)
def test_each_layer_holds_it_alone(rung, act):
    skip_what_holds_anyway(act)
    layers = layers_of(rung, act)
    for alone in layers:
        rest = tuple(layer for layer in layers if layer != alone)
        assert observed(rung, rest)[act] == "held", f"{alone} does not hold it"


def test_a_sandbox_that_lacks_a_layer_is_refused(rung):
    if rung == "split":
        pytest.skip("split has no layers")
    with pytest.raises(SandboxError, match=r"not held: .*read-secrets"), Sandbox([], rung=rung, without=("files",)):
        pass
