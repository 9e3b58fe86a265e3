"""`plot_history`: loss and metrics over the epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hornbill.engine.errors import ArgumentError, ArgumentTypeError, DataError, did_you_mean
from hornbill.visualization.figures import need_matplotlib, new_figure, shortened, write_title

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_history"]

_RATES = ("learning_rate", "lr")
_TRAIN, _VALID = "#1d5ca8", "#b45309"


def plot_history(history: Any, metrics: Sequence[str] | str | None = None, log: bool = False) -> Figure:
    """Draws loss and metrics over the epochs: training as a full line, validation as a broken one.

    A ring marks the best epoch of the validation data: the least of losses and errors, the largest of other metrics.

    Args:
        history: What `fit` returned, or its `history`.
        metrics: Names to draw, without "val_"; all if None.
        log: Whether losses have a logarithmic scale.

    Returns:
        A matplotlib figure with a panel for each name.

    Raises:
        ArgumentTypeError: If it is no history.
        ArgumentError: If it has no such name.
        DataError: If it is empty, or a value is no number.

    Example:
        >>> figure = plot_history({"loss": [1.0, 0.5], "val_loss": [1.1, 0.7], "accuracy": [0.4, 0.8]})
        >>> [panel.get_title() for panel in figure.axes]
        ['loss', 'accuracy']
    """
    need_matplotlib("plot_history")
    values, epochs = _read(history)
    names = list(dict.fromkeys(name.removeprefix("val_") for name in values))
    names.sort(key=lambda name: (name != "loss", name in _RATES))  # the loss first, the learning rate last
    if metrics is not None:
        wanted = [metrics] if isinstance(metrics, str) else list(metrics)
        for name in wanted:
            if name not in names:
                raise ArgumentError(
                    f"plot_history: the history has no {name!r}.{did_you_mean(name, names)}",
                    got=f"{shortened(names, 12)}.",
                )
        names = wanted
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    figure = new_figure("plot_history", max(4.4, 3.9 * columns), 2.9 * rows)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel, name in zip(panels, names, strict=False):
        _panel(panel, name, values, epochs, log)
    for panel in panels[len(names) :]:
        panel.set_axis_off()
    return figure


def _read(history: Any) -> tuple[dict[str, np.ndarray], list[int]]:
    content = getattr(history, "history", history)
    if not isinstance(content, Mapping):
        raise ArgumentTypeError(
            "plot_history wants what fit returned.",
            got=f"{type(history).__name__}.",
            fixes="history = model.fit(...); plot_history(history)",
        )
    values = {}
    for name, numbers in content.items():
        try:
            values[str(name)] = np.asarray([float(np.mean(number)) for number in numbers])
        except (TypeError, ValueError) as error:
            raise DataError(
                f"plot_history: {name!r} holds something that is no number.", got=f"{numbers!r}."
            ) from error
    if not values or not any(len(v) for v in values.values()):
        raise DataError("plot_history: the history is empty.", got=f"{len(values)} names, no epoch.")
    longest = max(len(v) for v in values.values())
    epochs = [int(e) + 1 for e in getattr(history, "epoch", [])]
    return values, epochs if len(epochs) == longest else list(range(1, longest + 1))


def _panel(panel: Any, name: str, values: dict[str, np.ndarray], epochs: list[int], log: bool) -> None:
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415  optional package

    small = name == "loss" or name.endswith(("_loss", "error")) or name in ("mse", "mae", "mape", "msle")
    for key, word, colour, style, mark in (
        (name, "training", _TRAIN, "-", "o"), (f"val_{name}", "validation", _VALID, "--", "s")
    ):  # fmt: skip
        if key not in values or (key != name and name in _RATES):
            continue
        y = values[key]
        # values of fewer epochs, such as a validation every second epoch, stand at equal distances, the last at the end
        x = (
            np.asarray(epochs)
            if len(y) == len(epochs)
            else np.linspace(epochs[-1] / len(y), epochs[-1], len(y))
        )
        panel.plot(
            x,
            y,
            style,
            color=colour,
            marker=mark if len(y) <= 30 else "",
            markersize=3.5,
            label=word,
            linewidth=1.5,
        )
        if key != name and np.isfinite(y).any():
            best = int(np.nanargmin(y) if small else np.nanargmax(y))
            panel.plot([x[best]], [y[best]], "o", markersize=10, fillstyle="none", color=colour)
            share = (x[best] - x[0]) / max(x[-1] - x[0], 1e-9)
            side = "left" if share < 0.1 else "right" if share > 0.9 else "center"
            panel.annotate(f"{y[best]:.4g}", (x[best], y[best]), xytext=(0, 9 if small else -15),
                           textcoords="offset points", ha=side, fontsize=8, color=colour)  # fmt: skip
    if log and small:
        panel.set_yscale("log")
    panel.set_xlabel("epoch")
    panel.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    panel.margins(y=0.15)
    panel.grid(visible=True, color="#e3e6eb", linewidth=0.8)
    panel.set_axisbelow(True)
    write_title(panel, name, fontsize=10)
    if len(panel.get_legend_handles_labels()[0]) > 1:
        panel.legend(fontsize=8, frameon=False)
