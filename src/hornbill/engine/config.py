"""Configuration from the constructor's signature: nobody writes `get_config`.

`Configurable` remembers the arguments of the constructor. `get_config` gives, for each parameter, the attribute of the
same name (which the constructor may have normalised) or else the argument as given. `checks` declares what the
arguments must be; it is applied when they are captured.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, ClassVar, Self

from hornbill.engine.errors import ArgumentError, ArgumentTypeError, did_you_mean
from hornbill.engine.serialization import (
    deserialize_keras_object,
    is_serialized_object,
    serialize_keras_object,
)

__all__ = [
    "Configurable",
    "ConstructorSignature",
    "between",
    "boolean",
    "check_arguments",
    "check_unknown",
    "number",
    "options",
    "parameters_of",
    "positive_int",
]  # fmt: skip

Check = Callable[[str, str, Any], None]


@functools.cache
def parameters_of(cls: type) -> tuple[inspect.Parameter, ...]:
    """Returns the named parameters of a class' constructor, without self, *args and **kwargs."""
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    return tuple(p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD))


class ConstructorSignature:
    """Lets `inspect.signature` and help() see a class' constructor, and not its `__new__`."""

    def __get__(self, instance: Any, cls: type) -> inspect.Signature | None:
        if instance is not None:
            return None  # an object that can be called has a signature of its own
        signature = inspect.signature(cls.__init__)
        return signature.replace(parameters=list(signature.parameters.values())[1:])


class Configurable:
    """Base of objects whose configuration is their constructor's arguments.

    Attributes:
        checks: Dict from parameter name to a check, such as `positive_int`; declared once per class.
        config_omitted: Parameters that stand in the configuration only when they are not None.
        config_excluded: Further keyword arguments that are no part of the configuration.
    """

    __signature__ = ConstructorSignature()
    checks: ClassVar[dict[str, Check]] = {}
    config_omitted: ClassVar[tuple[str, ...]] = ()
    config_excluded: ClassVar[tuple[str, ...]] = ()

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Checks and keeps the arguments, from which `get_config` is made."""
        instance = object.__new__(cls)
        instance.__dict__["_captured"] = (args, kwargs)
        check_arguments(cls, args, kwargs)
        if cls.checks:
            cls._apply_checks(args, kwargs)
        return instance

    @classmethod
    def _apply_checks(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        names = [p.name for p in parameters_of(cls)]
        for name, value in (*zip(names, args, strict=False), *kwargs.items()):
            if (check := cls.checks.get(name)) is not None:
                check(cls.__name__, name, value)

    def _captured_arguments(self) -> dict[str, Any]:
        args, kwargs = self.__dict__.get("_captured", ((), {}))
        parameters = parameters_of(type(self))
        values = {p.name: p.default for p in parameters if p.default is not p.empty}
        values.update(zip((p.name for p in parameters), args, strict=False))
        return {**values, **kwargs}

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make an equal object, as plain data."""
        captured = self._captured_arguments()
        config = {}
        own = [parameter.name for parameter in parameters_of(type(self))]
        extra = [
            name
            for name in captured
            if name not in own and name not in self.config_excluded and hasattr(self, name)
        ]
        for name in (*own, *extra):
            value = getattr(self, name) if hasattr(self, name) else captured.get(name)
            if inspect.ismethod(value):
                value = captured.get(name)
            if value is None and name in self.config_omitted:
                continue
            config[name] = serialize_keras_object(value)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Creates an object from `get_config()`; serialised objects inside are made objects first."""
        return cls(**{name: revive(value) for name, value in config.items()})


@functools.cache
def _own_signature(constructor: Any) -> inspect.Signature | None:
    """Returns the signature of a constructor of Hornbill's own; None for a user's, whose mistakes Python explains."""
    module = getattr(constructor, "__globals__", {}).get("__name__", "")
    return inspect.signature(constructor) if module.partition(".")[0] == "hornbill" else None


def check_arguments(cls: type, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Raises an ArgumentTypeError when arguments are missing, unknown, too many or given twice."""
    signature = _own_signature(cls.__init__)
    if signature is None:
        return
    try:
        signature.bind(None, *args, **kwargs)
    except TypeError as error:
        parameters = parameters_of(cls)
        names = [p.name for p in parameters]
        unknown = [name for name in kwargs if name not in names]
        if unknown and not any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values()):
            check_unknown(cls.__name__, {name: kwargs[name] for name in unknown}, cls)
        given = {*names[: len(args)], *kwargs}
        missing = [p.name for p in parameters if p.default is p.empty and p.name not in given]
        twice = [name for name in names[: len(args)] if name in kwargs]
        fixes: list[str] = []
        if missing:
            got = (
                f"{', '.join(missing)} is missing."
                if len(missing) == 1
                else f"{', '.join(missing)} are missing."
            )
            named = [f"{n}={_EXAMPLES.get(n, '...')}" for n in names if n in missing]
            fixes = [
                f"{cls.__name__}({', '.join([*map(repr, args), *(f'{k}={v!r}' for k, v in kwargs.items()), *named])})"
            ]
        elif twice:
            got = f"{twice[0]} twice: {args[names.index(twice[0])]!r} by its place and {twice[0]}={kwargs[twice[0]]!r}."
            fixes = [f"{cls.__name__}({twice[0]}={kwargs[twice[0]]!r})"]
        else:
            got = (
                f"{len(args)} arguments without a name; there are {len(names)} at most."
                if args
                else f"{error}."
            )
            fixes = (
                [f"Name the arguments: {cls.__name__}({names[0]}=..., {names[1]}=...)"]
                if len(names) > 1
                else []
            )
        raise ArgumentTypeError(f"{cls.__name__} takes ({', '.join(names)}).", got=got, fixes=fixes) from None


