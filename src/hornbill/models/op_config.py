"""Ops of a graph in the configuration: Keras writes each as an object of a class named after the op.

`mean(x, axis=1)` stands in a file as class "Mean" of "keras.src.ops.numpy" with config `{"axis": 1}` and one call on
the tensor. Only ops in the closed table can be read.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

from hornbill import ops
from hornbill.engine.errors import FileError, did_you_mean
from hornbill.engine.graph import Node, OpOperation
from hornbill.engine.naming import to_snake_case
from hornbill.engine.op import OPS
from hornbill.engine.serialization import deserialize_keras_object, serialize_keras_object

__all__ = ["op_from_config", "serialize_op"]

_KERAS_CLASS = {
    "abs": "Absolute", "allclose": "AllClose", "batch_normalization": "BatchNorm", "cdist": "CDist",
    "conj": "Conjugate", "ctc_decode": "CTCDecode", "ctc_loss": "CTCLoss", "fft": "FFT", "fft2": "FFT2",
    "hsv_to_rgb": "HSVToRGB", "ifft2": "IFFT2", "irfft": "IRFFT", "isin": "IsIn", "istft": "ISTFT",
    "layer_normalization": "LayerNorm", "psnr": "PSNR", "rfft": "RFFT", "rgb_to_grayscale": "RGBToGrayscale",
    "rgb_to_hsv": "RGBToHSV", "rms_normalization": "RMSNorm", "searchsorted": "SearchSorted", "ssim": "SSIM",
    "stft": "STFT", "svd": "SVD",
}  # fmt: skip
_FAMILIES = {
    "core": """AssociativeScan Cast Cond ConvertToTensor ForiLoop Map SaturateCast Scan Scatter ScatterUpdate Slice
        SliceUpdate StopGradient Switch Unstack VectorizedMap WhileLoop""",
    "math": """CDist Erf Erfc Erfinv ExtractSequences FFT FFT2 IFFT2 IRFFT ISTFT InTopK Logdet Logsumexp RFFT Rsqrt STFT
        SegmentMax SegmentMin SegmentProd SegmentSum TopK ViewAsComplex ViewAsReal""",
    "linalg": """Cholesky CholeskyInverse Det Eig Eigh Inv JVP Lstsq LuFactor MatrixRank Norm Pinv Qr SVD Solve
        SolveTriangular""",
    "image": """AffineTransform CropImages ElasticTransform ExtractPatches GaussianBlur HSVToRGB MapCoordinates
        PadImages PerspectiveTransform RGBToGrayscale RGBToHSV Resize SSIM ScaleAndTranslate SobelEdges""",
    "nn": """AdaptiveAveragePool AdaptiveMaxPool AveragePool BatchNorm BinaryCrossentropy CTCDecode CTCLoss
        CategoricalCrossentropy Celu Conv ConvTranspose DepthToSpace DepthwiseConv DotProductAttention Elu Fold Gelu Glu
        HardShrink HardSigmoid HardSilu HardTanh LayerNorm LeakyRelu LogSigmoid LogSoftmax MaxPool Moments MultiHot
        Normalize OneHot PSNR Polar RMSNorm Relu Relu6 Selu SeparableConv Sigmoid Silu SoftShrink Softmax Softplus
        Softsign SpaceToDepth SparseCategoricalCrossentropy SparsePlus SparseSigmoid Sparsemax Squareplus TanhShrink
        Threshold Unfold""",
}
_MODULES = {name: f"keras.src.ops.{family}" for family, names in _FAMILIES.items() for name in names.split()}
_OWN = frozenset(
    {"bounded_relu", "categorical", "dropout", "extract_patches_3d", "mish", "rearrange", "shuffle"}
)
"""Ops that Keras writes as several, so that only Hornbill can read them."""

# What Keras keeps in the configuration although it may be a tensor, and what it gives to the call although it is none.
_IN_CONFIG = {"clip": {"x_min", "x_max"}, "bincount": {"weights"}, "trapezoid": {"x"}}
_IN_CALL = {
    "get_item": {"key"}, "pad": {"constant_values"}, "slice": {"start_indices"}, "isclose": {"rtol", "atol"},
    "slice_update": {"start_indices"}, "dot_product_attention": {"scale"},
}  # fmt: skip
_NONE_IN_CALL = frozenset({"layer_normalization", "rms_normalization"})
_ALSO_READ = {name: getattr(ops, name) for name in ("array", "convert_to_tensor", "unstack")}
"""Functions that are no ops of their own here, but stand in Keras' files as such."""


