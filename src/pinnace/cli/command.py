"""What `pinnace` understands, and what it answers to a mistake."""

import argparse
import re
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import pinnace as pn
from pinnace import PinnaceError, PinnaceWarning, zoo
from pinnace._errors import did_you_mean
from pinnace.cli.compare import compare, everything, split
from pinnace.cli.config import Given, Layer, from_file, from_texts
from pinnace.cli.describe import catalogue, description
from pinnace.cli.folder import CONFIG, Folder
from pinnace.cli.keys import Asked, asked
from pinnace.cli.solve import INTERRUPTED, solve

WRONG = 2
"""The exit code of a command that makes no sense."""
FLAGS = ("balancer", "steps", "seed")
"""Options that are settings, and have the last word."""


class Parser(argparse.ArgumentParser):
    """Tells a mistake in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG, f"{self.prog}: {' '.join(message.split())}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and give its exit code: 0, 1 where a loss was not finite, 2 for a mistake, 130 after Ctrl-C.

    `arguments` are those of the process where none are given.
    """
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show
            return _run(sys.argv[1:] if arguments is None else list(arguments))
    except SystemExit as end:  # how argparse ends, after --help too
        return end.code if isinstance(end.code, int) else WRONG
    except (PinnaceError, OSError) as wrong:
        print(f"pinnace: {' '.join(str(wrong).split())}", file=sys.stderr)
        return WRONG
    except KeyboardInterrupt:
        print("pinnace: interrupted before there was anything to keep.", file=sys.stderr)
        return INTERRUPTED


def _show(message: Warning | str, category: type[Warning], filename: str, *rest: Any) -> None:
    """A warning in one line, of others with the place."""
    where = "" if issubclass(category, PinnaceWarning) else f"{filename}: {category.__name__}: "
    print(f"pinnace: {where}{' '.join(str(message).split())}", file=sys.stderr)


def _run(arguments: list[str]) -> int:
    parser, commands = _parsers()
    if not arguments:
        parser.print_help()
        return 0
    word = arguments[0]
    if word not in commands and not word.startswith("-"):
        parser.error(f'there is no command "{word}".{did_you_mean(word, commands)} There are {", ".join(commands)}.')
    given, rest = parser.parse_known_args(arguments)
    if rest:
        known = re.findall(r"--[a-z-]+", commands[given.command].format_usage())
        parser.error(f'{given.command} does not understand "{rest[0]}".{did_you_mean(rest[0], known)}')
    if given.command == "list":
        print(description(zoo.by_name(given.problem)) if given.problem else catalogue())
        return 0
    if given.command == "compare":
        return compare(_asked(given), given.balancers, given.seeds, given.out, figure=given.figure)
    folder = None if given.resume is None else _resumed(given)
    wanted = _asked(given)
    for note in wanted.notes:
        print(f"pinnace: {note}", file=sys.stderr)
    folder = folder or Folder.free(given.out, wanted.problem.name)
    return solve(wanted, folder, resume=given.resume is not None, figure=given.figure, log_every=given.log_every)


def _resumed(given: argparse.Namespace) -> Folder:
    """The folder of a run that is to go on; its settings become the config."""
    for option in ("out", "config", "seed"):
        if vars(given)[option] is not None:
            raise PinnaceError(f"--{option} does not go with --resume: a run goes on in its folder as it was begun.")
    folder = Folder.begun(given.resume)
    given.config = folder.path / CONFIG
    return folder


def _asked(given: argparse.Namespace) -> Asked:
    """Defaults, then the file, then --set, then the options of their own."""
    layers: list[Layer] = [from_file(given.config)] if given.config else []
    if given.problem is None:
        named = layers[0].get("problem") if layers else None
        if named is None:
            raise PinnaceError(f"which problem? There are {', '.join(zoo.PROBLEMS)}.")
        given.problem = str(named.value)
    problem = zoo.by_name(given.problem)
    layers.append(from_texts(given.set))
    options = vars(given)
    layers += [{name: Given(options[name])} for name in FLAGS if options.get(name) is not None]
    return asked(problem, layers)


def _parsers() -> tuple[Parser, dict[str, Parser]]:
    parser = Parser(
        prog="pinnace", description="Solve differential equations with neural networks.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"pinnace {pn.__version__}")
    commands = parser.add_subparsers(dest="command", title="commands", metavar="COMMAND")

    show = commands.add_parser("list", help="the problems; with a name, its settings", allow_abbrev=False)
    show.add_argument("problem", nargs="?", help="a problem whose settings to show")

    run = commands.add_parser("solve", help="solve a problem and compare with its reference", allow_abbrev=False)
    _common(run, "runs/PROBLEM-1, -2, ...")
    run.add_argument(
        "--balancer", metavar="NAME", help='how losses are weighed: relobralo, "softadapt(beta=0.5)", none'
    )
    run.add_argument("--seed", type=_seed, metavar="S", help="networks, points and noise come from it (0)")
    run.add_argument(
        "--resume", type=Path, metavar="DIR", help="go on with the run in this folder, from its checkpoint"
    )
    run.add_argument(
        "--log-every", type=_count, metavar="N", help="a line of losses and one of weights every N steps; 0 for none"
    )

    several = commands.add_parser(
        "compare", help="balancers on the same points and networks: errors, times, weights", allow_abbrev=False
    )
    _common(several, "runs/compare-PROBLEM-1, -2, ...")
    several.add_argument(
        "--balancers",
        type=split,
        default=everything(),
        metavar="LIST",
        help='names or calls: "none,relobralo,softadapt(beta=0.5),fixed(weights=[1,100])" (all)',
    )
    several.add_argument(
        "--seeds", type=_runs, default=3, metavar="K", help="runs of each, from the seeds 0 to K-1 (3)"
    )
    return parser, {"list": show, "solve": run, "compare": several}


def _common(parser: argparse.ArgumentParser, folders: str) -> None:
    parser.add_argument("problem", nargs="?", help="a name from `pinnace list`; a config may name it instead")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings from a .toml, .yaml or .yml file")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting, see `pinnace list PROBLEM`, or a key of a config such as loss.adaptive.ema_alpha",
    )
    parser.add_argument("--steps", metavar="N", help="steps to take")
    parser.add_argument("--out", type=Path, metavar="DIR", help=f"where the results go ({folders})")
    parser.add_argument("--no-figure", dest="figure", action="store_false", help="write no figure")


def _seed(text: str) -> int:
    if not (text.isdecimal() and int(text) < 2**32):
        raise argparse.ArgumentTypeError(f'a seed is a whole number from 0 to 2^32 - 1; got "{text}"')
    return int(text)


def _count(text: str) -> int:
    if not (text.isdecimal() and len(text) < 10):
        raise argparse.ArgumentTypeError(f'a number of steps is 0 or more; got "{text}"')
    return int(text)


def _runs(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text[:10]) and len(text) < 7):
        raise argparse.ArgumentTypeError(f'the number of seeds is 1 or more; got "{text}"')
    return int(text)
