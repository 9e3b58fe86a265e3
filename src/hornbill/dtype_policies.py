"""Dtype policies: `keras.dtype_policies`."""

from __future__ import annotations

from typing import Any

from hornbill.engine.dtype import DTypePolicy, DTypePolicyMap, get_policy
from hornbill.engine.serialization import add_public_object

__all__ = ["DTypePolicy", "DTypePolicyMap", "FloatDTypePolicy", "deserialize", "get", "serialize"]

FloatDTypePolicy = DTypePolicy
"""An old name of DTypePolicy."""

get = get_policy


def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """Returns a policy as plain data.

    Args:
        dtype_policy: The policy.
    """
    return dtype_policy.serialized()


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> DTypePolicy:
    """Returns the policy for data from `serialize`, or for a name.

    Args:
        config: The data, or the name.
        custom_objects: Classes of policies by name, if `config` names one of yours.
    """
    if isinstance(config, dict) and config.get("class_name") in (custom_objects or {}):
        return (custom_objects or {})[config["class_name"]].from_config(config.get("config") or {})
    return get_policy(config)


add_public_object("keras", "DTypePolicy", DTypePolicy)
add_public_object("keras", "DTypePolicyMap", DTypePolicyMap)
