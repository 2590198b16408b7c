# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What every readout is: a module built from a few JSON values, saved and loaded as a folder."""

import functools
import importlib
import inspect
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import nn

from .standardise import standardise

CONFIG_NAME, WEIGHTS_NAME = "config.json", "model.safetensors"


class Readout(nn.Module):
    """Base of the readouts; they see features alone, never a backbone.

    A subclass only declares its constructor; the arguments of each call are kept, with the defaults filled in, as
    `config`. Tensors among them (`frame_spans`) are kept as nested lists, so constructors take both.

    Attributes:
        readout_type: short name of the kind, written to `config.json`.
        shares_tokens: members of a grid may train as one (`Ensemble`); the loss must then draw nothing at random.
        config: keyword arguments that build the same readout again; JSON values.
        statistics: its tokens carry their mean and deviation beside them.
    """

    readout_type: ClassVar[str] = ""
    shares_tokens: ClassVar[bool] = False
    config: dict[str, Any]
    statistics: bool = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__init__" in cls.__dict__:
            cls.__init__ = _keeping_config(cls.__init__)  # type: ignore[method-assign]

    @property
    def device(self) -> torch.device:
        """Of the weights."""
        return next(self.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights."""
        return next(self.parameters()).dtype

    def standardise(self, values: torch.Tensor) -> torch.Tensor:
        """Features (..., C) as the readout takes them when told that they are standardised."""
        return standardise(values, statistics=self.statistics)

    def num_parameters(self) -> int:
        """Trained weights."""
        return sum(parameter.numel() for parameter in self.parameters())

    def save_pretrained(self, save_directory: str | Path) -> None:
        """Write `config.json` and `model.safetensors`; each file appears whole or not at all."""
        from safetensors.torch import save

        folder = Path(save_directory)
        folder.mkdir(parents=True, exist_ok=True)
        about = {"architectures": [type(self).__name__], "readout_type": self.readout_type, **self.config}
        state = {name: value.detach().cpu().contiguous() for name, value in self.state_dict().items()}
        _write(folder / WEIGHTS_NAME, save(state, metadata={"format": "pt"}))
        _write(folder / CONFIG_NAME, (json.dumps(about, indent=2) + "\n").encode())

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """A fresh readout; on `Readout` itself the class is the one that the config names.

        Args:
            config: a readout's `config`, or the content of a `config.json`.

        Raises:
            ValueError: an unknown class, or arguments that it does not take.
        """
        options = {name: value for name, value in config.items() if name not in ("architectures", "readout_type")}
        found = _named(config, cls)
        try:
            inspect.signature(found).bind(**options)
        except TypeError as error:
            raise ValueError(f"config must hold the arguments of {found.__name__}: {error}") from error
        return found(**options)

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> Self:
        """The readout of a folder, in evaluation mode.

        Raises:
            ValueError: the folder holds no readout, one of another class, or weights that do not fit its config.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            config = json.loads((Path(folder) / CONFIG_NAME).read_text())
            state = load_file(Path(folder) / WEIGHTS_NAME)
        except (OSError, ValueError, SafetensorError) as error:
            raise ValueError(f"folder must hold {CONFIG_NAME} and {WEIGHTS_NAME}, got {folder} ({error})") from error
        readout = cls.from_config(config)
        try:
            readout.load_state_dict(state)
        except RuntimeError as error:
            reason = " ".join(str(error).split())
            raise ValueError(f"{WEIGHTS_NAME} must fit {CONFIG_NAME}, got {folder} ({reason})") from error
        return readout.eval()


def _keeping_config(construct: Callable[..., None]) -> Callable[..., None]:
    signature = inspect.signature(construct)

    @functools.wraps(construct)
    def wrapped(self: Readout, *args: Any, **kwargs: Any) -> None:
        # A constructor that calls its parent's comes first: the outermost arguments are the ones that build it again.
        if "config" not in self.__dict__:
            bound = signature.bind(self, *args, **kwargs)
            bound.apply_defaults()
            given = dict(list(bound.arguments.items())[1:])
            extra = [name for name, p in signature.parameters.items() if p.kind is inspect.Parameter.VAR_KEYWORD]
            for name in extra:
                given.update(given.pop(name))
            self.__dict__["config"] = {name: _plain(name, value) for name, value in given.items()}
        construct(self, *args, **kwargs)

    return wrapped


def _plain(name: str, value: Any) -> Any:
    if hasattr(value, "tolist"):
        value = value.tolist()
    try:
        return json.loads(json.dumps(value))
    except TypeError as error:
        raise TypeError(f"{name} must be a JSON value, so that the readout can be saved, got {value!r}") from error


def _named(config: Mapping[str, Any], base: type[Readout]) -> Any:
    names = config.get("architectures")
    if names is None and base is not Readout:
        return base
    name = names[0] if isinstance(names, list) and names else None
    known = {found.__name__: found for found in _descendants(base)}
    if name not in known and isinstance(name, str):
        # The room imports its readouts when they are asked for.
        found = getattr(importlib.import_module(__package__ or ""), name, None)
        if isinstance(found, type) and issubclass(found, base):
            return found
    if name not in known:
        raise ValueError(f"architectures must name a {base.__name__}, got {names!r}")
    return known[name]


def _descendants(base: type[Readout]) -> list[type[Readout]]:
    below = [each for child in base.__subclasses__() for each in _descendants(child)]
    return below if base is Readout else [base, *below]


def _write(path: Path, content: bytes) -> None:
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
