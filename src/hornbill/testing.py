"""The contract of a layer, as one call: `check_layer(lambda: MyLayer(8), (2, 5))`.

What every layer owes its users, built-in or written at home: its configuration makes an equal layer, what is said
before the run (shapes, dtypes, counts, sentences) is what the run gives, compiled and not compiled agree, gradients are
the derivatives, weights survive storing. The checks know nothing of what the layer computes; whether its numbers are
the right ones is for a test that has the formula.

Not for: training runs, models, files.
"""

from __future__ import annotations

import inspect
import json
import math
import pickle
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbill.engine import dtype as dtypes
from hornbill.engine.axes import axis_names, describe_shape
from hornbill.engine.dtype import DTypePolicy, is_float_dtype, standardize_dtype
from hornbill.engine.errors import ArgumentError, HornbillError, did_you_mean
from hornbill.engine.layer import Layer
from hornbill.engine.masking import get_mask, set_mask
from hornbill.engine.record import Record, TensorSpec
from hornbill.engine.serialization import serialize_keras_object
from hornbill.engine.symbolic import KerasTensor, infer_spec, leaves_of, map_leaves
from hornbill.engine.variable import functional_call
from hornbill.explain.counts import count_sentence, weight_sentence
from hornbill.explain.sentences import RULES, Sentence

__all__ = ["CHECKS", "ContractError", "check_layer"]


# What is compiled here runs a few times on a few numbers: compiling quickly counts, running quickly does not.
_QUICK = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}


class ContractError(HornbillError, AssertionError):
    """A layer does not keep the contract that `check_layer` checks."""


@dataclass
class _Subject:
    """The layer under test, built, with what it was given and what it gave.

    Attributes:
        factory: Makes a new layer.
        args: Positional arguments of the call: arrays, alone or in lists and dicts.
        call: Keyword arguments of the call.
        tolerance: Relative tolerance of comparisons.
        unknown_axes: Axes that may be unknown without the layer refusing.
        training_matters: Whether the training flag may, must or must not change the output.
        gradients: "difference", "finite" or "none".
        layer: The layer, built and called once.
        outputs: What it gave, eagerly.
        traces: How often the compiled call was traced.
    """

    factory: Callable[[], Layer]
    args: tuple[Any, ...]
    call: dict[str, Any]
    tolerance: float
    unknown_axes: tuple[int, ...]
    training_matters: bool | None
    gradients: str
    layer: Layer = field(init=False)
    outputs: Any = field(init=False)
    traces: int = 0

    def __post_init__(self) -> None:
        self.layer = self.factory()
        if not isinstance(self.layer, Layer):
            raise ArgumentError(
                "check_layer wants a function that makes a new layer each time it is called.",
                got=f"one that gives {type(self.layer).__name__}.",
                fixes="check_layer(lambda: MyLayer(8), (2, 5))",
            )
        self.layer(*self.args, **self.call)
        self.outputs = self.run()
        self.compiled = jax.jit(self._pure, compiler_options=_QUICK)

    @property
    def name(self) -> str:
        return type(self.layer).__name__

    def values(self) -> list[jax.Array]:
        return [variable.value for variable in self.layer.variables]

    def run(self, layer: Layer | None = None, args: tuple[Any, ...] | None = None, **more: Any) -> Any:
        """Calls the layer eagerly and leaves its variables as they were."""
        layer = layer or self.layer
        variables, arguments = layer.variables, self.args if args is None else args
        values = [variable.value for variable in variables]
        return functional_call(variables, values, layer, *arguments, **{**self.call, **more})[0]

    def _pure(self, values: list[jax.Array], arrays: list[Any]) -> list[jax.Array]:
        """The call as a function of arrays alone; gives the leaves of the output."""
        self.traces += 1
        args = jax.tree.unflatten(jax.tree.structure(self.args), arrays)
        outputs, _ = functional_call(self.layer.variables, values, self.layer, *args, **self.call)
        return [leaf for leaf in leaves_of(outputs) if leaf is not None]

    def symbolic(self, layer: Layer, resize: Callable[[tuple[int, ...]], tuple[int | None, ...]] | None = None) -> Any:
        """Calls a layer on KerasTensors in place of the arrays, their shapes changed by `resize`."""

        def stand_in(value: Any) -> Any:
            if not hasattr(value, "shape"):
                return value
            shape = tuple(value.shape)
            return KerasTensor(shape if resize is None else resize(shape), standardize_dtype(value.dtype))

        return layer(*jax.tree.map(stand_in, self.args), **jax.tree.map(stand_in, self.call))

    def failed(self, check: str, asked: str, got: str, why: str | None = None, fix: str = "") -> ContractError:
        text = f"check_layer, {check!r}: {self.name} {self.layer.name!r} {asked}"
        return ContractError(text, got=got, why=why, fixes=fix or ())


