"""Layers around a layer: Wrapper, TimeDistributed and Bidirectional.

TimeDistributed joins the batch and time axes, so that the layer inside sees one large batch. Bidirectional runs two
copies of a recurrent layer, one from each end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbill import ops
from hornbill.engine.errors import ArgumentError, ShapeError, did_you_mean
from hornbill.engine.input_spec import InputSpec
from hornbill.engine.layer import Layer
from hornbill.engine.op import Tensor
from hornbill.engine.registry import register_public
from hornbill.engine.serialization import CustomObjectScope, serialize_keras_object

__all__ = ["Bidirectional", "TimeDistributed", "Wrapper"]


def check_layer(owner: str, layer: Any) -> None:
    """Raises an ArgumentError unless `layer` is a Layer."""
    if not isinstance(layer, Layer):
        raise ArgumentError(
            f"{owner} wraps a layer.",
            got=f"{layer!r}.",
            fixes=f"{owner}(layers.LSTM(32))" if owner == "Bidirectional" else f"{owner}(layers.Dense(32))",
        )


class Wrapper(Layer):
    """A layer around another; base of wrappers, which write `call`.

    Args:
        layer: The layer inside.

    Shapes:
        inputs: any
        outputs: any; what `call` returns
        Params: layer.count_params()
    """

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        check_layer(type(self).__name__, layer)
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        """Builds the layer inside."""
        if not self.layer.built:
            self.layer.build(input_shape)
            self.layer.built = True


class TimeDistributed(Wrapper):
    """Applies a layer to each time step alike.

    Args:
        layer: The layer; it sees inputs without the time axis.

    Shapes:
        inputs: (batch, steps, ...)
        outputs: (batch, steps, *layer.compute_output_shape((batch, ...))[1:])
        Params: layer.count_params()

    Example:
        >>> from hornbill.layers import Dense
        >>> TimeDistributed(Dense(4))(np.ones((2, 5, 3), "float32")).shape
        (2, 5, 4)
    """

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any = None) -> None:
        """Builds the layer inside for one time step."""
        self._check_rank(input_shape)
        super().build((input_shape[0], *input_shape[2:]))

    def _check_rank(self, shape: Any) -> None:
        if len(shape) < 3:
            raise ShapeError(
                f"TimeDistributed {self.name!r} wants (batch, steps, ...) with at least one axis after the steps.",
                got=f"{tuple(shape)}.",
                fixes=("x[..., None], if each step is one number.", "Leave TimeDistributed out."),
            )

    def call(self, inputs: Tensor, training: bool | None = None, mask: Tensor | None = None) -> Tensor:
        """Applies the layer to all steps of all sequences as one batch."""
        self._check_rank(inputs.shape)
        batch, steps = inputs.shape[:2]
        kwargs: dict[str, Any] = {"training": training}
        if mask is not None:
            if tuple(mask.shape[:2]) != (batch, steps):
                raise ShapeError(
                    f"TimeDistributed {self.name!r}: a mask begins with the batch and the steps of the input.",
                    got=f"a mask of shape {tuple(mask.shape)} for inputs of shape {tuple(inputs.shape)}.",
                )
            if takes_mask(self.layer):
                kwargs["mask"] = ops.reshape(mask, (batch * steps, *mask.shape[2:]))
        joined = ops.reshape(inputs, (batch * steps, *inputs.shape[2:]))  # (batch x steps, ...)
        outputs = self.layer(joined, **kwargs)
        return ops.reshape(outputs, (batch, steps, *outputs.shape[1:]))  # (batch, steps, ...)


def takes_mask(layer: Layer) -> bool:
    """Returns whether a layer's call has a `mask` parameter."""
    code = type(layer).call.__code__
    return "mask" in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


MERGE_MODES = ("sum", "mul", "ave", "concat", None)


