"""Names of number types, the rule by which two of them combine, and dtype policies.

A dtype is always a string ("float32"). A policy says in which dtype a layer computes and in which it keeps its
variables. Combination follows JAX's lattice, which is the one Keras documents.
"""

from __future__ import annotations

import contextlib
import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbill.engine import settings
from hornbill.engine.errors import ArgumentError, did_you_mean

__all__ = [
    "ALLOWED_DTYPES",
    "DTypePolicy",
    "DTypePolicyMap",
    "dtype_policy",
    "get_policy",
    "is_float_dtype",
    "is_int_dtype",
    "result_type",
    "set_dtype_policy",
    "standardize_dtype",
]

ALLOWED_DTYPES = (
    "float16", "float32", "float64", "bfloat16", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32",
    "int64", "bool", "string", "complex64", "complex128", "float8_e4m3fn", "float8_e5m2", "int4", "uint4",
)  # fmt: skip
_PYTHON_DTYPES = {bool: "bool", int: "int32", float: "float32", str: "string", complex: "complex64"}
_known: dict[Any, str] = {}


def standardize_dtype(dtype: Any) -> str:
    """Returns the name of a dtype given as name, NumPy or JAX dtype, Python type or None (the float type).

    Raises:
        ArgumentError: If the dtype is unknown.
    """
    if dtype is None:
        return settings.floatx()
    try:
        if (name := _known.get(dtype)) is not None:
            return name
    except TypeError:
        pass
    name = _PYTHON_DTYPES.get(dtype) if isinstance(dtype, type) else None
    if name is None:
        name = dtype if isinstance(dtype, str) else getattr(dtype, "name", None)
    if name is None and "torch" in str(dtype):
        name = str(dtype).rsplit(".", 1)[-1]
    if name is None:
        name = getattr(dtype, "__name__", str(dtype))
    if name not in ALLOWED_DTYPES:
        raise ArgumentError(
            f"{dtype!r} is no dtype.{did_you_mean(name, ALLOWED_DTYPES)}",
            fixes="Use one of " + ", ".join(repr(d) for d in ALLOWED_DTYPES[:13]) + ".",
        )
    with contextlib.suppress(TypeError):  # not hashable: it is looked up again each time
        _known[dtype] = name
    return name


def is_float_dtype(dtype: Any) -> bool:
    """Returns whether the dtype is a floating one."""
    return "float" in standardize_dtype(dtype)


def is_int_dtype(dtype: Any) -> bool:
    """Returns whether the dtype is a signed or unsigned integer."""
    return "int" in standardize_dtype(dtype)


def result_type(*dtypes: Any) -> str:
    """Returns the dtype that values of the given dtypes combine to; Python types count as weak."""
    if not dtypes:
        return settings.floatx()
    weak = {
        bool: bool,
        int: int,
        float: float,
        "int": int,
        "float": float,
        None: jnp.dtype(settings.floatx()),
    }
    parts = [weak[d] if d is None or d in weak else jnp.dtype(standardize_dtype(d)) for d in dtypes]
    return _canonical(jnp.result_type(*parts))


def _canonical(dtype: Any) -> str:
    return np.dtype(jax.dtypes.canonicalize_dtype(dtype)).name