_EXAMPLES = {
    "units": "10",
    "filters": "32",
    "kernel_size": "3",
    "rate": "0.5",
    "input_dim": "1000",
    "output_dim": "64",
}


def revive(value: Any) -> Any:
    """Returns the object for a serialised one; other values pass."""
    return deserialize_keras_object(value) if is_serialized_object(value) else value


def check_unknown(
    owner: str, unknown: dict[str, Any], cls: type | None = None, extra: tuple[str, ...] = ()
) -> None:
    """Raises an ArgumentTypeError when keyword arguments are left that a constructor does not have."""
    if unknown:
        known = [p.name for p in parameters_of(cls)] if cls is not None else []
        known += list(extra)
        first = next(iter(unknown))
        hint = did_you_mean(first, known).strip()
        raise ArgumentTypeError(
            f"{owner} has no argument {', '.join(repr(name) for name in unknown)}.",
            why="It takes " + ", ".join(known) + "." if known else None,
            fixes=hint or "Leave it out, or use one of the names it takes.",
        )


def positive_int(owner: str, name: str, value: Any) -> None:
    """Checks for a whole number of at least 1."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or int(value) < 1:
        raise ArgumentError(
            f"{owner}: {name} must be a whole number of at least 1.",
            got=f"{name}={value!r}.",
            fixes=f"{name}=32",
        )


def boolean(owner: str, name: str, value: Any) -> None:
    """Checks for True or False."""
    if value not in (True, False):
        raise ArgumentError(f"{owner}: {name} must be True or False.", got=f"{name}={value!r}.")


def number(owner: str, name: str, value: Any) -> None:
    """Checks for a number."""
    try:
        float(value)
    except (TypeError, ValueError):
        raise ArgumentError(f"{owner}: {name} must be a number.", got=f"{name}={value!r}.") from None


def between(low: float, high: float, open_end: bool = False) -> Check:
    """Returns a check for a number from `low` to `high` (which does not count when `open_end`)."""

    def check(owner: str, name: str, value: Any) -> None:
        number(owner, name, value)
        if not (low <= value < high if open_end else low <= value <= high):
            end = "below" if open_end else "to"
            example = value / 100 if (low, high) == (0, 1) and 1 < value < 100 else (low + high) / 2
            raise ArgumentError(
                f"{owner}: {name} must be from {low} {end} {high}.",
                got=f"{name}={value!r}.",
                fixes=f"{name}={example:g}",
            )

    return check


def options(*allowed: Any) -> Check:
    """Returns a check for one of some values; strings are compared in lower case."""

    def check(owner: str, name: str, value: Any) -> None:
        plain = value.lower() if isinstance(value, str) else value
        if plain not in allowed:
            hint = did_you_mean(plain, [str(option) for option in allowed]).strip()
            listed = ", ".join(repr(option) for option in allowed)
            raise ArgumentError(
                f"{owner}: {name} must be one of {listed}.",
                got=f"{name}={value!r}.",
                fixes=hint or f"{name}={allowed[0]!r}",
            )

    return check
