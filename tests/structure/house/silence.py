"""What `import pinnace` does beside defining names, seen from a fresh process."""

import os
import subprocess
import sys
from pathlib import Path

HEAVY = {"scipy", "matplotlib", "tqdm"}

PROBE = """
import os, sys
import jax, equinox, optax
before, modules, environment = dict(jax.config.values), set(sys.modules), dict(os.environ)
import pinnace
after = jax.config.values
loaded = {name.split(".")[0] for name in set(sys.modules) - modules}
with open(sys.argv[1], "w") as report:
    for name in sorted(k for k in before.keys() | after.keys() if before.get(k) != after.get(k)):
        print("sets the jax configuration", name, file=report)
    for name in sorted(k for k in {*environment, *os.environ} if environment.get(k) != os.environ.get(k)):
        print("sets the environment variable", name, file=report)
    for name in sorted(loaded & set(sys.argv[2:])):
        print("loads", name, file=report)
"""


def import_effects(source: Path, scratch: Path) -> list[str]:
    """Whatever importing the package below `source` does that its user did not ask for.

    The platform of the process does not exist: computing anything while importing is an error.
    """
    report = scratch / "report"
    environment = {**os.environ, "PYTHONPATH": str(source), "JAX_PLATFORMS": "no_such_platform"}
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(report), *sorted(HEAVY)],
        env=environment,
        cwd=scratch,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return [f"fails: {done.stderr.strip().splitlines()[-1]}"]
    printed = [f"prints {line}" for line in (done.stdout + done.stderr).splitlines()]
    return printed + report.read_text().splitlines()
