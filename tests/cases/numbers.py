"""Cases of the activations, initializers, regularizers, constraints and random functions."""

from __future__ import annotations

from typing import Any

from tests.cases import Case
from tests.cases.calls import array_of, call_case

MATRIX = (array_of(4, 6),)

ACTIVATIONS = (
    "celu",
    "elu",
    "exponential",
    "gelu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "tanh",
    "tanh_shrink",
)
INITIALIZERS: list[tuple[str, dict[str, Any]]] = [
    ("Zeros", {}),
    ("Ones", {}),
    ("Constant", {"value": 3.0}),
    ("Identity", {"gain": 2.0}),
    ("Orthogonal", {"seed": 1}),
    ("RandomNormal", {"seed": 1}),
    ("RandomUniform", {"seed": 1}),
    ("TruncatedNormal", {"seed": 1}),
    ("VarianceScaling", {"scale": 2.0, "mode": "fan_out", "seed": 1}),
    ("GlorotNormal", {"seed": 1}),
    ("GlorotUniform", {"seed": 1}),
    ("HeNormal", {"seed": 1}),
    ("HeUniform", {"seed": 1}),
    ("LecunNormal", {"seed": 1}),
    ("LecunUniform", {"seed": 1}),
    ("STFT", {}),
]
REGULARIZERS: list[tuple[str, dict[str, Any]]] = [
    ("L1", {"l1": 0.1}),
    ("L2", {"l2": 0.1}),
    ("L1L2", {"l1": 0.1, "l2": 0.2}),
    ("OrthogonalRegularizer", {"factor": 0.1, "mode": "columns"}),
]
CONSTRAINTS: list[tuple[str, dict[str, Any]]] = [
    ("MaxNorm", {"max_value": 1.0}),
    ("MinMaxNorm", {"min_value": 0.5, "max_value": 1.0}),
    ("NonNeg", {}),
    ("UnitNorm", {}),
]


def _objects(family: str, rows: list[tuple[str, dict[str, Any]]], inputs: Any) -> list[Case]:
    def case(name: str, arguments: dict[str, Any]) -> Case:
        return Case(
            f"{family}.{name}",
            lambda keras: getattr(getattr(keras, family), name)(**arguments),
            inputs,
            arguments,
        )

    return [case(name, arguments) for name, arguments in rows]


def _written(family: str, base: str, inputs: Any) -> Case:
    def make(keras: Any) -> Any:
        parent = getattr(getattr(keras, family), base)
        if family == "initializers":
            return type(
                "Written",
                (parent,),
                {"__call__": lambda self, shape, dtype=None: keras.ops.ones(shape, dtype)},
            )()
        if family == "regularizers":
            return type(
                "Written",
                (parent,),
                {"__call__": lambda self, x: keras.ops.sum(x), "get_config": lambda self: {}},
            )()
        return type("Written", (parent,), {"__call__": lambda self, w: w * 2})()

    return Case(f"{family}.{base}", make, inputs)


def _names(family: str, name: str) -> list[Case]:
    return [call_case(f"{family}.{function}", (name,)) for function in ("get", "deserialize")]


CASES = [
    *(call_case(f"activations.{name}", MATRIX) for name in ACTIVATIONS),
    call_case("activations.threshold", (*MATRIX, 0.2, 1.5)),
    *_objects("initializers", INITIALIZERS, lambda rng: ()),
    *_objects("regularizers", REGULARIZERS, lambda rng: MATRIX),
    *_objects("constraints", CONSTRAINTS, lambda rng: MATRIX),
    _written("initializers", "Initializer", lambda rng: ()),
    _written("regularizers", "Regularizer", lambda rng: MATRIX),
    _written("constraints", "Constraint", lambda rng: MATRIX),
    *_names("activations", "relu"),
    *_names("initializers", "he_normal"),
    *_names("regularizers", "l2"),
    *_names("constraints", "NonNeg"),
    call_case("random.normal", ((3, 4),), {"seed": 1}),
    call_case("random.uniform", ((3, 4),), {"minval": 2.0, "maxval": 3.0, "seed": 1}),
    call_case("random.truncated_normal", ((3, 4),), {"seed": 1}),
    call_case("random.randint", ((3, 4), 2, 9), {"seed": 1}),
    call_case("random.gamma", ((3, 4), 2.0), {"seed": 1}),
    call_case("random.beta", ((3, 4), 2.0, 3.0), {"seed": 1}),
    call_case("random.binomial", ((3, 4), 5.0, 0.4), {"seed": 1}),
    call_case("random.categorical", (array_of(3, 4), 2), {"seed": 1}),
    call_case("random.dropout", (*MATRIX, 0.5), {"seed": 1}),
    call_case("random.shuffle", MATRIX, {"seed": 1}),
]