def check_layer(
    layer_factory: Callable[[], Layer],
    inputs: Any,
    *,
    tolerance: float = 1e-5,
    call: Mapping[str, Any] | None = None,
    unknown_axes: Sequence[int] = (0,),
    training_matters: bool | None = None,
    gradients: str = "difference",
    skip: Sequence[str] = (),
    seed: int = 0,
) -> None:
    """Checks that a layer keeps what every layer promises; raises at the first promise it breaks.

    Args:
        layer_factory: Makes a new layer each time it is called, always with the same arguments.
        inputs: What to call it with: a shape (float32 numbers are drawn), an array, a list or dict of either as one
            argument, or a tuple of such things as several arguments.
        tolerance: Relative tolerance of the comparison of the compiled call with the one that is not.
        call: Keyword arguments of the call, such as `{"training": True}`.
        unknown_axes: Axes of the inputs that the layer must accept as unknown (None) when a graph is built. Every
            other axis is tried too, but there the layer may refuse with an error of Hornbill's kind.
        training_matters: True if the training flag must change the output, False if it must not. None: it must not
            if `call` has no `training` parameter.
        gradients: "difference" compares them with a finite difference along a random direction; "finite" only asks
            for finite numbers (for layers that stop gradients or round); "none" leaves them alone.
        skip: Names of checks to leave out; see `CHECKS`.
        seed: Seed of the numbers drawn.

    Raises:
        ContractError: If a check fails; it says which one, with the numbers.
        ArgumentError: If check_layer itself is called wrongly.

    Example:
        >>> import hornbill as keras
        >>> check_layer(lambda: keras.layers.Dense(3, activation="tanh"), (2, 5))
    """
    for name in skip:
        if name not in CHECKS:
            raise ArgumentError(
                f"check_layer: skip holds names of checks: {', '.join(CHECKS)}.",
                got=f"{name!r}.",
                fixes=did_you_mean(name, CHECKS).strip() or (),
            )
    if gradients not in ("difference", "finite", "none"):
        raise ArgumentError(
            "check_layer: gradients must be one of 'difference', 'finite', 'none'.", got=f"{gradients!r}."
        )
    rng = np.random.default_rng(seed)
    args = _arguments(inputs, rng)
    subject = _Subject(
        layer_factory, args, dict(call or {}), tolerance, tuple(unknown_axes), training_matters, gradients
    )  # fmt: skip
    for name, check in CHECKS.items():
        if name not in skip:
            check(subject)


def _arguments(inputs: Any, rng: np.random.Generator) -> tuple[Any, ...]:
    """Returns the positional arguments of the call; shapes become arrays."""

    def draw(item: Any) -> Any:
        if isinstance(item, dict):
            return {key: draw(value) for key, value in item.items()}
        if isinstance(item, list):
            return [draw(value) for value in item]
        if isinstance(item, tuple):
            return jnp.asarray(rng.normal(size=item).astype("float32"))
        return jnp.asarray(item)

    several = isinstance(inputs, tuple) and not all(hasattr(size, "__index__") for size in inputs)
    return tuple(draw(item) for item in inputs) if several else (draw(inputs),)


# ---- configuration


def _plain(config: Any) -> str:
    """Returns a configuration as text, without the shapes for which inner layers happen to be built."""

    def without(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: without(item) for key, item in value.items() if key != "build_config"}
        return [without(item) for item in value] if isinstance(value, (list, tuple)) else value

    return json.dumps(without(serialize_keras_object(config)), sort_keys=True)


