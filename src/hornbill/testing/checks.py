"""The checks of the contract, one function per promise; `CHECKS` names them in the order in which they run.

Each takes the `Subject` and raises a ContractError that says which promise is broken, with the numbers.
"""

from __future__ import annotations

import inspect
import json
import math
import pickle
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbill.engine import dtype as dtypes
from hornbill.engine.axes import axis_names, describe_shape
from hornbill.engine.dtype import DTypePolicy, is_float_dtype, standardize_dtype
from hornbill.engine.errors import HornbillError
from hornbill.engine.layer import Layer
from hornbill.engine.masking import get_mask, set_mask
from hornbill.engine.record import Record, TensorSpec
from hornbill.engine.serialization import serialize_keras_object
from hornbill.engine.symbolic import KerasTensor, infer_spec, leaves_of, map_leaves
from hornbill.explain.counts import count_sentence, weight_sentence
from hornbill.explain.sentences import RULES, Sentence
from hornbill.testing.subject import QUICK, Subject

__all__ = ["CHECKS"]


# ---- configuration


def _plain(config: Any) -> str:
    """Returns a configuration as text, without the shapes for which inner layers happen to be built."""

    def without(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: without(item) for key, item in value.items() if key != "build_config"}
        return [without(item) for item in value] if isinstance(value, (list, tuple)) else value

    return json.dumps(without(serialize_keras_object(config)), sort_keys=True)


def _check_config(subject: Subject) -> None:
    """The configuration is plain data, makes an equal layer, and survives JSON and pickle."""
    layer = subject.layer
    config = layer.get_config()
    try:
        text = _plain(config)
        stored = {"from_config": config, "JSON": json.loads(json.dumps(config)), "pickle": _pickled(config)}
    except TypeError as error:
        raise subject.failed(
            "config",
            "has a configuration that is no plain data.",
            f"{error}.",
            fix="get_config() returns numbers, strings, lists, dicts and serialised objects.",
        ) from None
    for way, source in stored.items():
        again = type(layer).from_config(source).get_config()
        if _plain(again) != text:
            different = [
                key for key in sorted({*config, *again}) if _plain(again.get(key)) != _plain(config.get(key))
            ]
            raise subject.failed(
                "config",
                f"is not the same after its configuration went through {way}.",
                ", ".join(f"{key}: {config.get(key)!r} became {again.get(key)!r}" for key in different) + ".",
                fix="Store each constructor argument as the attribute of the same name.",
            )


def _pickled(config: Any) -> Any:
    return pickle.loads(pickle.dumps(config))  # noqa: S301  written a moment ago, in this process


# ---- shapes


def _describe(structure: Any) -> list[tuple[tuple[int | None, ...], str]]:
    leaves = [leaf for leaf in leaves_of(structure) if leaf is not None]
    return [(tuple(leaf.shape), standardize_dtype(leaf.dtype)) for leaf in leaves]


def _check_shapes(subject: Subject) -> None:
    """The shapes and dtypes found by tracing are those of the run, for a built and for a new layer."""
    wanted = _describe(subject.outputs)
    for kind, layer in (("built", subject.layer), ("new", subject.factory())):
        found = _describe(subject.symbolic(layer))
        if found != wanted:
            raise subject.failed(
                "shapes",
                f"({kind}) gives other outputs on KerasTensors than on arrays.",
                f"{found} instead of {wanted}.",
                fix="Let call decide by shapes and arguments only, never by values.",
            )


