"""Writes losses, metrics and histograms of weights for TensorBoard, without TensorFlow.

`EventWriter` makes the event file itself: records with CRC-32C checks around hand-encoded protocol buffers.
The layout is Keras': training in log_dir/train, validation in log_dir/validation, tags "epoch_loss",
"batch_loss", "evaluation_loss_vs_iterations".

Not for: showing them (`tensorboard --logdir logs`).
"""

from __future__ import annotations

import os
import socket
import struct
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np

from hornbill.callbacks.callback import Callback
from hornbill.engine.errors import ArgumentError

__all__ = ["EventWriter", "TensorBoard", "crc32c"]


def _table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_CRC_TABLE = _table()


def crc32c(data: bytes) -> int:
    """Returns the CRC-32C (Castagnoli) check of `data`.

    Source: RFC 3720, appendix B.4.

    Example:
        >>> hex(crc32c(b"123456789"))
        '0xe3069283'
    """
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC_TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def _masked(data: bytes) -> bytes:
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _varint(value: int) -> bytes:
    value &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _sized(field: int, data: bytes) -> bytes:
    """A field whose value is text, bytes or another message."""
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _double(field: int, value: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", value)


class EventWriter:
    """Appends scalars and histograms to a new event file.

    Args:
        folder: Where the file is made.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     writer = EventWriter(folder)
        ...     writer.scalar("loss", 0.5, step=1)
        ...     writer.close()
    """

    def __init__(self, folder: str | os.PathLike) -> None:
        Path(folder).mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{time.time():.6f}.{socket.gethostname()}.{os.getpid()}"
        self._file = (Path(folder) / name).open("ab")
        self._write(_sized(3, b"brain.Event:2"), 0)

    def _write(self, content: bytes, step: int) -> None:
        event = _double(1, time.time()) + _varint(2 << 3) + _varint(step) + content
        length = struct.pack("<Q", len(event))
        self._file.write(length + _masked(length) + event + _masked(event))

    def scalar(self, tag: str, value: float, step: int) -> None:
        """Adds one number under `tag` at `step`."""
        simple = _varint(2 << 3 | 5) + struct.pack("<f", float(value))
        self._write(_sized(5, _sized(1, _sized(1, tag.encode()) + simple)), step)

    def histogram(self, tag: str, values: np.ndarray, step: int) -> None:
        """Adds the distribution of `values` in 30 equal steps under `tag`."""
        flat = np.asarray(values, np.float64).reshape(-1)
        flat = flat[np.isfinite(flat)]
        if flat.size == 0:
            return
        counts, edges = np.histogram(flat, bins=30)
        moments = (flat.min(), flat.max(), flat.size, flat.sum(), np.square(flat).sum())
        proto = b"".join(_double(field, float(value)) for field, value in enumerate(moments, 1))
        proto += _sized(6, edges[1:].astype("<f8").tobytes()) + _sized(7, counts.astype("<f8").tobytes())
        self._write(_sized(5, _sized(1, _sized(1, tag.encode()) + _sized(5, proto))), step)

    def flush(self) -> None:
        """Brings what was added to the file."""
        self._file.flush()

    def close(self) -> None:
        """Ends the file."""
        self._file.close()


class TensorBoard(Callback):
    """Logs losses, metrics, the learning rate and histograms of weights for TensorBoard.

    Args:
        log_dir: Folder of the event files.
        histogram_freq: Write histograms of weights every so many epochs; 0 for never.
        write_graph: Keras does not support it at this time either; accepted, writes nothing.
        write_images: Not supported; must be False.
        write_steps_per_second: Whether to log how many steps are made per second.
        update_freq: "epoch", "batch", or a number of batches after which values are also logged.
        profile_batch: A batch, or a pair (first, last), to record with JAX's profiler; 0 for none.
        embeddings_freq: Not supported; must be 0.
        embeddings_metadata: Not supported; must be None.

    Example:
        >>> TensorBoard("logs", update_freq="batch").update_freq
        1
    """

    def __init__(
        self,
        log_dir: str | os.PathLike = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: int | tuple[int, int] = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ) -> None:
        super().__init__()
        refused = {
            "write_images": write_images,
            "embeddings_freq": embeddings_freq,
            "embeddings_metadata": embeddings_metadata,
        }
        for name, value in refused.items():
            if value:
                raise ArgumentError(
                    f"TensorBoard: {name} is not supported.",
                    got=f"{name}={value!r}.",
                    fixes="Leave it out; scalars, histograms and profiles are written.",
                )
        counted = isinstance(update_freq, int) and not isinstance(update_freq, bool) and update_freq > 0
        if update_freq not in ("epoch", "batch") and not counted:
            raise ArgumentError(
                "TensorBoard: update_freq must be 'epoch', 'batch' or a positive number of batches.",
                got=f"update_freq={update_freq!r}.",
            )
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = 1 if update_freq == "batch" else update_freq
        self._profile = _profile_range(profile_batch)
        self._profiling = False
        self._writers: dict[str, EventWriter] = {}
        self._train_step = 0
        self._in_fit = False
        self._epoch_start = (0.0, 0)

    def _needs_batches(self, stage: str) -> bool:
        return stage == "train" and (self.update_freq != "epoch" or self._profile is not None)

    def _writer(self, name: str) -> EventWriter:
        if name not in self._writers:
            self._writers[name] = EventWriter(Path(self.log_dir) / name)
        return self._writers[name]

    def _iterations(self) -> int:
        counter = getattr(getattr(self.model, "optimizer", None), "iterations", None)
        return self._train_step if counter is None else int(np.asarray(getattr(counter, "value", counter)))

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Starts counting batches."""
        self._train_step = 0
        self._in_fit = True

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Starts the clock of the epoch."""
        self._epoch_start = (time.perf_counter(), self._iterations())

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Starts the profiler at its batch."""
        self._train_step += 1
        if self._profile is not None and self._train_step == self._profile[0] and not self._profiling:
            jax.profiler.start_trace(self.log_dir)
            self._profiling = True

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Logs the values of this batch where `update_freq` asks for it, and stops the profiler."""
        if self._profiling and self._profile is not None and self._train_step >= self._profile[1]:
            self._stop_profiler()
        if isinstance(self.update_freq, int) and self._train_step % self.update_freq == 0:
            for name, value in (logs or {}).items():
                self._writer("train").scalar(f"batch_{name}", value, self._train_step)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Logs the values of the epoch."""
        values = dict(logs or {})
        rate = getattr(getattr(self.model, "optimizer", None), "learning_rate", None)
        if rate is not None:
            values["learning_rate"] = float(np.asarray(getattr(rate, "value", rate)))
        for name, value in values.items():
            if np.ndim(value) == 0:
                folder = "validation" if name.startswith("val_") else "train"
                self._writer(folder).scalar(f"epoch_{name.removeprefix('val_')}", value, epoch)
        if self.write_steps_per_second:
            started, steps = self._epoch_start
            speed = (self._iterations() - steps) / max(time.perf_counter() - started, 1e-9)
            self._writer("train").scalar("epoch_steps_per_second", speed, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            for weight in self.model.weights:
                self._writer("train").histogram(f"{weight.path}/histogram", np.asarray(weight.value), epoch)
        self._flush()

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """Logs the values of an evaluation against the number of training steps."""
        for name, value in (logs or {}).items():
            if np.ndim(value) == 0:
                tag = f"evaluation_{name}_vs_iterations"
                self._writer("validation").scalar(tag, value, self._iterations())
        self._flush()
        if not self._in_fit:
            self._close()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Closes the files."""
        if self._profiling:
            self._stop_profiler()
        self._in_fit = False
        self._close()

    def _stop_profiler(self) -> None:
        jax.profiler.stop_trace()
        self._profiling = False

    def _flush(self) -> None:
        for writer in self._writers.values():
            writer.flush()

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}


def _profile_range(profile_batch: Any) -> tuple[int, int] | None:
    """Returns (first, last) of the batches to profile, or None."""
    pair = profile_batch if isinstance(profile_batch, list | tuple) else (profile_batch, profile_batch)
    valid = len(pair) == 2 and all(isinstance(one, int) and one >= 0 for one in pair) and pair[0] <= pair[1]
    if not valid:
        raise ArgumentError(
            "TensorBoard: profile_batch must be a batch number or a pair (first, last).",
            got=f"profile_batch={profile_batch!r}.",
            fixes=("profile_batch=5", "profile_batch=(10, 20)"),
        )
    return None if tuple(pair) == (0, 0) else (int(pair[0]), int(pair[1]))