def _check_config(subject: _Subject) -> None:
    """The configuration is plain data, makes an equal layer, and survives JSON and pickle."""
    layer = subject.layer
    config = layer.get_config()
    try:
        text = _plain(config)
        stored = {"from_config": config, "JSON": json.loads(json.dumps(config)), "pickle": _pickled(config)}
    except TypeError as error:
        raise subject.failed(
            "config", "has a configuration that is no plain data.", f"{error}.",
            fix="get_config() returns numbers, strings, lists, dicts and serialised objects.",
        ) from None  # fmt: skip
    for way, source in stored.items():
        again = type(layer).from_config(source).get_config()
        if _plain(again) != text:
            different = [key for key in sorted({*config, *again}) if _plain(again.get(key)) != _plain(config.get(key))]
            raise subject.failed(
                "config", f"is not the same after its configuration went through {way}.",
                ", ".join(f"{key}: {config.get(key)!r} became {again.get(key)!r}" for key in different) + ".",
                fix="Store each constructor argument as the attribute of the same name.",
            )  # fmt: skip


def _pickled(config: Any) -> Any:
    return pickle.loads(pickle.dumps(config))  # noqa: S301  written a moment ago, in this process


# ---- shapes


def _describe(structure: Any) -> list[tuple[tuple[int | None, ...], str]]:
    leaves = [leaf for leaf in leaves_of(structure) if leaf is not None]
    return [(tuple(leaf.shape), standardize_dtype(leaf.dtype)) for leaf in leaves]


def _check_shapes(subject: _Subject) -> None:
    """The shapes and dtypes found by tracing are those of the run, for a built and for a new layer."""
    wanted = _describe(subject.outputs)
    for kind, layer in (("built", subject.layer), ("new", subject.factory())):
        found = _describe(subject.symbolic(layer))
        if found != wanted:
            raise subject.failed(
                "shapes", f"({kind}) gives other outputs on KerasTensors than on arrays.",
                f"{found} instead of {wanted}.",
                fix="Let call decide by shapes and arguments only, never by values.",
            )  # fmt: skip


def _check_unknown_sizes(subject: _Subject) -> None:
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
                "unknown_sizes", f"breaks on None in axis {axis}.", f"{type(error).__name__}: {str(error)[:300]}",
                fix="Compute sizes with keras.ops.shape or -1, or refuse with a ValueError that says what is wanted.",
            ) from error  # fmt: skip
        _compare_sizes(subject, axis, static, subject.outputs)
        try:
            longer = subject.symbolic(subject.layer, lambda shape: tuple(s + (i == axis) for i, s in enumerate(shape)))
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


def _compare_sizes(subject: _Subject, axis: int, static: Any, concrete: Any) -> None:
    for (said, _), (came, _) in zip(_describe(static), _describe(concrete), strict=True):
        if len(said) != len(came) or any(a is not None and a != b for a, b in zip(said, came, strict=True)):
            raise subject.failed(
                "unknown_sizes", f"says a wrong shape when axis {axis} of its input is None.",
                f"{describe_shape(said)} said, {describe_shape(came)} came.",
            )  # fmt: skip


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


def _check_dtypes(subject: _Subject) -> None:
    """Under bfloat16 and mixed_bfloat16 the outputs have the compute dtype, the weights the variable dtype."""
    for policy in ("bfloat16", "mixed_bfloat16"):
        with _policy(policy):
            layer = subject.factory()
            outputs = subject.symbolic(layer)
        for _, dtype in _describe(outputs):
            if is_float_dtype(dtype) and dtype != layer.compute_dtype:
                raise subject.failed(
                    "dtypes", f"computes in {layer.compute_dtype} under the policy {policy!r}.", f"an output of {dtype}.",
                    fix="Make constants as Python numbers, or with dtype=inputs.dtype.",
                )  # fmt: skip
        wanted = {DTypePolicy(policy).variable_dtype, layer.variable_dtype}
        for variable in layer.weights:
            if is_float_dtype(variable.dtype) and variable.dtype not in wanted:
                raise subject.failed(
                    "dtypes", f"keeps weights in {layer.variable_dtype} under the policy {policy!r}.",
                    f"{variable.path} of {variable.dtype}.", fix="Give add_weight no dtype.",
                )  # fmt: skip


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