def _check_unknown_sizes(subject: Subject) -> None:
    """With None in an axis, the static shape fits every concrete one; None is refused only in the house form."""
    ranks = [leaf.ndim for leaf in jax.tree.leaves(subject.args)]
    for axis in sorted(set(range(max(ranks, default=0))) - _fixed_axes(subject.layer)):

        def opened(shape: tuple[int, ...], size: int | None, axis: int = axis) -> tuple[int | None, ...]:
            return tuple(size if i == axis else s for i, s in enumerate(shape))

        try:
            static = subject.symbolic(subject.layer, lambda shape: opened(shape, None))
        except HornbillError as error:
            if axis in subject.unknown_axes:
                raise subject.failed("unknown_sizes", f"refuses None in axis {axis}.", f"{error}") from error
            continue
        except Exception as error:
            raise subject.failed(
                "unknown_sizes",
                f"breaks on None in axis {axis}.",
                f"{type(error).__name__}: {str(error)[:300]}",
                fix="Compute sizes with keras.ops.shape or -1, or refuse with a ValueError that says what is wanted.",
            ) from error
        _compare_sizes(subject, axis, static, subject.outputs)
        try:
            longer = subject.symbolic(
                subject.layer, lambda shape, axis=axis: tuple(s + (i == axis) for i, s in enumerate(shape))
            )
        except HornbillError:
            continue
        _compare_sizes(subject, axis, static, longer)


def _fixed_axes(layer: Layer) -> set[int]:
    """Returns the axes whose size the built layer demands in its input_spec."""
    specs = layer.input_spec if isinstance(layer.input_spec, (list, tuple)) else [layer.input_spec]
    fixed = set()
    for spec in specs:
        rank = getattr(spec, "ndim", None) or getattr(spec, "min_ndim", None) or 0
        fixed |= {axis % rank if rank else axis for axis in (getattr(spec, "axes", None) or {})}
    return fixed


def _compare_sizes(subject: Subject, axis: int, static: Any, concrete: Any) -> None:
    for (said, _), (came, _) in zip(_describe(static), _describe(concrete), strict=True):
        if len(said) != len(came) or any(a is not None and a != b for a, b in zip(said, came, strict=True)):
            raise subject.failed(
                "unknown_sizes",
                f"says a wrong shape when axis {axis} of its input is None.",
                f"{describe_shape(said)} said, {describe_shape(came)} came.",
            )


# ---- dtypes


@contextmanager
def _policy(name: str) -> Iterator[None]:
    """Makes layers under another global dtype policy."""
    outer = dtypes._global["policy"]
    dtypes.set_dtype_policy(name)
    try:
        yield
    finally:
        dtypes._global["policy"] = outer


def _check_dtypes(subject: Subject) -> None:
    """Under bfloat16 and mixed_bfloat16 the outputs have the compute dtype, the weights the variable dtype."""
    for policy in ("bfloat16", "mixed_bfloat16"):
        with _policy(policy):
            layer = subject.factory()
            outputs = subject.symbolic(layer)
        for _, dtype in _describe(outputs):
            if is_float_dtype(dtype) and dtype != layer.compute_dtype:
                raise subject.failed(
                    "dtypes",
                    f"computes in {layer.compute_dtype} under the policy {policy!r}.",
                    f"an output of {dtype}.",
                    fix="Make constants as Python numbers, or with dtype=inputs.dtype.",
                )
        wanted = {DTypePolicy(policy).variable_dtype, layer.variable_dtype}
        for variable in layer.weights:
            if is_float_dtype(variable.dtype) and variable.dtype not in wanted:
                raise subject.failed(
                    "dtypes",
                    f"keeps weights in {layer.variable_dtype} under the policy {policy!r}.",
                    f"{variable.path} of {variable.dtype}.",
                    fix="Give add_weight no dtype.",
                )


# ---- numbers


def _numbers(leaf: Any) -> np.ndarray:
    array = np.asarray(leaf)
    return array if array.dtype.kind in "biufc" else array.astype("float32")


def _difference(a: Any, b: Any) -> float:
    """Returns the largest difference, measured by the largest number."""
    a, b = _numbers(a), _numbers(b)
    if a.shape != b.shape:
        return math.inf
    if not a.size or np.array_equal(a, b, equal_nan=a.dtype.kind in "fc"):
        return 0.0
    if a.dtype.kind in "bui":
        return math.inf
    return float(np.max(np.abs(a - b)) / max(float(np.max(np.abs(a))), 1e-3))


