"""The networks of `networks.py` in PyTorch; all but the U-Net give logits."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import torch  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]

from networks import CLASSES, WORDS

__all__ = ["NETWORKS", "Grown", "Unet"]


class _Block(nn.Module):
    def __init__(self, channels: int, filters: int, rate: float) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, filters, 3, padding=1)
        self.drop = nn.Dropout(rate)
        self.second = nn.Conv2d(filters, filters, 3, padding=1)

    def forward(self, x: Any) -> Any:
        return torch.relu(self.second(self.drop(torch.relu(self.first(x)))))


class Unet(nn.Module):
    """See `networks.unet`; gives probabilities."""

    def __init__(self) -> None:
        super().__init__()
        sizes = [1, 32, 64, 128, 256]
        self.down = nn.ModuleList(_Block(a, b, 0.2) for a, b in itertools.pairwise(sizes))
        self.pool = nn.MaxPool2d(2)
        self.middle = _Block(256, 512, 0.3)
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * n, n, 2, 2) for n in sizes[:0:-1])
        self.joined = nn.ModuleList(_Block(2 * n, n, 0.3) for n in sizes[:0:-1])
        self.last = nn.Conv2d(32, 1, 1)

    def forward(self, x: Any) -> Any:
        across = []
        for block in self.down:
            x = block(x)
            across.append(x)
            x = self.pool(x)
        x = self.middle(x)
        for up, block in zip(self.up, self.joined, strict=True):
            x = block(torch.cat([up(x), across.pop()], 1))
        return torch.sigmoid(self.last(x))


class _Then(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Any) -> Any:
        return self.function(x)


def mlp() -> Any:
    """See `networks.mlp`."""
    return nn.Sequential(
        nn.Linear(784, 512),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(512, 512),
        nn.ReLU(),
        nn.Linear(512, CLASSES),
    )


def _conv(channels: int, filters: int, strides: int = 1, kernel: int = 3) -> Any:
    conv = nn.Conv2d(channels, filters, kernel, strides, padding=kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(filters))


class _Residual(nn.Module):
    def __init__(self, channels: int, filters: int, strides: int) -> None:
        super().__init__()
        self.first, self.second = _conv(channels, filters, strides), _conv(filters, filters)
        self.across = _conv(channels, filters, strides, 1) if strides > 1 else nn.Identity()

    def forward(self, x: Any) -> Any:
        return torch.relu(self.second(torch.relu(self.first(x))) + self.across(x))


def resnet() -> Any:
    """See `networks.resnet`."""
    sizes = [(64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)]
    before = [64, *(filters for filters, _ in sizes)]
    blocks = [_Residual(channels, *size) for channels, size in zip(before, sizes, strict=False)]
    mean = _Then(lambda x: x.mean((2, 3)))
    return nn.Sequential(_conv(3, 64), nn.ReLU(), *blocks, mean, nn.Linear(512, CLASSES))


class _Lstm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words, self.lstm = nn.Embedding(WORDS, 64), nn.LSTM(64, 64, batch_first=True)
        self.last = nn.Linear(64, CLASSES)

    def forward(self, x: Any) -> Any:
        return self.last(self.lstm(self.words(x))[0][:, -1])


def conv1d() -> Any:
    """See `networks.conv1d`."""
    return nn.Sequential(
        nn.Embedding(WORDS, 64), _Then(lambda x: x.transpose(1, 2)), nn.Conv1d(64, 128, 5), nn.ReLU(),
        nn.MaxPool1d(2), nn.Conv1d(128, 128, 5), nn.ReLU(), _Then(lambda x: x.amax(2)), nn.Linear(128, CLASSES),
    )  # fmt: skip


class _Attending(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.LayerNorm(64), nn.LayerNorm(64)
        self.attention = nn.MultiheadAttention(64, 4, batch_first=True)
        self.wide = nn.Sequential(nn.Linear(64, 128), nn.GELU(), nn.Linear(128, 64))

    def forward(self, x: Any) -> Any:
        y = self.one(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        return x + self.wide(self.two(x))


def transformer() -> Any:
    """See `networks.transformer`."""
    patches = nn.Sequential(nn.Conv2d(3, 64, 4, 4), _Then(lambda x: x.flatten(2).transpose(1, 2)))
    mean = _Then(lambda x: x.mean(1))
    return nn.Sequential(
        patches, *(_Attending() for _ in range(4)), nn.LayerNorm(64), mean, nn.Linear(64, CLASSES)
    )


def separable() -> Any:
    """See `networks.separable`."""
    parts: list[Any] = [_conv(3, 32), nn.ReLU()]
    channels = 32
    for filters, strides in ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1)):
        deep = nn.Conv2d(channels, channels, 3, strides, padding=1, groups=channels, bias=False)
        parts += [deep, nn.BatchNorm2d(channels), nn.ReLU(), _conv(channels, filters, 1, 1), nn.ReLU()]
        channels = filters
    return nn.Sequential(*parts, _Then(lambda x: x.mean((2, 3))), nn.Linear(256, CLASSES))


def conv3d() -> Any:
    """See `networks.conv3d`."""
    return nn.Sequential(
        nn.Conv3d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool3d(2), nn.Conv3d(16, 32, 3, padding=1), nn.ReLU(),
        nn.MaxPool3d(2), _Then(lambda x: x.mean((2, 3, 4))), nn.Linear(32, CLASSES),
    )  # fmt: skip


NETWORKS: dict[str, Callable[[], Any]] = {
    "mlp": mlp,
    "resnet": resnet,
    "lstm": _Lstm,
    "conv1d": conv1d,
    "transformer": transformer,
    "separable": separable,
    "conv3d": conv3d,
}


class Grown(nn.Module):
    """See `networks.grown`."""

    def __init__(self, sizes: dict[str, int]) -> None:
        super().__init__()
        channels = [3, *[16] * sizes["depth"]]
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in itertools.pairwise(channels))
        self.last = nn.Linear(16, CLASSES)

    def forward(self, *inputs: Any) -> Any:
        x = functools.reduce(torch.add, inputs)
        for conv in self.convs:
            x = torch.relu(conv(x))
        return self.last(x.mean((2, 3)))
