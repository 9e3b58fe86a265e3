"""`plot_model`: a picture of a network with nothing but pip-installed packages.

Each call of a layer is a box: name and class, shapes, and how its parameter count comes about. Skips run in lanes
beside the boxes, inner models stand in frames. Where things go is in `layout.py` and `routes.py`, what the boxes say in
`labels.py`, the files in `drawing.py`, the DOT text in `dot.py`.
"""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

from hornbill.engine.config import check_unknown
from hornbill.engine.errors import (
    ArgumentError,
    ArgumentTypeError,
    FileError,
    NotBuiltError,
    did_you_mean,
    one_of,
)
from hornbill.engine.layer import Layer
from hornbill.explain.dot import dot_text
from hornbill.explain.drawing import Drawing
from hornbill.explain.labels import Shown
from hornbill.explain.rows import Row, rows_of
from hornbill.explain.scene import Scene, make_scene, paint, parents_of

__all__ = ["ModelPicture", "model_to_dot", "plot_model"]

# Graphviz's words for how lines run -> ours.
_SPLINES = {
    "ortho": "ortho", "line": "line", "polyline": "line", "false": "line", "curved": "curved", "spline": "curved",
    "true": "curved",
}  # fmt: skip
_DOT = ("dot", "gv")


class ModelPicture:
    """A picture of a model, to be shown, written, or had as DOT text.

    It answers to the names of `pydot.Dot` that programs use: `write_png(path)`, `create(format="svg")`, `to_string()`.

    Attributes:
        drawing: The drawing.
        dpi: Dots per inch of PNG files.
    """

    def __init__(self, drawing: Drawing, scene: Scene, rankdir: str, cluster: bool) -> None:
        self.drawing, self.dpi = drawing, drawing.dpi
        self._scene, self._rankdir, self._cluster = scene, rankdir, cluster

    def save(self, path: Any) -> None:
        """Writes a .png, .svg, .pdf or .dot file."""
        self.write(path)

    def write(self, path: Any, prog: Any = None, format: str | None = None) -> bool:
        """Writes a file.

        Args:
            path: Where to.
            prog: Graphviz' program, in pydot; only None and "dot" are taken, since none is run.
            format: "png", "svg", "pdf" or "dot"; the file's suffix if None.
        """
        content = self.create(prog, format or Path(path).suffix.lower().removeprefix("."))
        try:
            Path(path).write_bytes(content)
        except OSError as error:
            raise FileError(
                "The picture cannot be written.", got=f"{str(path)!r}: {error.strerror}."
            ) from error
        return True

    def create(self, prog: Any = None, format: str = "png") -> bytes:
        """Returns the bytes of a file; see `write`."""
        if prog not in (None, "dot"):
            raise ArgumentError(
                "Hornbill lays the picture out itself; no Graphviz program is run.", got=f"prog={prog!r}."
            )
        return self.to_string().encode() if format in _DOT else self.drawing.encode(format)

    def to_string(self) -> str:
        """Returns the graph in the DOT language, for Graphviz and what reads its files."""
        return dot_text(self._scene, self._rankdir, self.dpi, self._cluster)

    def __getattr__(self, name: str) -> Any:
        verb, _, format = name.partition("_")
        if verb in ("write", "create") and format in ("png", "svg", "pdf", "dot"):
            if verb == "write":
                return lambda path, prog=None: self.write(path, prog, format)
            return lambda prog=None: self.create(prog, format)
        raise AttributeError(
            f"A ModelPicture has no {name!r}: it is no pydot.Dot. It has save(path), create(format=...) and "
            "to_string() (DOT text, which pydot.graph_from_dot_data reads)."
        )

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
    splines: str = "ortho",
    show_params: bool = True,
    show_axes: bool = False,
    **kwargs: Any,
) -> ModelPicture:
    """Draws a model into a file. No Graphviz, no pydot and no font is needed.

    Args:
        model: A built model.
        to_file: A .png, .svg, .pdf or .dot file; PNG if it has no suffix; None writes nothing.
        show_shapes: Whether input and output shapes are shown; output shapes are always shown when parameters are.
        show_dtype: Whether dtypes of outputs are shown.
        show_layer_names: Whether names are shown besides classes.
        rankdir: "TB" draws from top to bottom, "LR" from left to right.
        expand_nested: Whether inner models are drawn in full, each in a frame.
        dpi: Dots per inch of a PNG.
        show_layer_activations: Whether activations are shown.
        show_trainable: Whether it is shown which layers are trained.
        splines: How lines run: "ortho" at right angles, "line" straight, "curved" in curves.
        show_params: Whether parameter counts and their arithmetic are shown (not in Keras).
        show_axes: Whether shapes name their axes: `batch None, height 28, ...` (not in Keras).
        **kwargs: `layer_range`, the names of the first and last layer to draw, or patterns of them.

    Returns:
        The picture, which a notebook shows.

    Raises:
        NotBuiltError: If the model has no shapes yet.
        ArgumentError: If an argument is none of those it can be.
        FileError: If the file cannot be written.

    Example:
        >>> import hornbill
        >>> model = hornbill.Sequential([hornbill.Input((4,)), hornbill.layers.Dense(2)], name="small")
        >>> plot_model(model, to_file=None).drawing.title
        'Network small: 10 parameters in 2 layers'
    """
    shown = Shown(
        show_shapes,
        show_dtype,
        show_layer_names,
        show_layer_activations,
        show_trainable,
        show_params,
        show_axes,
    )
    picture = _picture(model, shown, rankdir, expand_nested, dpi, splines, kwargs, "plot_model", False)
    if to_file is not None:
        target = Path(to_file)
        picture.write(target if target.suffix else target.with_suffix(".png"))
    return picture


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: float = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> ModelPicture:
    """Returns the picture of a model: DOT text by `to_string()`, and files by `write` and `create` as pydot has them.

    It is no `pydot.Dot`: nodes and edges cannot be changed; for that, read `to_string()` with pydot.

    Args:
        model: A built model.
        show_shapes: Whether input and output shapes are shown.
        show_dtype: Whether dtypes of outputs are shown.
        show_layer_names: Whether names are shown besides classes.
        rankdir: "TB" or "LR".
        expand_nested: Whether inner models are drawn in full.
        dpi: Dots per inch of a PNG.
        subgraph: Whether the DOT text is that of a cluster rather than of a graph.
        show_layer_activations: Whether activations are shown.
        show_trainable: Whether it is shown which layers are trained.
        splines: How lines run; see `plot_model`.
        **kwargs: `layer_range`, `show_params` and `show_axes`, as in `plot_model`.
    """
    params, axes = kwargs.pop("show_params", True), kwargs.pop("show_axes", False)
    shown = Shown(
        show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable, params, axes
    )
    return _picture(model, shown, rankdir, expand_nested, dpi, splines, kwargs, "model_to_dot", subgraph)


