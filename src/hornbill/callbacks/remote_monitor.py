"""Sends the values of each epoch to a web server, by HTTP POST.

Not for: receiving commands; what the server answers is not read.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
import warnings
from typing import Any

import numpy as np

from hornbill.callbacks.callback import Callback
from hornbill.engine.errors import ArgumentError

__all__ = ["RemoteMonitor"]


class RemoteMonitor(Callback):
    """Posts {"epoch": ..., "loss": ..., ...} to root + path after each epoch. Needs no further package.

    Args:
        root: Address of the server.
        path: Path on the server.
        field: Name of the form field that holds the JSON text; not used with `send_as_json`.
        headers: Further HTTP headers.
        send_as_json: Send the JSON text itself and not a form.

    Example:
        >>> RemoteMonitor(root="http://localhost:9000").path
        '/publish/epoch/end/'
    """

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: dict[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        super().__init__()
        if urllib.parse.urlsplit(root).scheme not in ("http", "https"):
            raise ArgumentError(
                "RemoteMonitor: root must begin with http:// or https://.",
                got=f"root={root!r}.",
                fixes="root='http://localhost:9000'",
            )
        self.root = root
        self.path = path
        self.field = field
        self.headers = headers
        self.send_as_json = send_as_json

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Sends one epoch; a server that cannot be reached gives a warning."""
        values = {"epoch": epoch}
        for name, value in (logs or {}).items():
            values[name] = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
        text = json.dumps(values)
        kind = "application/json" if self.send_as_json else "application/x-www-form-urlencoded"
        body = text if self.send_as_json else urllib.parse.urlencode({self.field: text})
        request = urllib.request.Request(  # noqa: S310 - the scheme is checked when the callback is made
            self.root + self.path,
            data=body.encode(),
            headers={"Content-Type": kind, **(self.headers or {})},
            method="POST",
        )
        try:
            with urllib.request.urlopen(request, timeout=10):  # noqa: S310
                pass
        except (urllib.error.URLError, OSError) as error:
            warnings.warn(f"Could not reach RemoteMonitor root server at {self.root}: {error}", stacklevel=2)
