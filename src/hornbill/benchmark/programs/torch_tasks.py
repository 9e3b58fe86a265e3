"""The tasks of `tasks.py` as a practised user of PyTorch writes them: `python torch_tasks.py TASK torch COUNT`.

Images in `channels_last`, the faster layout of convolutions; on a GPU if there is one, with the data on it from the
start. Eager mode; with `BENCH_COMPILED` set, `torch.compile`; with `BENCH_PRECISION`, `torch.autocast` in bfloat16.
"""

from __future__ import annotations

import functools
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import torch  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]

import networks
import torch_networks
from tasks import peak_megabytes, repeated, seconds_of

__all__ = ["TASKS"]

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


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


def _on_device(model: Any) -> Any:
    volumes = any(weight.ndim == 5 for weight in model.parameters())
    model = model.to(DEVICE, memory_format=torch.channels_last_3d if volumes else torch.channels_last)
    return torch.compile(model) if "BENCH_COMPILED" in os.environ else model


def _precision() -> Any:
    return torch.autocast(DEVICE.type, torch.bfloat16, enabled="BENCH_PRECISION" in os.environ)


def _epoch(
    model: Any, optimizer: Any, loss_of: Any, x: Any, y: Any, size: int, order: Any, accuracy: bool = False
) -> float:
    total = torch.zeros((), device=DEVICE)
    for i in range(0, len(order), size):
        rows = order[i : i + size]
        truth = y[rows]
        optimizer.zero_grad()
        with _precision():
            found = model(*(each[rows] for each in x))
        loss = loss_of(found.float(), truth)
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            total += loss
            if accuracy:
                total += ((found > 0.5) == (truth > 0.5)).float().mean()
    return float(total)


def _shuffled(rows: int) -> Any:
    return torch.randperm(rows, device=DEVICE)


def _forward(model: Any, x: Any, size: int, then: Callable[[Any, int], Any]) -> list[Any]:
    with torch.inference_mode(), _precision():
        return [then(model(*(each[i : i + size] for each in x)), i) for i in range(0, len(x[0]), size)]


def _begun_unet() -> tuple[Any, Any, Any, float]:
    images = torch.rand(64, 1, 96, 96, device=DEVICE).contiguous(memory_format=torch.channels_last)
    truth = (images > 0.5).float()
    start = time.perf_counter()
    model = _on_device(torch_networks.Unet())
    assert sum(p.numel() for p in model.parameters()) == 7_759_521
    optimizer = torch.optim.Adam(model.parameters())
    loss = nn.functional.binary_cross_entropy

    def fit() -> None:
        _epoch(model, optimizer, loss, [images], truth, 8, _shuffled(64), accuracy=True)

    fit()
    return model, images, fit, time.perf_counter() - start


def unet(_library: str, _count: int) -> dict[str, float]:
    """See `tasks.unet`."""
    model, images, fit, first = _begun_unet()
    step = repeated(lambda epochs: [fit() for _ in range(epochs)]) / 8
    model.eval()
    predicted = repeated(
        lambda times: [_forward(model, [images], 8, lambda found, _: found.cpu()) for _ in range(times)]
    )
    return {
        "to_8_steps": first,
        "step": step,
        "predicted": predicted / 8,
        "peak_megabytes": peak_megabytes(),
    }


def unet_warm(_library: str, _count: int) -> dict[str, float]:
    """See `tasks.unet_warm`."""
    return {"to_8_steps": _begun_unet()[3]}


def network(name: str, _library: str, batches: int) -> dict[str, float]:
    """See `tasks.network`."""
    return _step_and_predicted(torch_networks.NETWORKS[name](), *networks.data(name, batches))


def growth(_library: str, batches: int) -> dict[str, float]:
    """See `tasks.growth`."""
    found = {}
    for name, sizes in networks.GROWTH.items():
        for number in sizes:
            data = networks.growth_data(name, number, batches)
            times = _step_and_predicted(torch_networks.Grown(networks.sizes(name, number)), *data)
            found |= {f"{name}_{number}_{kind}": seconds for kind, seconds in times.items()}
    return found


def _step_and_predicted(model: Any, x: Any, y: Any, size: int) -> dict[str, float]:
    model = _on_device(model)
    arrays = [_channels_first(torch.as_tensor(each)) for each in (x if isinstance(x, list) else [x])]
    classes, optimizer = torch.as_tensor(y).long().to(DEVICE), torch.optim.Adam(model.parameters())
    loss, steps = nn.functional.cross_entropy, len(y) // size

    def fit(epochs: int) -> None:
        for _ in range(epochs):
            _epoch(model, optimizer, loss, arrays, classes, size, _shuffled(len(y)))

    def predict(times: int) -> None:
        for _ in range(times):
            _forward(model, arrays, size, lambda found, _: found.softmax(-1).cpu())

    fitted = repeated(fit)
    model.eval()
    predicted = repeated(predict)
    return {"step": fitted / steps, "predicted": predicted / steps}


def _channels_first(x: Any) -> Any:
    """Returns images and volumes with their channels second, stored last; other arrays as they are."""
    return (x.movedim(-1, 1) if x.ndim > 3 else x).to(DEVICE)


def _corner_detector() -> tuple[Any, Any, Any]:
    model = _on_device(_Corner())
    images = torch.randint(0, 2, (100, 1, 5, 5), device=DEVICE).float()
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3, alpha=0.9, eps=1e-7)
    loss = nn.functional.binary_cross_entropy
    return model, images, lambda: _epoch(model, optimizer, loss, [images], images, 4, _shuffled(100), True)


def corner_fit(_library: str, count: int) -> dict[str, float]:
    """See `tasks.corner_fit`."""
    _, _, fit = _corner_detector()
    first = seconds_of(lambda: [fit() for _ in range(20)])
    rounds = max(1, count // 10)
    seconds = statistics.median(seconds_of(lambda: [fit() for _ in range(rounds)]) for _ in range(3))
    return {"seconds": seconds / (25 * rounds), "first_20_epochs": first}


def corner_evaluate(_library: str, count: int) -> dict[str, float]:
    """See `tasks.corner_evaluate`."""
    model, images, _ = _corner_detector()
    images = images.repeat(count, 1, 1, 1)
    model.eval()

    def judged(found: Any, i: int) -> Any:
        truth = images[i : i + 4]
        loss = nn.functional.binary_cross_entropy(found, truth)
        return loss + ((found > 0.5) == (truth > 0.5)).float().mean()

    seconds = [
        seconds_of(lambda: float(torch.stack(_forward(model, [images], 4, judged)).sum())) for _ in range(3)
    ]
    return {"seconds": statistics.median(seconds) / (25 * count)}


def predict_one(_library: str, count: int) -> dict[str, float]:
    """See `tasks.predict_one`."""
    model, images, _ = _corner_detector()
    model.eval()
    one = images[:1].cpu()
    times = [
        seconds_of(lambda: _forward(model, [one.to(DEVICE)], 1, lambda found, _: found.cpu()))
        for _ in range(count + 20)
    ]
    return {"seconds": statistics.median(times[20:])}


TASKS: dict[str, Callable[[str, int], dict[str, float]]] = {
    "unet": unet,
    "unet_warm": unet_warm,
    "corner_fit": corner_fit,
    "corner_evaluate": corner_evaluate,
    "predict_one": predict_one,
    "growth": growth,
    **{name: functools.partial(network, name) for name in networks.NETWORKS},
}


if __name__ == "__main__":
    print(json.dumps(TASKS[sys.argv[1]](sys.argv[2], int(sys.argv[3]))))
