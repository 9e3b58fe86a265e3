"""The tasks of `tasks.py` as a practised user of PyTorch writes them: `python bench/torch_tasks.py TASK torch COUNT`.

Eager mode, images in `channels_last`, the faster layout of convolutions on a CPU.
"""

from __future__ import annotations

import itertools
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from tasks import peak_megabytes, seconds_of

__all__ = ["TASKS"]


class _Block(nn.Module):
    def __init__(self, channels: int, filters: int, rate: float) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, filters, 3, padding=1)
        self.drop = nn.Dropout(rate)
        self.second = nn.Conv2d(filters, filters, 3, padding=1)

    def forward(self, x: Any) -> Any:
        return torch.relu(self.second(self.drop(torch.relu(self.first(x)))))


class _Unet(nn.Module):
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


class _Corner(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 5, 3, padding=1), nn.Conv2d(5, 5, 3, padding=1)
        self.last = nn.Linear(5, 1)

    def forward(self, x: Any) -> Any:
        for conv in (self.first, self.second):  # "same" with stride 1 pads after the last cell
            x = nn.functional.pad(torch.relu(conv(x)), (0, 1, 0, 1), value=float("-inf"))
            x = nn.functional.max_pool2d(x, 2, stride=1)
        return torch.sigmoid(self.last(x.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)


def _epoch(model: Any, optimizer: Any, images: Any, truth: Any, size: int, shuffle: bool) -> float:
    correct, loss = torch.zeros(()), torch.zeros(())
    order = torch.randperm(len(images)) if shuffle else torch.arange(len(images))
    for i in range(0, len(images), size):
        rows = order[i : i + size]
        optimizer.zero_grad()
        found = model(images[rows])
        loss = nn.functional.binary_cross_entropy(found, truth[rows])
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            correct += ((found > 0.5) == (truth[rows] > 0.5)).float().mean()
    return float(loss.detach()) + float(correct)


def _without_gradients(model: Any, images: Any, size: int, truth: Any = None) -> float:
    total = torch.zeros(())
    with torch.inference_mode():
        for i in range(0, len(images), size):
            found = model(images[i : i + size])
            if truth is not None:
                total += nn.functional.binary_cross_entropy(found, truth[i : i + size])
                total += ((found > 0.5) == (truth[i : i + size] > 0.5)).float().mean()
    return float(total)


def unet(_library: str, count: int) -> dict[str, float]:
    """See `tasks.unet`."""
    images = torch.rand(64, 1, 96, 96).contiguous(memory_format=torch.channels_last)
    truth = (images > 0.5).float()
    start = time.perf_counter()
    model = _Unet().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    assert sum(p.numel() for p in model.parameters()) == 7_759_521
    optimizer = torch.optim.Adam(model.parameters())
    _epoch(model, optimizer, images, truth, 8, True)
    first = time.perf_counter() - start
    steps = [seconds_of(lambda: _epoch(model, optimizer, images, truth, 8, True)) for _ in range(count)]
    model.eval()
    _without_gradients(model, images, 8)
    batches = [seconds_of(lambda: _without_gradients(model, images, 8)) for _ in range(count)]
    return {
        "to_8_steps": first,
        "step": statistics.median(steps) / 8,
        "predicted": statistics.median(batches) / 8,
        "peak_megabytes": peak_megabytes(),
    }


def _corner_detector() -> tuple[Any, Any, Any]:
    model = _Corner()
    images = torch.randint(0, 2, (100, 1, 5, 5)).float()
    return model, torch.optim.RMSprop(model.parameters(), lr=1e-3, alpha=0.9, eps=1e-7), images


def corner_fit(_library: str, count: int) -> dict[str, float]:
    """See `tasks.corner_fit`."""
    model, optimizer, images = _corner_detector()
    first = seconds_of(lambda: [_epoch(model, optimizer, images, images, 4, True) for _ in range(20)])
    rounds = max(1, count // 10)

    def several() -> None:
        for _ in range(rounds):
            _epoch(model, optimizer, images, images, 4, True)

    seconds = statistics.median(seconds_of(several) for _ in range(3))
    return {"seconds": seconds / (25 * rounds), "first_20_epochs": first}


def corner_evaluate(_library: str, count: int) -> dict[str, float]:
    """See `tasks.corner_evaluate`."""
    model, _, images = _corner_detector()
    images = images.repeat(count, 1, 1, 1)
    model.eval()
    seconds = [seconds_of(lambda: _without_gradients(model, images, 4, images)) for _ in range(3)]
    return {"seconds": statistics.median(seconds) / (25 * count)}


def predict_one(_library: str, count: int) -> dict[str, float]:
    """See `tasks.predict_one`."""
    model, _, images = _corner_detector()
    model.eval()
    times = [seconds_of(lambda: _without_gradients(model, images[:1], 1)) for _ in range(count + 20)]
    return {"seconds": statistics.median(times[20:])}


TASKS: dict[str, Callable[[str, int], dict[str, float]]] = {
    "unet": unet,
    "corner_fit": corner_fit,
    "corner_evaluate": corner_evaluate,
    "predict_one": predict_one,
}


if __name__ == "__main__":
    print(json.dumps(TASKS[sys.argv[1]](sys.argv[2], int(sys.argv[3]))))
