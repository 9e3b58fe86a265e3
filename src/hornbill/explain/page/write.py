"""`write_page`: a model and some examples as one HTML file.

The page itself is built from `web/` and lies in `assets/page.html`; this module puts the data in. Nothing in the page
asks the network for anything, which its content security policy makes sure of.
"""

from __future__ import annotations

import html
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from hornbill.engine.errors import ArgumentError, NotBuiltError
from hornbill.engine.layer import Layer
from hornbill.engine.symbolic import leaves_of
from hornbill.explain.page.packing import json_text
from hornbill.explain.page.payload import BUDGET, LANGUAGES, payload_of
from hornbill.version import __version__

__all__ = ["page_text", "write_page"]


def write_page(
    model: Any, path: str | Path, examples: Any = None, language: str | None = None, budget: int = BUDGET
) -> Path:
    """Writes a page that explains a model: map, layers, kernels, feature maps, cells, receptive fields.

    Args:
        model: A built model.
        path: File to write.
        examples: A batch of inputs that the page shows, such as `x_test[:12]`.
        language: "en" or "zh", the language that the page opens in; the browser's own if None.
        budget: Characters that the model's numbers may take in the page.

    Returns:
        The path.

    Raises:
        NotBuiltError: If the model has no shapes yet.
        ArgumentError: If the examples do not fit the model, or there is no such language.
    """
    path = Path(path)
    text = page_text(model, examples, language, budget)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def page_text(model: Any, examples: Any = None, language: str | None = None, budget: int = BUDGET) -> str:
    """Returns the text of the page; the arguments are those of `write_page`."""
    if not isinstance(model, Layer) or not hasattr(model, "get_layer"):
        raise ArgumentError("A page explains a model.", got=f"{model!r}.")
    if not model.built:
        raise NotBuiltError(
            f"Model {model.name!r} has no shapes that a page could show yet.",
            fixes="Start it with Input((28, 28, 1)), call it on data, or model.build(shape).",
        )
    if language is not None and language not in LANGUAGES:
        raise ArgumentError(
            f"There is no page in the language {language!r}.",
            fixes=[f"language={code!r}" for code in LANGUAGES],
        )
    payload, packer = payload_of(model, _checked(examples), language or "", budget)
    if not any(layer["outputs"] for layer in payload["document"]["layers"]):
        raise NotBuiltError(
            f"The shapes inside model {model.name!r} are not known, so there is nothing that a page could show.",
            got="a model whose layers were never seen running.",
            fixes="Call it once on data: model(x[:1]).",
        )
    payload["version"] = __version__
    template = (
        resources.files("hornbill.explain.page").joinpath("assets/page.html").read_text(encoding="utf-8")
    )
    data = f'<script type="application/json" id="hornbill-data">{json_text(payload)}</script>\n{packer.elements()}'
    head, tail = template.split("<!--DATA-->")
    head = head.replace("<!--TITLE-->", html.escape(f"{model.name} · Hornbill"))
    return head + data + tail


def _checked(examples: Any) -> Any:
    """Returns the examples as they are, if they are a batch; whether they fit the model, the model says itself."""
    if examples is None:
        return None
    leaves = [np.asarray(leaf) for leaf in leaves_of(examples)]
    if not leaves or any(leaf.ndim == 0 or len(leaf) == 0 for leaf in leaves):
        raise ArgumentError(
            "examples= wants a batch of inputs with at least one of them.", got=f"{examples!r}."
        )
    return examples
