"""Times the kernels on the convolutions of the U-Net of 7,759,521 parameters: `python bench/convolutions.py [BATCH]`.

For each shape the least time of many calls of one compiled program, as GFLOP/s, for the forward pass and both
gradients, with XLA's own path beside it if `--xla` is given. `taskset -c 1 python ...` measures one core.
"""

from __future__ import annotations

import argparse
import os
import time

import hornbill_native
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

SHAPES = [
    (96, 1, 32), (96, 32, 32), (48, 32, 64), (48, 64, 64), (24, 64, 128), (24, 128, 128), (12, 128, 256),
    (12, 256, 256), (6, 256, 512), (6, 512, 512), (12, 512, 256), (24, 256, 128), (48, 128, 64), (96, 64, 32),
]  # fmt: skip
"""Edge of the image, input channels, filters of each 3x3 convolution; some stand in the model twice."""
TIMES = {(96, 32, 32): 2, (48, 64, 64): 2, (24, 128, 128): 2, (12, 256, 256): 2}


def least_seconds(call, arguments, seconds: float) -> float:
    """Returns the least time of a call over about so many seconds."""
    jax.block_until_ready(call(*arguments))
    best, end = 1e9, time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        jax.block_until_ready(call(*arguments))
        best = min(best, time.perf_counter() - start)
    return best


def native(name: str, shape: tuple[int, ...], dtype: str):
    """Returns a compiled call of one kernel, for 3x3 windows with padding "same"."""
    window = np.array([1, 1, 1, 1, 1, 1, 1], np.int64)
    result = jax.ShapeDtypeStruct(shape, dtype)
    name = name if dtype == "float32" else f"{name}_{dtype}"
    return jax.jit(lambda *a: jax.ffi.ffi_call(name, result)(*a, window=window))


def xla_calls():
    """Returns XLA's forward pass and gradients."""
    numbers = ("NHWC", "HWIO", "NHWC")

    def forward(x, w):
        return lax.conv_general_dilated(x, w, (1, 1), "SAME", dimension_numbers=numbers)

    return (
        jax.jit(forward),
        jax.jit(lambda g, x, w: jax.vjp(lambda x: forward(x, w), x)[1](g)),
        jax.jit(lambda g, x, w: jax.vjp(lambda w: forward(x, w), w)[1](g)),
    )


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("batch", type=int, nargs="?", default=8)
    parser.add_argument("--xla", action="store_true")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--seconds", type=float, default=0.5)
    options = parser.parse_args()
    hornbill_native.register()
    print(f"{hornbill_native.isa()}, {len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}")
    room, totals, work = np.random.default_rng(0), np.zeros(6), 0.0
    print(
        f"{'shape':>16} {'forward':>9} {'by input':>9} {'by weights':>11}" + "   XLA: the same" * options.xla
    )
    for size, ci, co in SHAPES:
        x = jnp.asarray(room.random((options.batch, size, size, ci), np.float32), options.dtype)
        w = jnp.asarray(room.random((3, 3, ci, co), np.float32), options.dtype)
        g = jnp.asarray(room.random((options.batch, size, size, co), np.float32), options.dtype)
        calls = [
            (native("hornbill_conv", g.shape, options.dtype), (x, w)),
            (native("hornbill_conv_input_grad", x.shape, options.dtype), (g, w)),
            (native("hornbill_conv_weight_grad", w.shape, options.dtype), (x, g)),
        ]
        if options.xla:
            forward, by_input, by_weights = xla_calls()
            calls += [(forward, (x, w)), (by_input, (g, x, w)), (by_weights, (g, x, w))]
        times = np.array([least_seconds(call, arguments, options.seconds) for call, arguments in calls])
        flops = 2e-9 * 9 * ci * co * size * size * options.batch
        count = TIMES.get((size, ci, co), 1)
        totals[: len(times)] += count * times
        work += count * flops
        print(f"{size:>5} {ci:>4} to {co:>3} " + " ".join(f"{flops / t:9.0f}" for t in times), flush=True)
    print(f"{'all, GFLOP/s':>16} " + " ".join(f"{work / t:9.0f}" for t in totals if t))
    print(f"{'all, ms':>16} " + " ".join(f"{1000 * t:9.1f}" for t in totals if t))


if __name__ == "__main__":
    main()
