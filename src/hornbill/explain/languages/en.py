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
    "window.causal": "{formula} ('causal': {zeros} zeros in front)",
    "window.filters": "one feature map per filter: {filters} filters = {filters} channels",
    "window.filters.groups": "one feature map per filter: {filters} filters in {groups} groups = {filters} channels",
    "window.depthwise": "{multiplier} kernels of its own for each channel: {formula}",
    "window.separable": "the channels of each place are mixed by {filters} filters = {filters} channels",
    "window.each_channel": "each channel by itself: {before} channels stay",
    "window.patch": "the cells of a window lie along this axis: {formula}",
    "window.count": "one column per window: {formula}",
    "window.adaptive": "{before} cells in {after} windows of nearly equal size",
    "window.frames": "{formula} windows",
    "window.frame": "{formula} numbers in each window",
    "window.frames_joined": "windows laid over each other: {formula}",
    "transposed.same": "{formula}",
    "transposed.valid": "{formula}",
    "transposed.output_padding": "{formula}, of which {extra} is output padding",
    "transposed.filters": "{filters} filters = {filters} channels",
    # Products.
    "contraction.last_axis": "the last axis: {before} features x weights ({before}, {after}) = {after}",
    "contraction.last_axis.shared": "the last axis: {before} features x weights ({before}, {after}) = {after}; "
    "the same weights at every place of the other axes",
    "contraction.from": "{after} sums of products, one for each place of axis {place} of tensor {tensor}",
    "contraction.summed": "sums of products over {sizes}",
    "attention.queries": "one output per query step: {after}; each looks at {keys} keys",
    "attention.heads": "{after} heads, each by itself",
    "attention.values": "a mixture of values of {after} features",
    "loop.each_step": "one output for each of the {after} steps",
    "loop.last_step": "only the output of the last of {steps} steps",
    "loop.state": "as many numbers as the state of the cell has: {after}",
    # Place by place.
    "elementwise": "{op}: shape unchanged",
    "normalize": "{op}: shape unchanged, statistics over {gone}",
    "normalize.shares": "{op}: shape unchanged, shares that add up to 1 over {gone}",
    "broadcast.new": "a new axis in front, size {after}",
    "broadcast.repeated": "repeated from {before} to {after}",
    # Axes that move, join, part.
    "axis.moved": "{moved}, axis {place} before, is axis {to} now",
    "transpose": "{moved} moves from axis {place} to axis {to}",
    "reshape.flat": "{formula}",
    "reshape.merged": "{formula}",
    "reshape.given": "{after}, as asked for: {formula}",
    "reshape.rest": "what is left: {formula}",
    "reshape.added": "a new axis of size {after}",
    "reshape.dropped": "axes of size 1 go: {gone}",
    "reshape.pattern": "{formula}, by the pattern {pattern}",
    "concatenate": "{formula}",
    "stack": "a new axis, one place for each of {count} tensors",
    "split": "{formula}",
    "split.places": "cut at {places}; the first piece has {after}",
    "split.unstack": "one tensor for each place of {gone}",
    "pad": "{formula}",
    "crop": "{formula}",
    "slice": "[{range}] of {before} leaves {after}",
    "slice.given": "{after} of {before}, as asked for",
    "slice.one": "place {index} of {taken} is taken, so this axis goes",
    "gather.row": "each index becomes a row of {after} numbers",
    "gather.positions": "one place for each of {after} positions",
    "one_hot": "one place for each of {after} classes",
    "upsample": "{formula}",
    "resize": "{after}, as asked for, from {before}",
    # Axes that go.
    "reduction": "{op} over {gone}",
    "reduction.kept": "reduced to 1, since the axis is kept",
    "diagonal": "the diagonal: {formula} = {after}",
    "diagonal.matrix": "a matrix around the diagonal: {formula} = {after}",
    "diff": "differences of neighbours: {formula}",
    "given": "{after}, as asked for",
    "linalg.size": "{op}: {after}",
    "linalg.number": "{op}: one number for each matrix of {rows} x {columns}",
    "fourier.half": "half of the frequencies, since the others mirror them: {formula}",
    "fourier.full": "{formula}",
    "complex.pair": "real and imaginary part",
    "complex.joined": "pairs of real and imaginary part become one number",
    "image.grey": "the colours of a place become one shade of grey",
    "image.edges": "two numbers for each place: the slope downwards and to the right",
    # Where an axis comes from.
    "ancestry.input": "{name} {size} is the input's own axis",
    "ancestry.kept": "{name} {size} is that of {from}",
    "ancestry.moved": "{name} {size} is axis {place} of {from}, moved",
    "ancestry.window": "{name} {size} runs along {source} of {from}",
    "ancestry.merged": "{name} {size} holds all places of {parts}, the last running fastest",
    "ancestry.part": "{name} {size} is a part of {source} of {from}",
    "ancestry.each": "{name} {size} stands place by place for {source} of {from}, though each place sees all of them",
    "ancestry.joined": "{name} {size} is put together from {parts}",
    "ancestry.added": "{name} {size} is the same axis of each input: {parts}",
    "ancestry.made": "{name} {size} is made here by weights; each of its places is a mixture of all of {parts}",
    "ancestry.reduced": "{name} {size} is made here; each of its places sees all of {parts}",
    "ancestry.new": "{name} {size} is new here; nothing before runs along it",
}

