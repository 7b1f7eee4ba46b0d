"""Threads of a verb sleep while they wait; what a user says about that is kept, and the library says nothing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from blurlab.cli.entry import WAITING

AFTER_VERB = """\
import os, sys
from blurlab.cli import main
assert "torch" not in sys.modules  # it reads the variables when it is loaded
main(["weights"])
print("policy", os.environ.get("OMP_WAIT_POLICY"))
"""
AFTER_IMPORT = """\
import os
import blurlab
blurlab.deblur
print("policy", os.environ.get("OMP_WAIT_POLICY"))
"""


@pytest.mark.parametrize(
    ("code", "chosen", "policy"),
    [
        (AFTER_VERB, {}, "PASSIVE"),
        (AFTER_VERB, {"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE"),
        (AFTER_VERB, {"GOMP_SPINCOUNT": "100"}, "None"),
        pytest.param(AFTER_IMPORT, {}, "None", marks=pytest.mark.slow),
    ],
)
def test_threads_of_a_verb_sleep_unless_the_user_says_otherwise(code: str, chosen: dict[str, str], policy: str) -> None:
    env = {name: value for name, value in os.environ.items() if name not in WAITING}
    done = subprocess.run([sys.executable, "-c", code], env=env | chosen, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == f"policy {policy}"