def _check_compiled(subject: Subject) -> None:
    """The compiled call gives what the eager one gives and is traced once for equal shapes."""
    arrays = jax.tree.leaves(subject.args)
    eager = [leaf for leaf in leaves_of(subject.outputs) if leaf is not None]
    subject.traces = 0
    found = subject.compiled(subject.values(), arrays)
    for a, b in zip(eager, found, strict=True):
        if (off := _difference(a, b)) > subject.tolerance:
            raise subject.failed(
                "compiled",
                f"gives the same numbers compiled, within {subject.tolerance:g} of the largest.",
                f"a difference of {off:.2g}.",
            )
    subject.compiled([value + 0 for value in subject.values()], [jnp.flip(array) for array in arrays])
    if subject.traces > 1:
        raise subject.failed(
            "compiled",
            "is traced once for equal shapes.",
            f"{subject.traces} traces.",
            fix="Keep no Python numbers or arrays that change from call to call.",
        )


def _check_gradients(subject: Subject) -> None:
    """The gradients are finite and agree with a finite difference along one random direction."""
    if subject.gradients == "none":
        return
    places = {id(v) for v in subject.layer.trainable_variables}
    moved = [id(v) in places and is_float_dtype(v.dtype) for v in subject.layer.variables]
    values, arrays = subject.values(), jax.tree.leaves(subject.args)
    points = [(v, m) for v, m in zip(values, moved, strict=True)] + [
        (a, is_float_dtype(a.dtype)) for a in arrays
    ]
    rng = np.random.default_rng(5)
    weights = [
        jnp.asarray(rng.normal(size=leaf.shape).astype("float32")) for leaf in _floats(subject.outputs)
    ]
    free = [p for p, moves in points if moves]
    if not weights or not free:
        return

    def filled(chosen: Sequence[Any]) -> list[Any]:
        given = iter(chosen)
        return [next(given) if moves else p for p, moves in points]

    def total(leaves: Sequence[Any]) -> Any:
        return sum(jnp.sum(leaf * w) for leaf, w in zip(_floats(leaves), weights, strict=True))

    def loss(chosen: Sequence[Any]) -> Any:
        full = filled(chosen)
        return total(subject._pure(full[: len(values)], full[len(values) :]))

    gradient = jax.jit(jax.grad(loss), compiler_options=QUICK)(free)
    for p, g in zip(free, gradient, strict=True):
        if not bool(jnp.all(jnp.isfinite(g))):
            raise subject.failed(
                "gradients",
                "has finite gradients.",
                f"{int(jnp.sum(~jnp.isfinite(g)))} that are not, of {g.size} "
                f"for an array of shape {p.shape}.",
            )
    if subject.gradients == "difference":
        _compare_difference(
            subject, free, gradient, lambda chosen: _eager_total(subject, filled(chosen), total)
        )


def _eager_total(subject: Subject, full: list[Any], total: Callable[[Sequence[Any]], Any]) -> float:
    count = len(subject.layer.variables)
    return float(total(subject.compiled(full[:count], full[count:])))


def _floats(structure: Any) -> list[Any]:
    return [leaf for leaf in leaves_of(structure) if leaf is not None and is_float_dtype(leaf.dtype)]