# What every rendering says around the sentences.
TEMPLATES |= {
    "shape": "({axes})",
    "shape.axis": "{name}\u00a0{size}",
    "shape.comma": ",\u202f",
    "label.inside": "inside",
    "inside": "{count} rows inside say why",
    "comma": ", ",
    "semicolon": "; ",
    "and": " and ",
    "label": "{label}: ",
    "title": "{name} ({kind})",
    "more": "... and {count} more",
    "label.shape": "shape",
    "label.by_op": "{name}, {op}",
    "label.parameters": "parameters",
    "label.trainable": "trainable",
    "label.work": "work",
    "label.output": "output",
    "label.receptive_field": "receptive field",
    "label.code": "code",
    "label.mind": "Mind",
    "label.together": "Together",
    "label.memory": "Memory of a training step",
    "column.layer": "layer",
    "column.input": "input",
    "column.output": "output",
    "column.parameters": "parameters",
    "short.count": "{count} parameters",
    "short.shared": "shared",
    # Counts, bytes, work.
    "count.factor": "{size} {name}",
    "count.none": "0, it has no weights",
    "count.shared": "those of its first call ({owner}), shared",
    "count.inside": "{arrays} arrays of the layers inside = {total}",
    "trained.all": "all of them",
    "trained.none": "none of them: frozen",
    "trained.some": "{trainable} of {count}",
    "bytes.weights": "the weights take {size}",
    "bytes.output": "{size} per sample",
    "work": "{forward} multiply-adds per sample forward, {training} in training",
    "total.parameters": "{parameters} parameters, {trainable} trainable, {non_trainable} not trainable.",
    "memory.parts": "weights {weights}, gradients {gradients}, optimizer {optimizer}, "
    "activations {activations_per_sample} per sample",
    "memory.parts.assumed": "weights {weights}, gradients {gradients}, optimizer {optimizer} (as Adam needs; the model "
    "is not compiled), activations {activations_per_sample} per sample",
    "memory.peak": "about {size} at its peak, with {batch} samples in a batch",
    "memory.largest_batch": "at most {batch} samples in a batch fit into {size}",
    # Receptive fields.
    "field": "one output cell sees {axes} of {input}; neighbours lie {jump} apart, the first starts at {start}",
    "field.whole": "one output cell sees all of {input}",
    "field.open": "one output cell sees {axes} of {input}",
    "field.uneven": "one output cell sees of {input}: {axes}",
    "field.axis": "{extent} (neighbours {jump} apart, the first starts at {start})",
    "field.axis.whole": "all of {name}",
}

