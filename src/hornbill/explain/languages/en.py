"""English: the templates of every sentence, and the axis names, which are English already."""

from __future__ import annotations

__all__ = ["AXES", "TEMPLATES"]

AXES: dict[str, str] = {}

TEMPLATES: dict[str, str] = {
    "where": "{said}, where n is the {n}",
    # Windows: convolution and pooling.
    "window.valid": "{formula}",
    "window.same": "{formula} ('same': padded by {left} + {right})",
    "window.same.unpadded": "{formula} ('same': no padding needed)",
    "window.same.unknown": "{formula} ('same')",
    "window.filters": "one feature map per filter: {filters} filters = {filters} channels",
    "transposed.same": "{formula}",
    "transposed.valid": "{formula}",
    "transposed.output_padding": "{formula}, of which {extra} is output padding",
    "transposed.filters": "{filters} filters = {filters} channels",
    "contraction.last_axis": "the last axis: {before} features x weights ({before}, {after}) = {after}",
    "contraction.last_axis.shared": "the last axis: {before} features x weights ({before}, {after}) = {after}; "
    "the same weights at every place of the other axes",
    "concatenate": "{formula}",
    "reshape": "{formula}",
    "reduction": "{op} over {gone}",
    "upsample": "{formula}",
    "pad": "{formula}",
    "transpose": "axes in the order {order}",
    "gather.row": "each index becomes a row of {after} numbers",
    "attention.queries": "one output per query step: {after}",
    "attention.values": "a mixture of values of {after} features",
    "split": "{formula}",
}
