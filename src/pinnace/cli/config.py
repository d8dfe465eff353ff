"""Settings from files and from the command line, as dotted keys: `loss.adaptive.ema_alpha`."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pinnace import PinnaceError, zoo
from pinnace._errors import did_you_mean

KINDS = (".toml", ".yaml", ".yml")
PLAIN_EXPONENT = r"[-+]?(?:\d[\d_]*\.?[\d_]*|\.[\d_]+)[eE][-+]?\d+"


@dataclass(frozen=True)
class Given:
    """A value that somebody gave: a file in its own type, the command line as text."""

    value: Any
    file: Path | None = None

    def mistake(self, told: str) -> zoo.SettingError:
        """The error about this value, with the file that it stands in."""
        return zoo.SettingError(told if self.file is None else f"{self.file}: {told}")


Layer = Mapping[str, Given]
"""What one source says, by dotted keys."""


def from_file(path: Path) -> Layer:
    """What a TOML or YAML file says.

    Raises SettingError where it cannot be read: what is wrong, and where.
    """
    if path.suffix.lower() not in KINDS:
        raise zoo.SettingError(f'a config is a .toml, .yaml or .yml file; got "{path}".')
    if not path.is_file():
        near = [str(one) for one in path.parent.glob("*") if one.suffix in KINDS] if path.parent.is_dir() else []
        raise zoo.SettingError(f"there is no file {path}.{did_you_mean(path, near)}")
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
        read = tomllib.loads(text) if path.suffix.lower() == ".toml" else _yaml(text, path)
        if not isinstance(read, dict):
            raise zoo.SettingError(f"{path}: a config is a table of keys and values; got {_shown(read)}.")
        return {key: Given(value, path) for key, value in _flat(read, path)}
    except PinnaceError:
        raise
    except RecursionError:
        raise zoo.SettingError(f"{path}: nested too deeply.") from None
    except ValueError as wrong:  # of tomllib, of an encoding, of a date or number beyond what Python holds
        raise zoo.SettingError(f"{path} is not valid: {wrong}") from None


def from_texts(texts: Iterable[str]) -> Layer:
    """What `--set key=value`, given several times, says.

    >>> from_texts(["loss.adaptive.ema_alpha=0.95"])["loss.adaptive.ema_alpha"].value
    '0.95'
    """
    found = {}
    for text in texts:
        key, equals, value = (part.strip() for part in text.partition("="))
        if not (equals and key):
            raise zoo.SettingError(f'a setting is written key=value, for example width=32; got "{text}".')
        found[key] = Given(value)
    return found


def as_toml(values: Mapping[str, Any]) -> str:
    """Numbers, texts, true and false as a TOML file that reads back as the same.

    >>> print(as_toml({"width": 32, "rate": 5e-3, "balancer": "none"}), end="")
    width = 32
    rate = 0.005
    balancer = "none"
    """
    return "".join(f"{key} = {_toml(value)}\n" for key, value in values.items())


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    escaped = (f"\\u{ord(c):04x}" if ord(c) < 32 or ord(c) == 127 else f"\\{c}" if c in '"\\' else c for c in value)
    return f'"{"".join(escaped)}"'


def _yaml(text: str, path: Path) -> Any:
    try:
        import yaml
    except ImportError:
        raise zoo.SettingError(
            f'{path}: YAML needs PyYAML. Install it, `pip install "pinnace[yaml]"`, or write TOML.'
        ) from None
    import re

    class Loader(yaml.SafeLoader):
        """With 1e-5 as a number: YAML 1.1, which PyYAML reads, wants a point in it."""

    Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(f"^{PLAIN_EXPONENT}$"), list("-+.0123456789"))
    try:
        read = yaml.load(text, Loader)
    except (yaml.YAMLError, ValueError, OverflowError, TypeError, AttributeError) as wrong:
        raise zoo.SettingError(f"{path} is not valid YAML: {' '.join(str(wrong).split())}") from None
    return {} if read is None else read


def _flat(table: Mapping[Any, Any], path: Path, before: str = "") -> Iterable[tuple[str, Any]]:
    for key, value in table.items():
        if not isinstance(key, str):
            raise zoo.SettingError(f"{path}: keys are texts; got {key!r}{f' in {before[:-1]}' if before else ''}.")
        if isinstance(value, dict):
            yield from _flat(value, path, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
