"""`plot_model`: a picture of a network with nothing but pip-installed packages.

Each call of a layer is a box: name and class, shapes, and how its parameter count comes about. Skips are drawn beside
the main line. The layout is in `layout.py`, the files in `drawing.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hornbill.engine.config import check_unknown
from hornbill.engine.errors import ArgumentError, NotBuiltError
from hornbill.engine.layer import Layer
from hornbill.explain.counts import count_formula
from hornbill.explain.drawing import Colour, Drawing, text_width
from hornbill.explain.layout import Box, Line, arrange
from hornbill.explain.rows import Row, rows_of

__all__ = ["ModelPicture", "model_to_dot", "plot_model"]

_MARGIN, _PADDING, _LINE_HEIGHT, _SIZE = 16.0, 9.0, 13.5, 10.0

# Pale fills by kind of layer; the class name says the same in words. (red, green, blue)
_FILLS: tuple[tuple[tuple[str, ...], Colour], ...] = (
    (("Input",), (232, 236, 242)),
    (("Transpose", "UpSampling"), (255, 237, 213)),
    (("Conv",), (219, 234, 254)),
    (("Pool",), (220, 243, 228)),
    (("Dense", "Embedding", "Einsum"), (237, 228, 254)),
    (("Norm",), (254, 243, 199)),
    (("LSTM", "GRU", "RNN", "Attention", "Bidirectional"), (252, 228, 240)),
    (("Dropout", "Noise"), (241, 241, 239)),
)


class ModelPicture:
    """A picture of a model, to be shown or written.

    Attributes:
        drawing: The drawing.
        dpi: Dots per inch of PNG files.
    """

    def __init__(self, drawing: Drawing, rows: list[Row], links: list[tuple[int, int]], dpi: float) -> None:
        self.drawing, self.dpi, self._rows, self._links = drawing, dpi, rows, links

    def save(self, path: Any) -> None:
        """Writes a .png, .svg or .pdf file."""
        self.drawing.save(path, self.dpi)

    write = save

    def to_string(self) -> str:
        """Returns the graph in the DOT language."""
        lines = ["digraph G {"]
        lines += [f'  n{i} [label="{row.name} ({row.class_name})"];' for i, row in enumerate(self._rows)]
        lines += [f"  n{a} -> n{b};" for a, b in self._links]
        return "\n".join([*lines, "}"])

    def _repr_svg_(self) -> str:
        return self.drawing.to_svg()


def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: float = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",  # noqa: ARG001 (part of Keras' signature)
    show_params: bool = True,
    **kwargs: Any,
) -> ModelPicture:
    """Draws a model into a file.

    Args:
        model: A built model.
        to_file: A .png, .svg or .pdf file; None writes nothing.
        show_shapes: Whether input and output shapes are shown; output shapes are always shown when parameters are.
        show_dtype: Whether the dtype of the output is shown.
        show_layer_names: Whether names are shown besides classes.
        rankdir: "TB" draws from top to bottom, "LR" from left to right.
        expand_nested: Whether layers of inner models are drawn.
        dpi: Dots per inch of a PNG.
        show_layer_activations: Whether activations are shown.
        show_trainable: Whether it is shown which layers are trained.
        splines: Kept for Keras' sake: lines are always straight pieces.
        show_params: Whether parameter counts and their arithmetic are shown.
        **kwargs: `layer_range`, the first and last layer to draw.

    Returns:
        The picture, which a notebook shows.

    Raises:
        NotBuiltError: If the model has no shapes yet.
        ArgumentError: If the file's suffix or `rankdir` is unknown.
    """
    picture = _picture(
        model, show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, dpi, show_layer_activations,
        show_trainable, show_params, kwargs,
    )  # fmt: skip
    if to_file is not None:
        target = Path(to_file)
        picture.save(target if target.suffix else target.with_suffix(".png"))
    return picture


def model_to_dot(model: Any, *args: Any, **kwargs: Any) -> ModelPicture:
    """Returns the picture of a model; `to_string()` gives it in the DOT language. See `plot_model`."""
    kwargs.pop("subgraph", None)
    return plot_model(model, None, *args, **kwargs)


def _picture(
    model: Any, show_shapes: bool, show_dtype: bool, show_names: bool, rankdir: str, expand: bool, dpi: float,
    show_activations: bool, show_trainable: bool, show_params: bool, kwargs: dict[str, Any],
) -> ModelPicture:  # fmt: skip
    if not isinstance(model, Layer):
        raise ArgumentError("plot_model wants a model.", got=f"{model!r}.")
    layer_range = kwargs.pop("layer_range", None)
    check_unknown("plot_model", kwargs, None, ("to_file", "show_shapes", "rankdir", "dpi", "layer_range"))
    if rankdir not in ("TB", "LR"):
        raise ArgumentError("rankdir is 'TB' (top to bottom) or 'LR' (left to right).", got=f"{rankdir!r}.")
    if not model.built:
        raise NotBuiltError(
            f"Model {model.name!r} has no shapes to draw yet.",
            fixes="Start it with Input((28, 28, 1)), call it on data, or model.build(shape).",
        )
    rows = rows_of(model, expand)
    if layer_range is not None:
        names = [row.name for row in rows]
        rows = rows[names.index(layer_range[0]) : names.index(layer_range[1]) + 1]
    texts = [
        _texts(row, show_shapes, show_dtype, show_names, show_activations, show_trainable, show_params)
        for row in rows
    ]
    boxes = [_box(lines) for lines in texts]
    links = _links(rows)
    lines = [Line(a, b) for a, b in links]
    drawing = _draw(model, rows, texts, boxes, lines, rankdir)
    return ModelPicture(drawing, rows, links, dpi)


def _texts(
    row: Row, show_shapes: bool, show_dtype: bool, show_names: bool, show_activations: bool, show_trainable: bool,
    show_params: bool,
) -> list[str]:  # fmt: skip
    lines = [f"{row.name} ({row.class_name})" if show_names else row.class_name]
    activation = getattr(row.layer, "activation", None)
    if show_activations and activation is not None:
        lines.append(f"activation: {getattr(activation, '__name__', type(activation).__name__)}")
    if show_shapes and row.inputs:
        lines.append("in " + ", ".join(str(tuple(s)) for s in row.inputs))
    if row.outputs and (show_shapes or show_params):
        lines.append(("out " if show_shapes else "") + ", ".join(str(tuple(s)) for s in row.outputs))
    if show_dtype and isinstance(row.layer, Layer):
        lines.append(row.layer.compute_dtype)
    if show_params and row.params:
        formula = "" if row.layer._sublayers() else count_formula(row.layer, limit=2)
        count = f"{row.params:,} parameters" if row.first else "shared parameters"
        lines.append(f"{formula} = {row.params:,}" if formula and row.first else count)
    if show_trainable and isinstance(row.layer, Layer) and row.layer.weights:
        lines.append("trainable" if row.layer.trainable else "frozen")
    return lines


def _box(lines: list[str]) -> Box:
    width = max(text_width(text, _SIZE, bold=i == 0) for i, text in enumerate(lines))
    return Box(width + 2 * _PADDING, len(lines) * _LINE_HEIGHT + _PADDING)


def _links(rows: list[Row]) -> list[tuple[int, int]]:
    """Returns pairs of row numbers; a row without known parents follows the one before."""
    latest: dict[str, int] = {}
    links: list[tuple[int, int]] = []
    for i, row in enumerate(rows):
        parents = [latest[name] for name in row.parents if name in latest]
        if not parents and i and row.class_name != "InputLayer" and not row.parents:
            parents = [i - 1]
        links += [(parent, i) for parent in dict.fromkeys(parents)]
        latest[row.name] = i
    return links


def _draw(
    model: Any, rows: list[Row], texts: list[list[str]], boxes: list[Box], lines: list[Line], rankdir: str
) -> Drawing:
    if rankdir == "LR":
        turned = [Box(box.height, box.width) for box in boxes]
        height, width = arrange(turned, lines)
        for box, other in zip(boxes, turned, strict=True):
            box.x, box.y = other.y, other.x
        for line in lines:
            line.points = [(y, x) for x, y in line.points]
    else:
        width, height = arrange(boxes, lines)
    title = f"Network {model.name}: {sum(v.size for v in model.weights):,} parameters in {len(rows)} layers"
    heading = 24.0
    drawing = Drawing(
        max(width, text_width(title, 11, True)) + 2 * _MARGIN, height + 2 * _MARGIN + heading, title
    )
    drawing.text(_MARGIN, _MARGIN + 8, title, 11, bold=True, anchor="start")
    down, right = _MARGIN + heading, (drawing.width - width) / 2  # a narrow network stands in the middle
    for line in lines:
        skip = len(line.points) > 2
        colour = (37, 99, 165) if skip else (90, 98, 112)
        drawing.path([(x + right, y + down) for x, y in line.points], colour, 1.4 if skip else 1.2)
    for row, words, box in zip(rows, texts, boxes, strict=True):
        x, y = box.x - box.width / 2 + right, box.y - box.height / 2 + down
        drawing.rectangle(x, y, box.width, box.height, _fill(row.class_name), (110, 118, 132))
        for i, text in enumerate(words):
            drawing.text(
                box.x + right, y + _PADDING / 2 + (i + 1) * _LINE_HEIGHT - 3.5, text, _SIZE, bold=i == 0
            )
    return drawing


def _fill(class_name: str) -> Colour:
    for parts, colour in _FILLS:
        if any(part in class_name for part in parts):
            return colour
    return (255, 255, 255)
