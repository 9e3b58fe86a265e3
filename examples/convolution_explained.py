"""How a convolution works: output sizes, which inputs each output sees, how often padding visits the border.

Every number is measured on the layer that runs, by putting in single ones, and stands beside what the
explanation says. Run it as `python examples/convolution_explained.py`.
"""

from __future__ import annotations

import numpy as np

import hornbill as keras
from hornbill import layers


def sees(layer: keras.Layer, length: int) -> list[list[int]]:
    """Returns, for each output of a Conv1D with one channel, the numbers of the inputs that it sees."""
    probes = np.eye(length, dtype="float32")[..., None]  # (length, length, 1): one sample per input cell
    outputs = np.asarray(layer(probes))[..., 0]
    return [np.flatnonzero(column).tolist() for column in outputs.T]


def main() -> None:
    """Prints three small studies."""
    print("A kernel of 3 over a series of 8, in five ways. Which inputs does each output see?\n")
    for options in (
        {"padding": "valid"}, {"padding": "same"}, {"padding": "causal"},
        {"padding": "same", "strides": 2}, {"padding": "causal", "dilation_rate": 2},
    ):  # fmt: skip
        layer = layers.Conv1D(1, 3, kernel_initializer="ones", **options)
        seen = sees(layer, 8)
        model = keras.Sequential([keras.Input((8, 1)), layer])
        print(f"{', '.join(f'{key}={value!r}' for key, value in options.items())}: 8 -> {len(seen)}")
        print(f"  outputs see the inputs {' '.join('-'.join(map(str, cells)) for cells in seen)}")
        for line in model.explain(layer=layer.name, language="en", width=120).text.splitlines():
            if "steps:" in line:
                print(f"  explained: {line.strip()}")
        print()

    print("How many outputs of a 3 x 3 kernel use each cell of a 5 x 5 image?")
    for padding in ("valid", "same"):
        layer = layers.Conv2D(1, 3, padding=padding, kernel_initializer="ones")
        cells = np.eye(25, dtype="float32").reshape(25, 5, 5, 1)
        visits = np.asarray(layer(cells)).sum(axis=(1, 2, 3)).reshape(5, 5).astype(int)
        print(f"  padding={padding!r}: a corner cell {visits[0, 0]} times, the centre {visits[2, 2]} times")
        for row in visits:
            print("   ", *row)

    print("\nThe D counts the axes that a kernel slides along; it always spans all channels:")
    for dimensions in (1, 2, 3):
        layer = getattr(layers, f"Conv{dimensions}D")(4, 3)
        model = keras.Sequential([keras.Input((*[10] * dimensions, 3)), layer])
        kernel = tuple(layer.kernel.shape)
        print(f"  Conv{dimensions}D: {model.input_shape} -> {model.output_shape}, ", end="")
        print(f"kernel {kernel}, {layer.count_params()} parameters")


if __name__ == "__main__":
    main()
