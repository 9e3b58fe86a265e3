"""Connectionist temporal classification: the loss of unaligned label sequences, and decoding.

A model gives logits for each time step; a path picks one class per step; a path means the sequence that is
left when repeats are merged and blanks dropped. The loss sums over all paths that mean the target (Graves
et al., 2006).
"""

from __future__ import annotations

from numbers import Integral

import jax
import jax.numpy as jnp
from jax import lax

from hornbill.engine.errors import ArgumentError, ShapeError, one_of
from hornbill.engine.op import Tensor, op
from hornbill.ops.activation import as_float

__all__ = ["ctc_decode", "ctc_loss"]

# Stands for the logarithm of 0: far below any real score, yet far from overflow and with finite gradients.
_NEVER = -1e5


def _check_logits(owner: str, name: str, logits: Tensor, mask_index: int) -> None:
    if logits.ndim != 3:
        raise ShapeError(
            f"{owner}: {name} must be (batch, time steps, classes).", got=f"{name} {logits.shape}."
        )
    if not -logits.shape[2] <= mask_index < logits.shape[2]:
        raise ArgumentError(
            f"{owner}: mask_index must be one of the {logits.shape[2]} classes.",
            got=f"mask_index={mask_index}.",
        )


@op(rule="reduction")
def ctc_loss(
    target: Tensor, output: Tensor, target_length: Tensor, output_length: Tensor, mask_index: int = 0
) -> Tensor:
    """Returns minus the logarithm of the probability that a path means the target.

    Args:
        target: Class numbers of the true sequences, padded.
        output: Logits for each time step.
        target_length: Number of true labels of each sample.
        output_length: Number of time steps of each sample.
        mask_index: The class that stands for blank.

    Shapes:
        target: (batch, labels).
        output: (batch, time steps, classes).
        target_length, output_length: (batch,).
        returns: (batch,).

    Returns:
        One loss per sample; about 1e5 where no path can mean the target.

    Raises:
        ShapeError: If ranks or batch sizes do not fit.
    """
    output = as_float(output)
    _check_logits("ctc_loss", "output", output, mask_index)
    if target.ndim != 2 or not len({len(x) for x in (target, output, target_length, output_length)}) == 1:
        raise ShapeError(
            "ctc_loss wants target (batch, labels) and two vectors of lengths (batch,).",
            got=f"target {target.shape}, output {output.shape}, target_length {target_length.shape}, "
            f"output_length {output_length.shape}.",
        )
    batch, steps, classes = output.shape
    blank, labels = mask_index % classes, target.astype(jnp.int32)
    logs = jax.nn.log_softmax(output.astype(jnp.promote_types(output.dtype, jnp.float32)), axis=-1)
    # Places of a path: blank, label 1, blank, label 2, ..., blank.
    places = jnp.full((batch, 2 * labels.shape[1] + 1), blank).at[:, 1::2].set(labels)
    scores = jnp.take_along_axis(logs, places[:, None, :].repeat(steps, 1), axis=2)  # (batch, steps, places)
    before_last = jnp.pad(places, ((0, 0), (2, 0)), constant_values=blank)[:, :-2]
    may_skip = (places != blank) & (places != before_last)

    def shifted(alpha: Tensor, count: int) -> Tensor:
        return jnp.pad(alpha, ((0, 0), (count, 0)), constant_values=_NEVER)[:, : alpha.shape[1]]

    def step(alpha: Tensor, now: tuple[Tensor, Tensor]) -> tuple[Tensor, None]:
        score, number = now
        moved = jnp.logaddexp(alpha, shifted(alpha, 1))
        moved = jnp.logaddexp(moved, jnp.where(may_skip, shifted(alpha, 2), _NEVER)) + score
        return jnp.where((number < output_length)[:, None], moved, alpha), None

    first = jnp.where(jnp.arange(places.shape[1]) < 2, scores[:, 0], _NEVER)
    rest = (scores[:, 1:].swapaxes(0, 1), jnp.arange(1, steps))
    alpha, _ = lax.scan(step, first, rest)
    end = 2 * target_length.astype(jnp.int32)[:, None]
    last_blank = jnp.take_along_axis(alpha, end, axis=1)[:, 0]
    last_label = jnp.take_along_axis(alpha, jnp.maximum(end - 1, 0), axis=1)[:, 0]
    last_label = jnp.where(target_length > 0, last_label, _NEVER)
    return -jnp.logaddexp(last_blank, last_label)