def _compare_difference(
    subject: Subject, free: Sequence[Any], gradient: Sequence[Any], loss: Callable[[Sequence[Any]], float]
) -> None:
    """Compares the slope along a direction with central differences.

    In float32 a difference is off by the rounding of the loss divided by the step, by curvature, and by kinks (relu,
    max) inside the step, so several steps are tried and the best counts. It must be within 2 % of the slope, or of the
    typical slope |gradient|, plus the rounding.
    """
    rng = np.random.default_rng(9)
    direction = [rng.normal(size=p.shape).astype("float32") for p in free]
    length = math.sqrt(sum(float(np.sum(d * d)) for d in direction)) or 1.0
    direction = [d / length for d in direction]
    slope = sum(float(np.sum(np.asarray(g, "float64") * d)) for g, d in zip(gradient, direction, strict=True))
    size = math.sqrt(sum(float(np.sum(np.asarray(g, "float64") ** 2)) for g in gradient))
    tries = {}
    for step in (1e-1, 3e-2, 1e-2, 3e-3, 1e-3):
        up, down = (
            loss([p + sign * step * d for p, d in zip(free, direction, strict=True)]) for sign in (1, -1)
        )
        difference = (up - down) / (2 * step)
        rounding = 2e-6 * (abs(up) + abs(down) + 1e-3) / step
        allowed = 0.02 * max(abs(slope), size / math.sqrt(sum(p.size for p in free))) + rounding
        if abs(difference - slope) <= allowed:
            return
        tries[step] = difference
    raise subject.failed(
        "gradients",
        "has gradients that are its derivatives.",
        f"a slope of {slope:.5g}; finite differences give "
        + ", ".join(f"{value:.5g} (step {step:g})" for step, value in tries.items())
        + ".",
        fix="For a layer that stops or replaces gradients on purpose: check_layer(..., gradients='finite').",
    )


# ---- training flag and masks


def _check_training(subject: Subject) -> None:
    """The training flag never changes shapes; it changes numbers only where it should."""
    takes = "training" in inspect.signature(type(subject.layer).call).parameters
    matters = subject.training_matters if subject.training_matters is not None else (None if takes else False)
    on, off = (subject.run(training=flag) for flag in (True, False))
    if _describe(on) != _describe(off):
        raise subject.failed(
            "training",
            "has the same output shapes in training and not.",
            f"{_describe(on)} and {_describe(off)}.",
        )
    pairs = list(zip(_floats(on), _floats(off), strict=True))
    change = max((_difference(a, b) for a, b in pairs), default=0.0)
    if matters is False and change > 0:
        raise subject.failed(
            "training", "gives the same in training and not.", f"a difference of {change:.2g}."
        )
    if matters is True and change == 0:
        raise subject.failed("training", "behaves differently in training.", "no difference at all.")


def _check_masks(subject: Subject) -> None:
    """A mask that hides nothing changes nothing, and the output's mask fits the output."""
    given = any(name == "mask" or name.endswith("_mask") for name in subject.call)
    steps_second = getattr(subject.layer, "data_format", None) != "channels_first"
    masked = []
    for leaf in jax.tree.leaves(subject.args):
        copy = leaf + 0
        if leaf.ndim == 3 and not given and steps_second and subject.layer.supports_masking:
            set_mask(copy, jnp.ones(leaf.shape[:2], bool))
        masked.append(copy)
    args = jax.tree.unflatten(jax.tree.structure(subject.args), masked)
    outputs = subject.run(args=args)
    if _describe(outputs) != _describe(subject.outputs):
        raise subject.failed(
            "masks",
            "has the same output shapes with a mask.",
            f"{_describe(outputs)}, not {_describe(subject.outputs)}.",
        )
    for a, b in zip(_floats(subject.outputs), _floats(outputs), strict=True):
        if (off := _difference(a, b)) > max(subject.tolerance, 1e-5):
            raise subject.failed(
                "masks", "is not changed by a mask that hides nothing.", f"a difference of {off:.2g}."
            )
    for leaf in [leaf for leaf in leaves_of(outputs) if leaf is not None]:
        mask = get_mask(leaf)
        if mask is not None and tuple(mask.shape) != tuple(leaf.shape)[: mask.ndim]:
            raise subject.failed(
                "masks",
                "gives a mask that fits its output.",
                f"mask {tuple(mask.shape)}, output {tuple(leaf.shape)}.",
                fix="Write compute_mask(self, inputs, previous_mask) for a layer that changes the number of steps.",
            )


