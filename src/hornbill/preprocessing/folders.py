"""The readers of folders and series under `keras.preprocessing`."""

from hornbill.utils.datasets_from_directory import image_dataset_from_directory, text_dataset_from_directory
from hornbill.utils.timeseries import timeseries_dataset_from_array

__all__ = ["image_dataset_from_directory", "text_dataset_from_directory", "timeseries_dataset_from_array"]