class DTypePolicy:
    """How a layer computes and keeps its variables.

    Args:
        name: A dtype ("float32", "bfloat16", ...: both the same) or "mixed_bfloat16" / "mixed_float16" (compute in
            16 bits, keep variables in float32). None means the global policy.

    Attributes:
        compute_dtype: The dtype of the layer's arithmetic.
        variable_dtype: The dtype of its variables.
    """

    def __init__(self, name: str | None = None) -> None:
        if name is None:
            name = dtype_policy().name
        if not isinstance(name, str):
            name = standardize_dtype(name)
        self._name = name
        if name in ("mixed_float16", "mixed_bfloat16"):
            self._compute_dtype, self._variable_dtype = name.removeprefix("mixed_"), "float32"
        else:
            known = (*ALLOWED_DTYPES, "mixed_float16", "mixed_bfloat16")
            if name not in known:
                raise ArgumentError(f"{name!r} is no dtype policy.{did_you_mean(name, known)}")
            self._compute_dtype = self._variable_dtype = name

    @property
    def name(self) -> str:
        """The policy's name."""
        return self._name

    @property
    def compute_dtype(self) -> str:
        """The dtype of the layer's arithmetic."""
        return self._compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The dtype of the layer's variables."""
        return self._variable_dtype

    @property
    def quantization_mode(self) -> str | None:
        """None: this policy quantises nothing."""
        return None

    def convert_input(self, x: Any, autocast: bool, dtype: Any) -> Any:
        """Returns `x` as an array, floats cast to `dtype` when `autocast` is on."""
        array = jnp.asarray(x)
        cast = autocast and jnp.issubdtype(array.dtype, jnp.floating)
        return array.astype(dtype) if cast else array

    def get_config(self) -> dict[str, Any]:
        """Returns the configuration: the name."""
        return {"name": self.name}

    def serialized(self) -> dict[str, Any]:
        """Returns the form in which a policy stands in a layer's configuration."""
        return {
            "module": "keras",
            "class_name": type(self).__name__,
            "config": self.get_config(),
            "registered_name": None,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicy:
        """Creates the policy from its configuration."""
        return cls(**config)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self._name}">'

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.get_config() == self.get_config()  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash(self._name)


class DTypePolicyMap(DTypePolicy):
    """Policies by layer path: each layer takes the policy of the first pattern its path contains.

    Args:
        default_policy: Policy of the layers that no pattern names; None means the global policy.
        policy_map: Dict from path or regular expression to policy.
    """

    def __init__(self, default_policy: Any = None, policy_map: dict[str, Any] | None = None) -> None:
        self._default = default_policy
        super().__init__(self.default_policy.name)
        self._map = {key: get_policy(value) for key, value in (policy_map or {}).items()}

    @property
    def default_policy(self) -> DTypePolicy:
        """The policy of layers that no pattern names."""
        return dtype_policy() if self._default is None else get_policy(self._default)

    def __getitem__(self, key: str) -> DTypePolicy:
        if key in self._map:
            return self._map[key]
        found = [
            pattern for pattern in self._map if re.fullmatch(pattern, key) or key.endswith("/" + pattern)
        ]
        if len(found) > 1:
            raise ArgumentError(f"Path {key!r} matches several dtype policies: {', '.join(found)}.")
        return self._map[found[0]] if found else self.default_policy

    def __setitem__(self, key: str, policy: Any) -> None:
        self._map[key] = get_policy(policy)

    def __len__(self) -> int:
        return len(self._map)

    def __iter__(self) -> Any:
        return iter(self._map)

    def get_config(self) -> dict[str, Any]:
        """Returns the default policy and the map."""
        return {
            "default_policy": None if self._default is None else self.default_policy.serialized(),
            "policy_map": {key: policy.serialized() for key, policy in self._map.items()},
        }


_global: dict[str, DTypePolicy | None] = {"policy": None}


def dtype_policy() -> DTypePolicy:
    """Returns the global policy: the float type, unless `set_dtype_policy` changed it."""
    policy = _global["policy"]
    return DTypePolicy(settings.floatx()) if policy is None else policy


def set_dtype_policy(policy: Any) -> None:
    """Sets the policy of layers created from now on, as a name or a policy."""
    _global["policy"] = None if policy is None else get_policy(policy)


def get_policy(identifier: Any) -> DTypePolicy:
    """Returns the policy for a name, dtype, policy, configuration or None (the global policy).

    Args:
        identifier: Any of these.
    """
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        config = identifier.get("config", {})
        return (
            DTypePolicyMap(**config)
            if identifier.get("class_name") == "DTypePolicyMap"
            else DTypePolicy(**config)
        )
    return DTypePolicy(identifier)