# ---- explanations


def _check_counts(subject: Subject) -> None:
    """The explained number of parameters, factor by factor, is count_params()."""
    total = subject.layer.count_params()
    sentence = count_sentence(subject.layer)
    told = int(sentence.rpartition("= ")[2].replace(",", "")) if subject.layer.weights else 0
    if told != total:
        raise subject.failed("counts", f"has {total:,} parameters.", f"the explanation tells {told:,}.")
    for variable in subject.layer.weights:
        factors = [
            int(size.replace(",", ""))
            for size in re.findall(r"(?:^\(?| x )([\d,]+) ", weight_sentence(variable))
        ]
        if math.prod(factors) != variable.size:
            raise subject.failed(
                "counts",
                f"has {variable.size} numbers in {variable.path}.",
                f"{weight_sentence(variable)!r}.",
            )


def _check_sentences(subject: Subject) -> None:
    """Every sentence that a rule says about the call has the size that was traced."""
    structs = map_leaves(lambda a: KerasTensor(a.shape, standardize_dtype(a.dtype)), subject.args)
    _, record = infer_spec(subject.layer, structs, subject.call)
    for op in record.walk():
        if op.kind != "op" or op.rule not in RULES:
            continue
        try:
            claims = list(RULES[op.rule](op))
        except Exception as error:
            raise subject.failed(
                "sentences",
                f"calls {op.name}, which the rule {op.rule!r} explains.",
                f"{type(error).__name__}: {error}.",
            ) from error
        for claim in claims:
            _check_claim(subject, op, claim)


def _check_claim(subject: Subject, op: Record, claim: Sentence) -> None:
    output = next((leaf for leaf in jax.tree.leaves(op.output) if isinstance(leaf, TensorSpec)), None)
    if claim.axis is None or output is None:
        return
    traced = output.shape[claim.axis] if claim.axis < len(output.shape) else None
    if traced != claim.after:
        name = axis_names(len(output.shape))[claim.axis] if claim.axis < len(output.shape) else claim.name
        raise subject.failed(
            "sentences",
            f"calls {op.name}, of whose output {output.shape} the rule {op.rule!r} explains {name}.",
            f"{claim.text!r}, that is {claim.after}; traced was {traced}.",
        )


# ---- storing


def _check_storing(subject: Subject) -> None:
    """Weights put into a store and taken out by a new layer are the same, bit for bit."""
    source, target = subject.layer, subject.factory()
    target(*subject.args, **subject.call)
    ours, theirs = source._flatten_layers(), target._flatten_layers()
    if len(ours) != len(theirs) or [w.shape for w in source.weights] != [w.shape for w in target.weights]:
        raise subject.failed(
            "storing", "makes the same weights each time.", f"{len(ours)} and {len(theirs)} layers."
        )
    for layer, twin in zip(ours, theirs, strict=True):
        store: dict[str, Any] = {}
        layer.save_own_variables(store)
        twin.load_own_variables(store)
    for a, b in zip(source.weights, target.weights, strict=True):
        if not np.array_equal(a.numpy(), b.numpy(), equal_nan=is_float_dtype(a.dtype)):
            raise subject.failed(
                "storing", "has the same weights after storing and loading.", f"{a.path} differs."
            )


CHECKS: dict[str, Callable[[Subject], None]] = {
    "config": _check_config,
    "shapes": _check_shapes,
    "unknown_sizes": _check_unknown_sizes,
    "dtypes": _check_dtypes,
    "compiled": _check_compiled,
    "gradients": _check_gradients,
    "training": _check_training,
    "masks": _check_masks,
    "counts": _check_counts,
    "sentences": _check_sentences,
    "storing": _check_storing,
}
"""The checks by name, in the order in which they run."""