def _check_compiled(subject: _Subject) -> None:
    """The compiled call gives what the eager one gives and is traced once for equal shapes."""
    arrays = jax.tree.leaves(subject.args)
    eager = [leaf for leaf in leaves_of(subject.outputs) if leaf is not None]
    subject.traces = 0
    found = subject.compiled(subject.values(), arrays)
    for a, b in zip(eager, found, strict=True):
        if (off := _difference(a, b)) > subject.tolerance:
            raise subject.failed(
                "compiled", f"gives the same numbers compiled, within {subject.tolerance:g} of the largest.",
                f"a difference of {off:.2g}.",
            )  # fmt: skip
    subject.compiled([value + 0 for value in subject.values()], [jnp.flip(array) for array in arrays])
    if subject.traces > 1:
        raise subject.failed(
            "compiled", "is traced once for equal shapes.", f"{subject.traces} traces.",
            fix="Keep no Python numbers or arrays that change from call to call.",
        )  # fmt: skip


def _check_gradients(subject: _Subject) -> None:
    """The gradients are finite and agree with a finite difference along one random direction."""
    if subject.gradients == "none":
        return
    places = {id(v) for v in subject.layer.trainable_variables}
    moved = [id(v) in places and is_float_dtype(v.dtype) for v in subject.layer.variables]
    values, arrays = subject.values(), jax.tree.leaves(subject.args)
    points = [(v, m) for v, m in zip(values, moved, strict=True)] + [(a, is_float_dtype(a.dtype)) for a in arrays]
    rng = np.random.default_rng(5)
    weights = [jnp.asarray(rng.normal(size=leaf.shape).astype("float32")) for leaf in _floats(subject.outputs)]
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

    gradient = jax.jit(jax.grad(loss), compiler_options=_QUICK)(free)
    for p, g in zip(free, gradient, strict=True):
        if not bool(jnp.all(jnp.isfinite(g))):
            raise subject.failed(
                "gradients", "has finite gradients.", f"{int(jnp.sum(~jnp.isfinite(g)))} that are not, of {g.size} "
                f"for an array of shape {p.shape}.",
            )  # fmt: skip
    if subject.gradients == "difference":
        _compare_difference(subject, free, gradient, lambda chosen: _eager_total(subject, filled(chosen), total))


def _eager_total(subject: _Subject, full: list[Any], total: Callable[[Sequence[Any]], Any]) -> float:
    count = len(subject.layer.variables)
    return float(total(subject.compiled(full[:count], full[count:])))


def _floats(structure: Any) -> list[Any]:
    return [leaf for leaf in leaves_of(structure) if leaf is not None and is_float_dtype(leaf.dtype)]