# Known misunderstandings.
TEMPLATES |= {
    "pitfall.last_axis_is_channels": "the input {shape} is read as height {height}, width {width}, channels {channels}: "
    "the last axis is for the channels. If {height} is the depth or the number of channels, move it last: "
    "Input({moved}), with numpy.moveaxis(x, 1, -1).",
    "pitfall.channels_first": "the input {shape} is read as height {height}, width {width}, channels {channels}, but looks "
    "like {height} channels first. Move them last: Input({moved}), with numpy.moveaxis(x, 1, -1).",
    "pitfall.samples_as_height": "the input {shape} is read as height {height}, width {width}, channels {channels}. If "
    "{height} is the number of images, leave it out and add a channel axis: Input({meant}), with x[..., None].",
    "pitfall.samples_in_shape": "the input shape {shape} is that of one sample. If {samples} is the number of samples, "
    "leave it out: Input({meant}).",
    "pitfall.dense_on_places": "Dense works on the last axis only, so its output {shape} keeps {places}: an answer "
    "at every place. If one answer for the whole image is meant, put Flatten() or GlobalAveragePooling2D() in front.",
    "pitfall.softmax_of_one": "softmax over 1 unit is always 1. For a yes or no, use activation='sigmoid'.",
    "pitfall.size_one": "{gone} becomes 1 here: no window can slide over it any more.",
    "pitfall.cells_lost": "{name} {before} does not divide: only {used} are read, the rest of {lost} is dropped. Upsampling "
    "{after} again will not give {before} back. padding='same' drops nothing.",
}