@op
def ctc_decode(
    inputs: Tensor,
    sequence_lengths: Tensor,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int = 0,
) -> tuple[Tensor, Tensor]:
    """Finds the label sequences that the outputs of a CTC model most likely mean.

    Args:
        inputs: Logits for each time step.
        sequence_lengths: Number of time steps of each sample.
        strategy: "greedy" takes the best class of each step; "beam_search" adds up the paths of each
            sequence.
        beam_width: How many sequences beam search keeps at each step.
        top_paths: How many sequences beam search returns; greedy decoding returns one.
        merge_repeated: Whether greedy decoding merges repeats; beam search always does.
        mask_index: The class that stands for blank.

    Shapes:
        inputs: (batch, time steps, classes).
        sequence_lengths: (batch,).
        returns: (paths, batch, time steps) and (batch, paths).

    Returns:
        `(sequences, scores)`: sequences end with -1; a score is minus the sum of the best logits for
        "greedy", and the logarithm of the probability for "beam_search".

    Raises:
        ArgumentError: If the strategy is unknown, or more paths are asked for than beams kept.
    """
    inputs, lengths = as_float(inputs), jnp.asarray(sequence_lengths).astype(jnp.int32)
    _check_logits("ctc_decode", "inputs", inputs, mask_index)
    one_of("ctc_decode", "strategy", strategy, ("greedy", "beam_search"))
    blank = mask_index % inputs.shape[2]
    if strategy == "greedy":
        return _greedy(inputs, lengths, merge_repeated, blank)
    for name, count in (("beam_width", beam_width), ("top_paths", top_paths)):
        if not isinstance(count, Integral) or count < 1:
            raise ArgumentError(
                f"ctc_decode: {name} must be a whole number from 1 on.", got=f"{name}={count!r}."
            )
    if top_paths > beam_width:
        raise ArgumentError(
            "ctc_decode: top_paths cannot exceed beam_width.",
            got=f"top_paths={top_paths}, beam_width={beam_width}.",
        )
    logs = jax.nn.log_softmax(inputs, axis=-1)
    decode = jax.vmap(lambda sample, length: _beam_search(sample, length, beam_width, top_paths, blank))
    sequences, scores = decode(logs, lengths)
    return sequences.swapaxes(0, 1), scores


def _greedy(inputs: Tensor, lengths: Tensor, merge_repeated: bool, blank: int) -> tuple[Tensor, Tensor]:
    steps = jnp.arange(inputs.shape[1])
    inside = steps < lengths[:, None]
    best = jnp.argmax(inputs, axis=-1).astype(jnp.int32)
    scores = -jnp.sum(jnp.where(inside, jnp.max(inputs, axis=-1), 0), axis=1, keepdims=True)
    keep = inside & (best != blank)
    if merge_repeated:
        previous = jnp.pad(best, ((0, 0), (1, 0)), constant_values=-1)[:, :-1]
        keep &= best != previous
    order = jnp.argsort(~keep, axis=1, stable=True)
    sequences = jnp.take_along_axis(jnp.where(keep, best, -1), order, axis=1)
    return sequences[None], scores


def _beam_search(logs: Tensor, length: Tensor, width: int, top: int, blank: int) -> tuple[Tensor, Tensor]:
    """Prefix beam search on one sample.

    A beam is a sequence with two scores: of its paths that end in blank, and of those that end in its last
    label.
    """
    steps, classes = logs.shape
    never = jnp.asarray(-jnp.inf, logs.dtype)
    beams = jnp.arange(width)
    start = (
        jnp.full((width, steps), -1, jnp.int32),
        jnp.zeros(width, jnp.int32),
        jnp.where(beams == 0, 0.0, never).astype(logs.dtype),
        jnp.full(width, never),
    )

    def step(state: tuple[Tensor, ...], now: tuple[Tensor, Tensor]) -> tuple[tuple[Tensor, ...], None]:
        labels, sizes, ends_blank, ends_label = state
        score, number = now
        total = jnp.logaddexp(ends_blank, ends_label)
        last = jnp.where(
            sizes > 0, jnp.take_along_axis(labels, jnp.maximum(sizes - 1, 0)[:, None], 1)[:, 0], -1
        )
        stay_blank = total + score[blank]
        stay_label = jnp.where(sizes > 0, ends_label + score[last], never)
        repeats = jnp.arange(classes) == last[:, None]
        grown = jnp.where(repeats, ends_blank[:, None], total[:, None]) + score  # (beams, classes)
        grown = grown.at[:, blank].set(never)
        # A grown sequence may be another beam already: its score joins that beam's.
        shorter = labels.at[beams, jnp.maximum(sizes - 1, 0)].set(-1)
        same = jnp.all(shorter[None] == labels[:, None], -1) & (sizes[None] == sizes[:, None] + 1)
        same &= (total > never)[None] & (total > never)[:, None]
        joined = jnp.where(same, grown[:, last], never)  # (parent, child)
        stay_label = jnp.logaddexp(stay_label, jax.scipy.special.logsumexp(joined, axis=0))
        is_beam = jnp.any(same[:, :, None] & (jnp.arange(classes) == last[:, None])[None], axis=1)
        grown = jnp.where(is_beam, never, grown)
        scores = jnp.concatenate([jnp.logaddexp(stay_blank, stay_label), grown.ravel()])
        _, chosen = lax.top_k(scores, width)
        stays = chosen < width
        parent = jnp.where(stays, chosen, (chosen - width) // classes)
        new_label = (chosen - width) % classes
        longer = (
            labels[parent].at[beams, jnp.minimum(sizes[parent], steps - 1)].set(new_label.astype(jnp.int32))
        )
        new = (
            jnp.where(stays[:, None], labels[parent], longer),
            sizes[parent] + ~stays,
            jnp.where(stays, stay_blank[parent], never),
            jnp.where(stays, stay_label[parent], scores[chosen]),
        )
        return jax.tree.map(lambda a, b: jnp.where(number < length, a, b), new, state), None

    (labels, _, ends_blank, ends_label), _ = lax.scan(step, start, (logs, jnp.arange(steps)))
    scores, order = lax.top_k(jnp.logaddexp(ends_blank, ends_label), top)
    return labels[order], scores
