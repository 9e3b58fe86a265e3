"""The table of module paths: the Hornbill modules behind `keras...`, `tensorflow.keras...` and older paths.

Not for names inside modules: those are in `names.py`.
"""

from __future__ import annotations

__all__ = ["OLD_MODULES", "REFUSED_MODULES", "ROOTS"]

ROOTS = {
    "keras": "hornbill",
    "tf_keras": "hornbill",
    "tensorflow.keras": "hornbill",
    "tensorflow.python.keras": "hornbill",
    "tensorflow.contrib.keras": "hornbill",
    "tensorflow": "hornbill.compat.tensorflow",
}
"""Package names that scripts import, and what they mean while the alias is installed."""

_LAYERS = ("layers",)
_ENGINE = ("layers", "models", "utils")

OLD_MODULES: dict[str, tuple[str, ...]] = {
    "api": ("",),
    "engine": _ENGINE,
    "engine.base_layer": _LAYERS,
    "engine.input_layer": _LAYERS,
    "engine.input_spec": _LAYERS,
    "engine.network": ("models",),
    "engine.saving": ("models", "saving"),
    "engine.sequential": ("models",),
    "engine.topology": _ENGINE,
    "engine.training": ("models",),
    "initializations": ("initializers",),
    "layers.advanced_activations": _LAYERS,
    "layers.convolutional": _LAYERS,
    "layers.convolutional_recurrent": _LAYERS,
    "layers.core": _LAYERS,
    "layers.cudnn_recurrent": _LAYERS,
    "layers.embeddings": _LAYERS,
    "layers.experimental": _LAYERS,
    "layers.experimental.preprocessing": _LAYERS,
    "layers.local": _LAYERS,
    "layers.merge": _LAYERS,
    "layers.noise": _LAYERS,
    "layers.normalization": _LAYERS,
    "layers.normalization.batch_normalization": _LAYERS,
    "layers.pooling": _LAYERS,
    "layers.recurrent": _LAYERS,
    "layers.wrappers": _LAYERS,
    "losses_utils": ("losses",),
    "mixed_precision.experimental": ("mixed_precision",),
    "objectives": ("losses",),
    "optimizer_v2": ("optimizers",),
    "optimizers.experimental": ("optimizers",),
    "optimizers.learning_rate_schedule": ("optimizers.schedules",),
    "optimizers.optimizer_v2": ("optimizers",),
    "utils.conv_utils": ("utils",),
    "utils.data_utils": ("utils",),
    "utils.generic_utils": ("utils",),
    "utils.io_utils": ("utils",),
    "utils.layer_utils": ("utils",),
    "utils.np_utils": ("utils",),
    "utils.training_utils": ("utils",),
    "utils.vis_utils": ("utils",),
    "utils.visualize_util": ("utils",),
}
"""Old path below the root -> Hornbill modules that its names are looked up in."""

REFUSED_MODULES: dict[str, tuple[str, str]] = {
    "keras.src": ("It is the inside of Keras, not its API.", "from keras import layers, models, ops, ..."),
    "keras.backend.tensorflow_backend": ("There is no TensorFlow here.", "from keras import backend as K"),
    "keras.backend.theano_backend": ("There is no Theano here.", "from keras import backend as K"),
    "keras.preprocessing.text": (
        "Texts are turned to numbers by a layer now.",
        "keras.layers.TextVectorization, with adapt(texts)",
    ),
    "keras.wrappers.scikit_learn": (
        "The wrappers were written anew, with a built model as first argument.",
        "from keras.wrappers import SKLearnClassifier, SKLearnRegressor",
    ),
    "keras.utils.multi_gpu_utils": (
        "A model is spread over devices by keras.distribution.",
        "keras.distribution",
    ),
    "keras.layers.legacy": ("It held Keras 1's layers with state of their own.", "keras.layers"),
}
"""Paths that mean nothing here: why, and what to write. A table row gives way to a module of that name."""