# Lessons: what a thing is, told where it first occurs.
TEMPLATES |= {
    "teach.axes.table": "The axes are batch, features: one row per sample, one column per feature.",
    "teach.axes.sequence": "The axes stand in the order batch, steps, channels. The batch comes first, so that x[0] is one "
    "whole sequence; the channels come last, so that the numbers of one step lie side by side.",
    "teach.axes.image": "The axes stand in the order batch, height, width, channels. The batch comes first, so that x[0] is "
    "one whole image; the channels (such as red, green, blue) come last, so that the numbers of one place lie side by "
    "side and a layer can multiply them by its weights in one go.",
    "teach.axes.volume": "The axes stand in the order batch, depth, height, width, channels: the batch first, so that x[0] "
    "is one whole volume, and the channels last, so that the numbers of one place lie side by side.",
    "teach.axes.channels_first": "This model puts the channels behind the batch (data_format='channels_first'); the usual "
    "order is batch, height, width, channels.",
    "teach.batch": "None stands for the number of samples in a batch. It is left open, since no rule and no count "
    "depends on it.",
    "teach.kernel": "A kernel is a small array of weights, here {kernel}, that is swept over the input ({axes}). At each "
    "place, the inputs under it are multiplied by its weights and added up, plus one bias: one number of the output. "
    "It always spans all channels of the input, here {channels}; the digit in the layer's name counts the axes that it "
    "is swept along.",
    "teach.filter": "A filter is one kernel with its bias. Each filter makes one feature map, that is, one channel of the output; so "
    "the output has {filters} of them, whatever came in.",
    "teach.sharing": "The same weights are used at every place, so the number of parameters does not depend on the size of "
    "the input.",
    "teach.depthwise": "A depthwise convolution gives each channel a kernel of its own and does not mix channels.",
    "teach.separable": "A separable convolution first sweeps one kernel over each channel by itself (depthwise), then mixes "
    "the channels at each place (pointwise, with 1 x 1 kernels). It needs far fewer weights than a plain one.",
    "teach.stride": "A stride is how far the window moves from one place to the next, here {strides}. It divides the size.",
    "teach.padding.valid": "padding='valid' puts nothing around the input: the kernel stays inside, so that each size shrinks "
    "by the kernel's size less 1.",
    "teach.padding.same": "padding='same' puts zeros around the input, so many that each size stays the same (with a stride, "
    "that it is the size divided by the stride, rounded up).",
    "teach.padding.causal": "padding='causal' puts zeros before the first step only, so that no output sees a later step.",
    "teach.dilation": "A dilation of {dilation} spreads the kernel out: between the cells it reads, it leaves gaps. It sees "
    "further with the same number of weights.",
    "teach.groups": "groups={groups} divides the channels into {groups} parts, each with filters of its own that see only "
    "that part.",
    "teach.pooling.max": "Max pooling sweeps a window of {kernel} over each channel by itself, with a stride of {strides}, and "
    "keeps the largest number under it. It has no weights and leaves the number of channels as it is.",
    "teach.pooling.average": "Average pooling sweeps a window of {kernel} over each channel by itself, with a stride of "
    "{strides}, and takes the mean of the numbers under it. It has no weights.",
    "teach.global_pooling.max": "Global max pooling keeps the largest number of each channel: {channels} numbers per sample, "
    "whatever the size of the input.",
    "teach.global_pooling.average": "Global average pooling takes the mean of each channel over all places: {channels} "
    "numbers per sample, whatever the size of the input.",
    "teach.transposed": "A transposed convolution goes the other way: each input cell lays its number times the kernel "
    "({kernel}) into the output, the next one {strides} cells further, and what overlaps is added up. So a stride "
    "multiplies the size. It has as many weights as a convolution with the same kernel.",
    "teach.upsampling": "Upsampling repeats each row and column (or fills in between them). It has no weights.",
    "teach.zero_padding": "Zero padding puts rows and columns of zeros around the input.",
    "teach.dense": "In a dense (fully connected) layer, each unit (there are {units}) adds up all {features} input features, each "
    "times a weight of its own, plus one bias.",
    "teach.dense.last_axis": "Dense works on the last axis, for that is the one that holds the numbers of one place. The same "
    "{features} x {units} weights are used at every place of the other axes, which stay as they are, just as a convolution "
    "with a 1 x 1 kernel does. To let a unit see all places at once, put Flatten in front.",
    "teach.flatten": "Flatten lays the numbers of a sample out in one row, the last axis running fastest. Nothing is computed; "
    "the batch stays.",
    "teach.reshape": "Reshape keeps all numbers in their order and only divides them into other axes.",
    "teach.permute": "Permute puts the axes into another order; every number moves along with its place.",
    "teach.concatenate": "Concatenate lays its inputs side by side along one axis, whose sizes add up; all other sizes must "
    "be equal.",
    "teach.add": "Add adds its inputs number by number, so their shapes must be equal. A path around layers that ends in it is "
    "called a skip connection.",
    "teach.dropout": "Dropout sets a random {percent} of the numbers to 0 in training, and scales the others up so that "
    "their sum stays about the same. In prediction it does nothing. It has no weights.",
    "teach.batch_normalization": "Batch normalization brings each of the {channels} channels to mean 0 and variance 1, over "
    "the samples of the batch and all places, and then scales it (gamma) and shifts it (beta). gamma and beta are trained; "
    "the moving mean and variance, used in prediction, are only kept up to date, so they count as not trainable.",
    "teach.layer_normalization": "Layer normalization brings the numbers of each sample, or of each place of it, to mean 0 and "
    "variance 1, and then scales and shifts them. It does not depend on the batch.",
    "teach.embedding": "An embedding is a table with one row of numbers per word or category; each index is replaced by its "
    "row.",
    "teach.recurrent": "A recurrent layer reads a sequence step by step and keeps a state, computed from the step and the "
    "state before. The same weights serve every step, so their number does not depend on the length. It gives the last "
    "state, or all of them with return_sequences=True.",
    "teach.bidirectional": "Bidirectional reads the sequence forward with one layer and backward with another.",
    "teach.time_distributed": "TimeDistributed applies its layer to every step by itself, with the same weights.",
    "teach.attention": "Attention makes each output step a weighted mean of values of all steps; how well a query matches the "
    "keys decides the weights.",
    "teach.activation.relu": "relu turns negative numbers into 0. Without such a function between them, layers in a row "
    "would amount to a single one.",
    "teach.activation.sigmoid": "sigmoid brings each number by itself between 0 and 1: a probability of yes.",
    "teach.activation.softmax": "softmax turns the {units} numbers of the last axis into probabilities that add up to 1.",
    "teach.activation.tanh": "tanh brings each number between -1 and 1.",
    "teach.receptive_field": "The receptive field is the part of the model's input that one output cell can see. It grows with "
    "every kernel; a stride makes all later kernels reach further. A start below 0 lies in the padding.",
}

# What would differ.
TEMPLATES |= {
    "change.title": "With {asked}, {name} would differ in this:",
    "change.nothing": "Nothing would differ.",
    "change.unchanged": "All else stays, {count} layers among it.",
    "change.inputs": "input",
    "change.outputs": "output",
    "change.way": "{way} (times {times})",
    "change.total.parameters": "All parameters",
    "change.total.parameters.count": "parameters",
    "change.total.trainable": "Trainable",
    "change.total.bytes": "weights",
    "change.total.multiply_adds.forward": "multiply-adds forward",
    "change.total.multiply_adds.training": "multiply-adds in training",
    "change.total.activation_bytes": "activations per sample",
    "change.total.memory.peak.bytes": "peak of a training step",
    "change.total.memory.largest_batch": "largest batch",
}

# Where an axis comes from.
TEMPLATES |= {
    "axis.title": "{asked} of {layer}, back to the input:",
    "axis.why": "why",
}
