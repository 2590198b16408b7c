# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Dataclass configs <-> YAML <-> command line: everything a run needs stands in one file beside its output."""

import argparse
import contextlib
import dataclasses
import math
import os
import re
import types
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml

from .._spelling import did_you_mean

C = TypeVar("C")
_EXPONENT = re.compile(r"[-+]?[0-9]+e[-+][0-9]+", re.IGNORECASE)


def option(default: Any, help: str, **metadata: Any) -> Any:
    """A dataclass field with its help text (lists and mappings take `dataclasses.field(default_factory=...)`).

    Args:
        default: the value without a flag or YAML key.
        help: one line for `--help`.
        metadata: `choices=[...]` restricts the values.
    """
    return dataclasses.field(default=default, metadata={"help": help, **metadata})


def to_dict(config: Any) -> dict[str, Any]:
    """Plain mapping of a config, in field order."""
    return dataclasses.asdict(config)


def save_config(config: Any, path: str | os.PathLike) -> Path:
    """Write a config as YAML, under a temporary name first."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(yaml.safe_dump(to_dict(config), sort_keys=False))
    os.replace(temporary, path)
    return path


def load_config(cls: type[C], path: str | os.PathLike) -> C:
    """Read a YAML file into a config.

    Raises:
        ValueError: not a mapping, an unknown key, or a value of the wrong type.
    """
    return from_dict(cls, read_yaml(path), source=str(path))


def read_yaml(path: str | os.PathLike) -> dict[str, Any]:
    """A YAML mapping, or one clear line about what is wrong with the file."""
    try:
        values = yaml.safe_load(Path(path).read_text())
    except OSError as error:
        raise ValueError(f"config must be a readable YAML file, got {path} ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"config must be valid YAML, got {path} ({' '.join(str(error).split())})") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ValueError(f"config must hold a YAML mapping, got {type(values).__name__} in {path}")
    return values


def from_dict(cls: type[C], values: dict[str, Any], *, source: str = "config") -> C:
    """Build a config from a mapping, checking keys, types and choices."""
    fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    unknown = sorted(str(key) for key in values if key not in fields)
    if unknown:
        near = "".join(did_you_mean(key, fields) for key in unknown) or f"; known: {', '.join(sorted(fields))}"
        raise ValueError(f"{source} has unknown keys {unknown}{near}")
    hints = typing.get_type_hints(cls)
    checked = {key: _coerce(key, value, hints[key], fields[key].metadata) for key, value in values.items()}
    return cls(**checked)


def parse_config(cls: type[C], argv: Sequence[str] | None = None, *, description: str = "") -> C:
    """Command line -> config; flags win over `--config FILE`, which wins over the defaults."""
    given = vars(build_parser(cls, description=description).parse_args(argv))
    return merge_flags(cls, given)


def merge_flags(cls: type[C], given: dict[str, Any], base: dict[str, Any] | None = None) -> C:
    """Lay parsed flags over `--config FILE` (or over `base`); mapping fields merge key by key."""
    given = dict(given)
    path = given.pop("config", None)
    values = dict(base) if base is not None else {}
    if path:
        values.update(read_yaml(path))
    for key, value in given.items():
        before = values.get(key) or {}
        if isinstance(value, dict) and isinstance(before, dict):
            value = {**before, **value}
        values[key] = value
    return from_dict(cls, values, source=path or "command line")


class _Parser(argparse.ArgumentParser):
    """One line for a mistake: the usage of sixty options would bury it."""

    def error(self, message: str) -> typing.NoReturn:
        unknown = re.search(r"unrecognized arguments: (-[\w-]+)", message)
        refused = re.search(r"invalid choice: '([^']+)' \(choose from (.*)\)", message)
        near = did_you_mean(unknown[1], self._option_string_actions) if unknown else ""
        near = did_you_mean(refused[1], re.findall(r"[\w-]+", refused[2])) if refused else near
        self.exit(2, f"error: {message}{near} (--help lists the options)\n")


def build_parser(cls: type, *, description: str = "") -> argparse.ArgumentParser:
    """An argument parser with one flag per field; absent flags leave no trace in the namespace."""
    parser = _Parser(
        description=description, argument_default=argparse.SUPPRESS, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--config", metavar="FILE", help="YAML file with any of the options below; flags override it")
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        _add_flag(parser, field, hints[field.name])
    return parser


def _add_flag(parser: argparse.ArgumentParser, field: dataclasses.Field, hint: Any) -> None:
    default = field.default if field.default is not dataclasses.MISSING else field.default_factory()  # type: ignore
    text = f"{field.metadata.get('help', '')} (default: {default})".replace("%", "%%")
    flag, hint = "--" + field.name.replace("_", "-"), _strip_optional(hint)
    kind = typing.get_origin(hint) or hint
    if kind is bool:
        parser.add_argument(flag, action=argparse.BooleanOptionalAction, help=text)
    elif kind is list:
        parser.add_argument(flag, nargs="*", type=typing.get_args(hint)[0], help=text)
    elif kind is dict:
        parser.add_argument(flag, nargs="+", action=_KeyValue, metavar="KEY=VALUE", help=text)
    else:
        choices = field.metadata.get("choices")
        parser.add_argument(flag, type=kind, choices=choices, help=text, metavar=None if choices else kind.__name__)


class _KeyValue(argparse.Action):
    """`--model width=128 layers=8` -> a mapping, values read as YAML scalars."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        merged = dict(getattr(namespace, self.dest, {}))
        for pair in values:
            key, separator, value = pair.partition("=")
            if not separator:
                parser.error(f"argument {option}: expected KEY=VALUE, got {pair!r}")
            try:
                merged[key] = _number(yaml.safe_load(value))
            except yaml.YAMLError:
                parser.error(f"argument {option}: {key} must be a YAML value, got {value!r}")
        setattr(namespace, self.dest, merged)


def _number(value: Any) -> Any:
    """YAML reads `1e-4` as a string; anything else comes back as it is."""
    return float(value) if isinstance(value, str) and _EXPONENT.fullmatch(value) else value


def _strip_optional(hint: Any) -> Any:
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return next(part for part in typing.get_args(hint) if part is not type(None))
    return hint


def _coerce(key: str, value: Any, hint: Any, metadata: Any) -> Any:
    """Check one YAML or flag value; ints serve as floats, YAML's `1e-4` (a string) as a number, its `no` as a word."""
    inner = _strip_optional(hint)
    if value is None and inner is not hint:
        return None
    kind = typing.get_origin(inner) or inner
    if kind is float and isinstance(value, (int, str)) and not isinstance(value, bool):
        with contextlib.suppress(ValueError):
            value = float(value)
    choices = metadata.get("choices")
    if kind is str and isinstance(value, bool):
        value = next((word for word in choices or () if yaml.safe_load(word) is value), value)
    if kind is dict and isinstance(value, dict):
        value = {name: _number(item) for name, item in value.items()}
    if kind is list and isinstance(value, (list, tuple)):
        value = [_coerce(key, item, typing.get_args(inner)[0], {}) for item in value]
    wrong = not isinstance(value, kind) or (kind is int and isinstance(value, bool))
    if kind is not Any and wrong:
        raise ValueError(f"{key} must be {kind.__name__}, got {value!r}")
    if kind is float and not math.isfinite(value):
        raise ValueError(f"{key} must be finite, got {value}")
    if choices and value not in choices:
        raise ValueError(f"{key} must be one of {list(choices)}, got {value!r}")
    return value