def _picture(
    model: Any, shown: Shown, rankdir: str, expand: bool, dpi: float, splines: str, kwargs: dict[str, Any], owner: str,
    cluster: bool,
) -> ModelPicture:  # fmt: skip
    if not isinstance(model, Layer):
        raise ArgumentTypeError(f"{owner} wants a model.", got=f"{type(model).__name__}.")
    layer_range = kwargs.pop("layer_range", None)
    check_unknown(
        owner,
        kwargs,
        None,
        ("show_shapes", "show_layer_names", "rankdir", "dpi", "layer_range", "show_params"),
    )
    one_of(owner, "rankdir", rankdir, ("TB", "LR"))
    if not isinstance(dpi, (int, float)) or isinstance(dpi, bool) or not dpi > 0:
        raise ArgumentError(
            f"{owner}: dpi is a positive number of dots per inch.", got=f"dpi={dpi!r}.", fixes="dpi=200"
        )
    way = _SPLINES.get(str(splines).lower())
    if way is None:
        raise ArgumentError(
            f"{owner}: splines is 'ortho' (right angles), 'line' (straight) or 'curved'."
            f"{did_you_mean(splines, _SPLINES)}",
            got=f"splines={splines!r}.",
            fixes="splines='ortho'",
        )
    if not model.built:
        raise NotBuiltError(
            f"Model {model.name!r} has no shapes to draw yet.",
            fixes=(
                "Start it with Input((28, 28, 1))",
                "model.build((None, 28, 28, 1))",
                "call it on data: model(x)",
            ),
        )
    every = rows_of(model, expand)
    rows = _in_range(every, layer_range, owner)
    scene = make_scene(rows, parents_of(model, every), shown, rankdir, way)
    drawing = paint(scene, _title(model, rows))
    drawing.dpi = dpi
    return ModelPicture(drawing, scene, rankdir, cluster)


def _title(model: Any, rows: list[Row]) -> str:
    total, trained = (sum(v.size for v in vs) for vs in (model.weights, model.trainable_weights))
    frozen = f", {total - trained:,} of them not trained," if trained < total else ""
    framed = {
        id(row) for row, following in pairwise(rows) if following.depth > row.depth
    }  # inner models drawn in full
    layers = len({id(row.layer) for row in rows if id(row) not in framed})
    return f"Network {model.name}: {total:,} parameters{frozen} in {layers} layer{'s' if layers != 1 else ''}"


def _in_range(rows: list[Row], layer_range: Any, owner: str) -> list[Row]:
    """Returns the rows from the first that matches the first name to the last that matches the second."""
    if layer_range is None:
        return rows
    if (
        not isinstance(layer_range, (list, tuple))
        or len(layer_range) != 2
        or not all(isinstance(n, str) for n in layer_range)
    ):
        raise ArgumentError(
            f"{owner}: layer_range holds the names of two layers.", got=f"layer_range={layer_range!r}."
        )
    ends = []
    for name in layer_range:
        found = [i for i, row in enumerate(rows) if row.name == name or re.fullmatch(name, row.name)]
        if not found:
            names = [row.name for row in rows]
            raise ArgumentError(
                f"{owner}: no layer is named {name!r}.{did_you_mean(name, names)}", got=f"layers {names}."
            )
        ends.append(found)
    first, last = ends[0][0], ends[1][-1]
    if last < first:
        raise ArgumentError(
            f"{owner}: the second layer of layer_range comes before the first.", got=f"{layer_range!r}."
        )
    return rows[first : last + 1]