class Bidirectional(Layer):
    """Runs a recurrent layer over a sequence from both ends and merges the outputs.

    Args:
        layer: The recurrent layer (LSTM, GRU, RNN, ...). It is copied; the copies are named `forward_...` and
            `backward_...`.
        merge_mode: "concat", "sum", "mul", "ave", or None for both outputs.
        weights: First weights, those of the forward layer and then those of the backward layer.
        backward_layer: Layer for the other direction, with `go_backwards=True`; a copy of `layer` if None.

    Shapes:
        inputs: (batch, steps, ...)
        outputs: (batch, steps, width) if return_sequences else (batch, width); one for each direction if
            `merge_mode` is None, then the states with `return_state`
        where width: forward_layer.cell.output_size * (2 if merge_mode == "concat" else 1)
        Params: forward_layer.count_params() + backward_layer.count_params()

    Example:
        >>> from hornbill.layers import LSTM
        >>> Bidirectional(LSTM(4))(np.ones((2, 5, 3), "float32")).shape
        (2, 8)
    """

    def __init__(
        self,
        layer: Layer,
        merge_mode: str | None = "concat",
        weights: Sequence[Any] | None = None,
        backward_layer: Layer | None = None,
        **kwargs: Any,
    ) -> None:
        check_layer("Bidirectional", layer)
        if backward_layer is not None:
            check_layer("Bidirectional", backward_layer)
        if merge_mode not in MERGE_MODES:
            raise ArgumentError(
                "Bidirectional: merge_mode is 'concat', 'sum', 'mul', 'ave' or None.",
                got=f"merge_mode={merge_mode!r}.",
                fixes=did_you_mean(merge_mode, [m for m in MERGE_MODES if m]).strip() or (),
            )
        if not all(
            hasattr(layer, name) for name in ("go_backwards", "return_sequences", "return_state", "stateful")
        ):
            raise ArgumentError(
                "Bidirectional wraps a recurrent layer: one with go_backwards, return_sequences, return_state, "
                "stateful.",
                got=f"{type(layer).__name__} {layer.name!r}.",
                fixes="Bidirectional(layers.LSTM(32))",
            )
        super().__init__(weights=weights, **kwargs)
        self.merge_mode = merge_mode
        name = layer.name.removeprefix("forward_")
        self.forward_layer = copy_layer(layer, name=f"forward_{name}")
        if backward_layer is None:
            backward_layer = copy_layer(layer, name=f"backward_{name}", go_backwards=True)
        self.backward_layer = backward_layer
        self._check_directions()
        forward = self.forward_layer
        self.stateful, self.return_state = forward.stateful, forward.return_state
        self.return_sequences = forward.return_sequences
        if self.return_sequences:
            for one in (self.forward_layer, self.backward_layer):
                if hasattr(one, "zero_output_for_mask"):
                    one.zero_output_for_mask = True
        self.supports_masking = True
        self.input_spec = getattr(layer, "input_spec", None) or InputSpec(min_ndim=3)

    def _check_directions(self) -> None:
        forward, backward = self.forward_layer, self.backward_layer
        if forward.go_backwards == backward.go_backwards:
            raise ArgumentError(
                "Bidirectional: the backward layer runs the other way: go_backwards must differ.",
                got=f"go_backwards={forward.go_backwards} in both.",
                fixes="backward_layer=layers.LSTM(32, go_backwards=True)",
            )
        for name in ("stateful", "return_sequences", "return_state"):
            values = getattr(forward, name, None), getattr(backward, name, None)
            if values[0] != values[1]:
                raise ArgumentError(
                    f"Bidirectional: {name} must be the same in both layers.",
                    got=f"{name}={values[0]} forward and {values[1]} backward.",
                    fixes=f"backward_layer=layers.LSTM(32, go_backwards=True, {name}={values[0]})",
                )

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make an equal layer, as plain data."""
        return {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": self.dtype_policy.serialized(),
            "merge_mode": self.merge_mode,
            "layer": serialize_keras_object(self.forward_layer),
            "backward_layer": serialize_keras_object(self.backward_layer),
        }

    @property
    def states(self) -> Any:
        """The kept states of both layers when stateful, or None."""
        forward, backward = self.forward_layer.states, self.backward_layer.states
        return None if forward is None else [*forward, *backward]

    def reset_state(self) -> None:
        """Sets the kept states of both layers to zeros."""
        if self.stateful:
            self.forward_layer.reset_state()
            self.backward_layer.reset_state()

    def reset_states(self) -> None:
        """Sets the kept states of both layers to zeros."""
        self.reset_state()

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Builds both layers."""
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                layer.build(sequences_shape)
                layer.built = True

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Returns the mask of the steps when all outputs are returned."""
        mask = previous_mask[0] if isinstance(previous_mask, (list, tuple)) else previous_mask
        if not self.return_sequences:
            mask = None
        masks = (mask, mask) if self.merge_mode is None else mask
        if not self.return_state:
            return masks if mask is not None else None
        states = (None,) * (len(self.forward_layer.state_size) + len(self.backward_layer.state_size))
        return (*masks, *states) if isinstance(masks, tuple) else (masks, *states)

    def call(
        self,
        sequences: Tensor,
        initial_state: Any = None,
        mask: Tensor | None = None,
        training: bool | None = None,
    ) -> Any:
        """Runs both layers and merges their outputs."""
        forward_state, backward_state = self._halves(initial_state)
        forward = self.forward_layer(sequences, initial_state=forward_state, mask=mask, training=training)
        backward = self.backward_layer(sequences, initial_state=backward_state, mask=mask, training=training)
        states: tuple[Any, ...] = ()
        if self.return_state:
            states = (*forward[1:], *backward[1:])
            forward, backward = forward[0], backward[0]
        if self.return_sequences:
            backward = ops.flip(backward, axis=1)
        merged = self._merge(forward, backward)
        if not self.return_state:
            return merged
        return (*merged, *states) if self.merge_mode is None else (merged, *states)

    def _halves(self, states: Any) -> tuple[Any, Any]:
        if states is None:
            return None, None
        wanted = len(self.forward_layer.state_size) + len(self.backward_layer.state_size)
        if not isinstance(states, (list, tuple)) or len(states) != wanted:
            came = len(states) if isinstance(states, (list, tuple)) else 1
            raise ShapeError(
                f"Bidirectional {self.name!r} wants {wanted} initial states: the forward ones, then the backward ones.",
                got=f"{came}.",
                fixes="initial_state=[h_forward, c_forward, h_backward, c_backward] for an LSTM.",
            )
        half = len(self.forward_layer.state_size)
        return list(states[:half]), list(states[half:])

    def _merge(self, forward: Tensor, backward: Tensor) -> Any:
        if self.merge_mode == "concat":
            return ops.concatenate([forward, backward], axis=-1)
        if self.merge_mode == "sum":
            return ops.add(forward, backward)
        if self.merge_mode == "ave":
            return ops.divide(ops.add(forward, backward), 2)
        if self.merge_mode == "mul":
            return ops.multiply(forward, backward)
        return forward, backward

    def input_axes(self, ndim: int) -> tuple[str, ...]:
        """Returns the names the wrapped layer gives."""
        return self.forward_layer.input_axes(ndim)


def copy_layer(layer: Layer, **changes: Any) -> Layer:
    """Returns a new layer with the configuration of another and some changes."""
    known = {type(inner).__name__: type(inner) for inner in layer._flatten_layers()}
    with CustomObjectScope(known):
        return type(layer).from_config({**layer.get_config(), **changes})


register_public("keras.layers", [Wrapper, TimeDistributed, Bidirectional])
