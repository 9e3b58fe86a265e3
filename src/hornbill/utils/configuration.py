"""Config, a small dictionary with attributes that can be frozen and written as JSON."""

from __future__ import annotations

import json
from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import Any

from hornbill.engine.errors import ArgumentError, MissingNameError, did_you_mean

__all__ = ["Config"]


class Config:
    """Named values, read and set as attributes or items, which can be frozen.

    Args:
        **kwargs: The first values.

    Example:
        >>> config = Config(learning_rate=0.1)
        >>> config.epochs = 3
        >>> config.freeze()
        >>> config.to_json()
        '{"learning_rate": 0.1, "epochs": 3}'
    """

    def __init__(self, **kwargs: Any) -> None:
        object.__setattr__(self, "_values", dict(kwargs))
        object.__setattr__(self, "_frozen", False)

    @property
    def frozen(self) -> bool:
        """Whether values can no longer be changed."""
        return self.__dict__["_frozen"]

    def freeze(self) -> None:
        """Lets no value be changed from now on."""
        object.__setattr__(self, "_frozen", True)

    def unfreeze(self) -> None:
        """Lets values be changed again."""
        object.__setattr__(self, "_frozen", False)

    def as_dict(self) -> dict[str, Any]:
        """Returns the values as a new dictionary."""
        return dict(self._contents())

    def to_json(self) -> str:
        """Returns the values as JSON; a Config inside becomes an object."""
        return json.dumps(self._contents(), default=_plain)

    def keys(self) -> KeysView[str]:
        """Returns the names."""
        return self._contents().keys()

    def values(self) -> ValuesView[Any]:
        """Returns the values."""
        return self._contents().values()

    def items(self) -> ItemsView[str, Any]:
        """Returns names with values."""
        return self._contents().items()

    def get(self, key: str, default: Any = None) -> Any:
        """Returns the value of a name, or `default`."""
        return self._contents().get(key, default)

    def pop(self, *args: Any) -> Any:
        """Removes a name and returns its value (or a default, if given and there is none)."""
        return self._changeable().pop(*args)

    def update(self, *args: Mapping[str, Any], **kwargs: Any) -> None:
        """Sets several values."""
        self._changeable().update(*args, **kwargs)

    def _contents(self) -> dict[str, Any]:
        return self.__dict__["_values"]

    def _changeable(self) -> dict[str, Any]:
        if self.frozen:
            raise ArgumentError("This Config is frozen, so no value can change.", fixes="config.unfreeze()")
        return self._contents()

    def __getattr__(self, name: str) -> Any:
        values = self.__dict__.get("_values", {})
        if name in values:
            return values[name]
        raise MissingNameError(f"This Config has no value {name!r}.{did_you_mean(name, values)}")

    def __setattr__(self, name: str, value: Any) -> None:
        self._changeable()[name] = value

    def __delattr__(self, name: str) -> None:
        if name not in self._contents():
            raise MissingNameError(f"This Config has no value {name!r}.")
        del self._changeable()[name]

    def __getitem__(self, key: str) -> Any:
        return self._contents()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._changeable()[key] = value

    def __delitem__(self, key: str) -> None:
        del self._changeable()[key]

    def __contains__(self, key: object) -> bool:
        return key in self._contents()

    def __iter__(self) -> Iterator[str]:
        return iter(self._contents())

    def __len__(self) -> int:
        return len(self._contents())

    def __repr__(self) -> str:
        return f"<Config {self._contents()}>"


def _plain(value: Any) -> Any:
    if isinstance(value, Config):
        return value.as_dict()
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
