"""Cases of the ops. Those of `keras.ops.numpy` and of mathematics stand as rows in `tests.ops.numpy_rows`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tests.cases import Case
from tests.cases.calls import array_of, call_case
from tests.ops import numpy_rows

X, IMAGE, BOXES = array_of(2, 6), array_of(2, 8, 8, 3, low=0.0), array_of(1, 2, 2)
SQUARE = array_of(3, 3)
DEFINITE = SQUARE @ SQUARE.T + np.eye(3, dtype="float32")
HEADS = array_of(2, 3, 4, 5)
SERIES = np.arange(4, dtype="float32")

ELEMENTWISE = (
    "celu",
    "elu",
    "gelu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_tanh",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
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
    "tanh_shrink",
    "normalize",
    "convert_to_tensor",
    "is_tensor",
    "convert_to_numpy",
)
FACTORISATIONS = (
    "cholesky",
    "cholesky_inverse",
    "det",
    "eig",
    "eigh",
    "inv",
    "lu_factor",
    "matrix_rank",
    "norm",
    "pinv",
    "qr",
    "svd",
)

ROWS: list[tuple] = [
    ("threshold", (X, 0.2, 1.5)),
    ("adaptive_average_pool", (IMAGE, (2, 3))),
    ("adaptive_max_pool", (IMAGE, (2, 3))),
    ("average_pool", (IMAGE, 2), {"padding": "same"}),
    ("max_pool", (IMAGE, 3), {"strides": 2}),
    ("conv", (IMAGE, array_of(3, 3, 3, 4)), {"padding": "same", "strides": 2}),
    ("conv_transpose", (IMAGE, array_of(2, 2, 4, 3)), {"strides": 2}),
    ("depthwise_conv", (IMAGE, array_of(3, 3, 3, 2))),
    ("separable_conv", (IMAGE, array_of(3, 3, 3, 2), array_of(1, 1, 6, 4))),
    ("batch_normalization", (X, array_of(6), array_of(6, low=0.1), -1)),
    ("layer_normalization", (X, array_of(6), array_of(6))),
    ("rms_normalization", (X, array_of(6))),
    ("moments", (X, [0])),
    ("binary_crossentropy", (array_of(2, 3, low=0.0), array_of(2, 3, low=0.1))),
    ("categorical_crossentropy", (array_of(2, 3, low=0.0), array_of(2, 3, low=0.1))),
    ("sparse_categorical_crossentropy", (np.array([0, 2], "int32"), array_of(2, 3, low=0.1))),
    (
        "ctc_loss",
        (np.array([[1, 2, 1]], "int32"), array_of(1, 6, 4), np.array([3], "int32"), np.array([6], "int32")),
    ),
    ("ctc_decode", (array_of(1, 6, 4), np.array([6], "int32"))),
    ("depth_to_space", (array_of(2, 3, 2, 8), 2)),
    ("space_to_depth", (IMAGE, 2)),
    ("dot_product_attention", (HEADS, HEADS, HEADS)),
    ("unfold", (array_of(1, 2, 5, 5), (2, 3))),
    ("fold", (array_of(1, 12, 8), (5, 4), (2, 3))),
    ("multi_hot", (np.array([[0, 2, 1]], "int32"), 4)),
    ("one_hot", (np.array([0, 2, 1], "int32"), 4)),
    ("polar", (X, X)),
    ("psnr", (X, X + 0.5, 2.0)),
    ("lstsq", (array_of(4, 3), array_of(4, 2))),
    ("solve", (DEFINITE, array_of(3, 2))),
    ("solve_triangular", (np.tril(DEFINITE), array_of(3, 2)), {"lower": True}),
    ("top_k", (X, 2)),
    ("istft", ((array_of(1, 5, 4), array_of(1, 5, 4)), 4, 2, 6)),
    ("jvp", (lambda x: x * x, (X,), (X,))),
    ("custom_gradient", (lambda x: x,)),
    ("vectorize", (lambda x: x + 1,)),
    ("cond", (True, lambda: 1.0, lambda: 2.0)),
    ("switch", (1, [lambda x: x, lambda x: x + 1], X)),
    ("scan", (lambda c, x: (c + x, c * x), np.float32(0), SERIES)),
    ("associative_scan", (lambda a, b: a + b, SERIES)),
    ("while_loop", (lambda i: i < 10, lambda i: i + 1, 0)),
    ("fori_loop", (0, 3, lambda i, s: s + i, 0)),
    ("map", (lambda x: x + 1, SERIES)),
    ("vectorized_map", (lambda x: x * 2, X)),
    ("image.affine_transform", (IMAGE[0], np.array([1, 0, 1, 0, 1, 0, 0, 0], "float32"))),
    ("image.crop_images", (IMAGE, 1, 2), {"target_height": 4, "target_width": 3}),
    ("image.pad_images", (IMAGE, 1, 2), {"target_height": 12, "target_width": 11}),
    ("image.elastic_transform", (IMAGE,), {"seed": 1}),
    ("image.extract_patches", (IMAGE, 3), {"strides": 2}),
    ("image.extract_patches_3d", (array_of(1, 4, 4, 4, 2), (2, 2, 2))),
    ("image.gaussian_blur", (IMAGE,)),
    ("image.hsv_to_rgb", (IMAGE,)),
    ("image.rgb_to_hsv", (IMAGE,)),
    ("image.rgb_to_grayscale", (IMAGE,)),
    ("image.map_coordinates", (SQUARE, np.array([[0.5, 1.0], [1.0, 1.5]], "float32"), 1)),
    (
        "image.perspective_transform",
        (
            IMAGE[:1],
            np.array([[[0, 0], [0, 7], [7, 0], [7, 7]]], "float32"),
            np.array([[[0, 1], [1, 6], [6, 1], [7, 7]]], "float32"),
        ),
    ),
    ("image.resize", (IMAGE, (4, 5))),
    (
        "image.scale_and_translate",
        (IMAGE, (2, 4, 4, 3), np.ones(2, "float32"), np.zeros(2, "float32"), (1, 2), "linear"),
    ),
    ("image.sobel_edges", (IMAGE,)),
    ("image.ssim", (array_of(1, 12, 12, 1, low=0.0), array_of(1, 12, 12, 1, low=0.0), 1.0)),
]


def _rows() -> Iterator[Case]:
    """Yields the first example of each op among the rows of the numpy tests."""
    typed = numpy_rows.typed("float32")
    seen: set[str] = set()
    for names, args in (
        (numpy_rows.UNARY, (typed / 4,)),
        (numpy_rows.UNARY_FLOAT, (typed / 4,)),
        (numpy_rows.UNARY_INT, (numpy_rows.I,)),
        (numpy_rows.BINARY, (typed, typed)),
        (numpy_rows.BINARY_INT, (numpy_rows.I, numpy_rows.I)),
    ):
        for name in names:
            if name not in seen and "scalar" not in name:
                seen.add(name)
                yield call_case(f"ops.{name}", args)
    for row in (*numpy_rows.ROWS, *numpy_rows.MATH_ROWS, *numpy_rows.SYMBOLIC_ROWS):
        concrete = not any(isinstance(arg, numpy_rows.T) for arg in _flat(row[1]))
        if row[0] not in seen and concrete:
            seen.add(row[0])
            yield call_case(f"ops.{row[0]}", row[1], row[2] if len(row) > 2 else None)


def _flat(value: object) -> list:
    return [leaf for item in value for leaf in _flat(item)] if isinstance(value, (list, tuple)) else [value]


CASES = [
    *_rows(),
    *(call_case(f"ops.{name}", (X,)) for name in ELEMENTWISE),
    *(call_case(f"ops.{name}", (DEFINITE,)) for name in FACTORISATIONS),
    *(call_case(f"ops.{row[0]}", row[1], row[2] if len(row) > 2 else None) for row in ROWS),
]
