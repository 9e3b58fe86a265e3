"""3D in, 3D out: which axis of the data does a layer take for what?

Conv2D on (20, 15, 15) runs without complaint and yet does not do what was meant, if the 20 was the depth. The
names of the axes in the explanation show it at a glance. Run it as `python examples/which_axis_is_which.py`.
"""

from __future__ import annotations

import hornbill as keras
from hornbill import layers


def planes(shape: tuple[int, ...]) -> keras.Sequential:
    """Returns two 2D convolutions and a dense layer for images of a shape."""
    return keras.Sequential(
        [
            layers.Conv2D(12, 3, activation="relu", padding="same", input_shape=shape),
            layers.Conv2D(10, 3, activation="relu", padding="same"),
            layers.Dense(6, activation="softmax"),
        ]
    )


def series() -> keras.Sequential:
    """Returns two 1D convolutions and a dense layer for 1287 steps of 69 channels."""
    return keras.Sequential(
        [
            layers.Conv1D(64, 3, activation="relu", padding="same", input_shape=(1287, 69)),
            layers.Conv1D(32, 3, activation="relu", padding="same"),
            layers.Dense(8, activation="softmax"),
        ]
    )


def show(title: str, model: keras.Sequential) -> None:
    """Prints what a model takes each axis for, and its sizes and counts."""
    print(f"{title}: {model.count_params():,} parameters")
    for layer in model.layers:
        lines = model.explain(layer=layer.name, language="en", width=120).text.splitlines()
        counted = next(line for line in lines if "parameters:" in line)
        print(f"  {lines[0]}\n  {lines[1]}\n  {counted}")
    print()


def main() -> None:
    """Shows three models, the second of which mistakes the depth for rows."""
    show("15 rows, 15 columns, 20 channels", planes((15, 15, 20)))
    show(
        "The same numbers as (20, 15, 15): now 20 are the rows, and only 15 the channels",
        planes((20, 15, 15)),
    )
    print(
        "If the 20 is the depth of (depth, y, x), move it last, x = np.moveaxis(x, 1, -1), or use Conv3D.\n"
    )
    show("A series: 1287 steps, 69 channels", series())


if __name__ == "__main__":
    main()