def _compare_difference(
    subject: _Subject, free: Sequence[Any], gradient: Sequence[Any], loss: Callable[[Sequence[Any]], float]
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
        up, down = (loss([p + sign * step * d for p, d in zip(free, direction, strict=True)]) for sign in (1, -1))
        difference = (up - down) / (2 * step)
        rounding = 2e-6 * (abs(up) + abs(down) + 1e-3) / step
        allowed = 0.02 * max(abs(slope), size / math.sqrt(sum(p.size for p in free))) + rounding
        if abs(difference - slope) <= allowed:
            return
        tries[step] = difference
    raise subject.failed(
        "gradients", "has gradients that are its derivatives.",
        f"a slope of {slope:.5g}; finite differences give "
        + ", ".join(f"{value:.5g} (step {step:g})" for step, value in tries.items()) + ".",
        fix="For a layer that stops or replaces gradients on purpose: check_layer(..., gradients='finite').",
    )  # fmt: skip


# ---- training flag and masks


def _check_training(subject: _Subject) -> None:
    """The training flag never changes shapes; it changes numbers only where it should."""
    takes = "training" in inspect.signature(type(subject.layer).call).parameters
    matters = subject.training_matters if subject.training_matters is not None else (None if takes else False)
    on, off = (subject.run(training=flag) for flag in (True, False))
    if _describe(on) != _describe(off):
        raise subject.failed(
            "training", "has the same output shapes in training and not.", f"{_describe(on)} and {_describe(off)}."
        )
    pairs = list(zip(_floats(on), _floats(off), strict=True))
    change = max((_difference(a, b) for a, b in pairs), default=0.0)
    if matters is False and change > 0:
        raise subject.failed("training", "gives the same in training and not.", f"a difference of {change:.2g}.")
    if matters is True and change == 0:
        raise subject.failed("training", "behaves differently in training.", "no difference at all.")


def _check_masks(subject: _Subject) -> None:
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
            "masks", "has the same output shapes with a mask.", f"{_describe(outputs)}, not {_describe(subject.outputs)}."
        )
    for a, b in zip(_floats(subject.outputs), _floats(outputs), strict=True):
        if (off := _difference(a, b)) > max(subject.tolerance, 1e-5):
            raise subject.failed("masks", "is not changed by a mask that hides nothing.", f"a difference of {off:.2g}.")
    for leaf in [leaf for leaf in leaves_of(outputs) if leaf is not None]:
        mask = get_mask(leaf)
        if mask is not None and tuple(mask.shape) != tuple(leaf.shape)[: mask.ndim]:
            raise subject.failed(
                "masks", "gives a mask that fits its output.", f"mask {tuple(mask.shape)}, output {tuple(leaf.shape)}.",
                fix="Write compute_mask(self, inputs, previous_mask) for a layer that changes the number of steps.",
            )  # fmt: skip


# ---- explanations


def _check_counts(subject: _Subject) -> None:
    """The explained number of parameters, factor by factor, is count_params()."""
    total = subject.layer.count_params()
    told = int(count_sentence(subject.layer).rpartition("= ")[2].replace(",", ""))
    if told != total:
        raise subject.failed("counts", f"has {total:,} parameters.", f"the explanation tells {told:,}.")
    for variable in subject.layer.weights:
        factors = [int(size) for size in re.findall(r"(?:^| x )(\d+) ", weight_sentence(variable))]
        if math.prod(factors) != variable.size:
            raise subject.failed(
                "counts", f"has {variable.size} numbers in {variable.path}.", f"{weight_sentence(variable)!r}."
            )


def _check_sentences(subject: _Subject) -> None:
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
                "sentences", f"calls {op.name}, which the rule {op.rule!r} explains.", f"{type(error).__name__}: {error}."
            ) from error
        for claim in claims:
            _check_claim(subject, op, claim)


def _check_claim(subject: _Subject, op: Record, claim: Sentence) -> None:
    output = next((leaf for leaf in jax.tree.leaves(op.output) if isinstance(leaf, TensorSpec)), None)
    if claim.axis is None or output is None:
        return
    traced = output.shape[claim.axis] if claim.axis < len(output.shape) else None
    if traced != claim.after:
        name = axis_names(len(output.shape))[claim.axis] if claim.axis < len(output.shape) else claim.name
        raise subject.failed(
            "sentences", f"calls {op.name}, of whose output {output.shape} the rule {op.rule!r} explains {name}.",
            f"{claim.text!r}, that is {claim.after}; traced was {traced}.",
        )  # fmt: skip


# ---- storing


def _check_storing(subject: _Subject) -> None:
    """Weights put into a store and taken out by a new layer are the same, bit for bit."""
    source, target = subject.layer, subject.factory()
    target(*subject.args, **subject.call)
    ours, theirs = source._flatten_layers(), target._flatten_layers()
    if len(ours) != len(theirs) or [w.shape for w in source.weights] != [w.shape for w in target.weights]:
        raise subject.failed("storing", "makes the same weights each time.", f"{len(ours)} and {len(theirs)} layers.")
    for layer, twin in zip(ours, theirs, strict=True):
        store: dict[str, Any] = {}
        layer.save_own_variables(store)
        twin.load_own_variables(store)
    for a, b in zip(source.weights, target.weights, strict=True):
        if not np.array_equal(a.numpy(), b.numpy(), equal_nan=is_float_dtype(a.dtype)):
            raise subject.failed("storing", "has the same weights after storing and loading.", f"{a.path} differs.")


CHECKS: dict[str, Callable[[_Subject], None]] = {
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