class _ReadOperation(OpOperation):
    """An op from a file: its calls are brought into the form that they have here."""

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Records a call."""
        if self.fn.__name__ == "get_item" and len(args) == 2 and isinstance(args[1], list):
            args = (args[0], tuple(args[1]))  # JSON has no tuples
        if "subscripts" in self.arguments:
            self._subscripts = self.arguments.pop("subscripts")
        if self.fn.__name__ == "einsum":
            args = (self._subscripts, *args)
        return super().symbolic_call(*args, **kwargs)


def _class_name(op_name: str) -> str:
    return _KERAS_CLASS.get(op_name) or "".join(part[:1].upper() + part[1:] for part in op_name.split("_"))


def _signature(fn: Callable[..., Any]) -> inspect.Signature:
    return getattr(fn, "signature", None) or inspect.signature(fn)


def _stands_in_call(op_name: str, parameter: inspect.Parameter, value: Any) -> bool:
    if parameter.name in _IN_CALL.get(op_name, ()):
        return True
    is_tensor = str(parameter.annotation).startswith(("Tensor", "Sequence[Tensor"))
    return is_tensor and (parameter.name not in _IN_CONFIG.get(op_name, ()) or hasattr(value, "shape"))


def serialize_op(operation: OpOperation, nodes: list[Node]) -> tuple[dict[str, Any], list[tuple[Any, Any]]]:
    """Returns the configuration of an op and its calls as `(args, kwargs)`.

    Static arguments go to the configuration, tensors (and numbers in their places) to the call.
    """
    signature, op_name = _signature(operation.fn), operation.fn.__name__
    config: dict[str, Any] = {"name": operation.name}
    calls = []
    for node in nodes:
        bound = signature.bind(*node.args, **{**operation.arguments, **node.kwargs})
        bound.apply_defaults()
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        gap = False
        for name, parameter in signature.parameters.items():
            value = bound.arguments[name]
            if parameter.kind is parameter.VAR_POSITIONAL:
                args.extend(value)
            elif parameter.kind is parameter.VAR_KEYWORD:
                config.update({key: serialize_keras_object(item) for key, item in value.items()})
            elif not _stands_in_call(op_name, parameter, value):
                config[name] = serialize_keras_object(value)
            elif value is None:
                gap = True
                if op_name in _NONE_IN_CALL:
                    kwargs[name] = None
            elif gap:
                kwargs[name] = value
            else:
                args.append(value)
        calls.append((tuple(args), kwargs))
    class_name = _class_name(op_name)
    module = "hornbill.ops" if op_name in _OWN else _MODULES.get(class_name, "keras.src.ops.numpy")
    return {
        "module": module,
        "class_name": class_name,
        "config": config,
        "registered_name": class_name,
    }, calls


def op_from_config(data: dict[str, Any]) -> OpOperation | None:
    """Returns the operation for an op's configuration, or None if it is not that of an op.

    Raises:
        FileError: If it is an op that Hornbill does not have, or has without one of its arguments.
    """
    module = data.get("module")
    if not isinstance(module, str) or not re.match(r"(keras(\.src)?|hornbill)\.ops(\.|$)", module):
        return None
    class_name = data.get("class_name")
    if not isinstance(class_name, str):
        raise FileError("An op in the configuration must be named by a string.", got=f"{class_name!r}.")
    names = {_class_name(name): name for name in OPS if name not in ("abs", "conj") and name[0] != "_"}
    op_name = names.get(class_name) or to_snake_case(class_name)
    fn = _ALSO_READ.get(op_name) or OPS.get(op_name)
    if fn is None:
        hint = did_you_mean(op_name, OPS)
        raise FileError(f"The configuration uses the op {class_name!r}, which does not exist.{hint}")
    config = dict(data["config"])
    name = config.pop("name", None)
    parameters = _signature(fn).parameters
    open_ended = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    arguments = {}
    for key, value in config.items():
        if key in parameters or (open_ended and value is not None and value is not False):
            arguments[key] = _as_tuples(deserialize_keras_object(value))
        elif value is not None and value is not False:
            raise FileError(
                f"The op {class_name!r} in the file has an unknown argument.", got=f"{key}={value!r}."
            )
    return _ReadOperation(fn, name, arguments)


def _as_tuples(value: Any) -> Any:
    """Returns JSON's lists as the tuples that static arguments are."""
    return tuple(_as_tuples(item) for item in value) if isinstance(value, list) else value
