"""The import alias: `import keras`, `import tensorflow as tf` and `tf.keras` mean Hornbill.

`install` puts a finder before Python's own. `keras.layers` *is* `hornbill.layers`: one module, two names.
Old paths (`keras.layers.core`) and old names (`merge(..., mode=)`) come from `modules.py` and `names.py`.
`uninstall` undoes all of it.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from typing import Any

import jax.numpy as jnp
import numpy as np

from hornbill.compat import arguments
from hornbill.compat.errors import MissingModuleError
from hornbill.compat.modules import OLD_MODULES, REFUSED_MODULES, ROOTS
from hornbill.compat.names import CALLABLE_MODULES, OLD_NAMES, Gone
from hornbill.engine.errors import MissingNameError, StateError, did_you_mean

__all__ = ["install", "installed", "uninstall"]

_MISSING = object()


class OldModule(types.ModuleType):
    """A module path of Keras 1 or 2; its names are looked up in the modules of today."""

    def __init__(self, name: str, targets: Sequence[str]) -> None:
        super().__init__(name, f"An old module path; its names are those of {', '.join(targets)}.")
        self.__path__: list[str] = []
        self.__targets__ = tuple(targets)

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("__"):
            for target in self.__targets__:
                found = getattr(importlib.import_module(target), name, _MISSING)
                if found is not _MISSING:
                    return found
        raise MissingNameError(f"{self.__name__} has no {name!r}.{did_you_mean(name, self.__dir__())}")

    def __dir__(self) -> list[str]:
        return sorted({name for target in self.__targets__ for name in dir(importlib.import_module(target))})


class _CallableModule(types.ModuleType):
    """A module that is also a function; Keras 1 and 2 had functions of these names."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        target = CALLABLE_MODULES[self.__name__.removeprefix("hornbill.")]
        function = getattr(self, target) if isinstance(target, str) else target
        return function(*args, **kwargs)


class _Alias:
    """Loads one aliased name: returns a module that exists, and leaves its own spec in place."""

    def __init__(self, target: str, make: Callable[[], types.ModuleType]) -> None:
        self.target, self.make, self.spec = target, make, None

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        """Returns the module behind the name."""
        module = self.make()
        self.spec = module.__spec__
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        """Puts the module's own spec back."""
        if self.spec is not None:
            module.__spec__ = self.spec

    def get_code(self, fullname: str) -> types.CodeType | None:
        """Returns the code of the module behind the name, for `python -m`."""
        spec = importlib.util.find_spec(self.target)
        return spec.loader.get_code(self.target) if spec and spec.loader else None  # type: ignore[attr-defined]


class _Finder:
    """Finds modules under the aliased roots."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Returns a spec for an aliased name, None for others; raises for names that are missing."""
        root = next(
            (r for r in sorted(ROOTS, key=len, reverse=True) if f"{fullname}.".startswith(f"{r}.")), None
        )
        if root is None:
            return None
        below = fullname[len(root) + 1 :]
        module = f"{ROOTS[root]}.{below}" if below else ROOTS[root]
        if root == "tensorflow":
            return (
                _spec(fullname, module, lambda: importlib.import_module(module))
                if _exists(module)
                else self._tf(below)
            )
        if _exists(module):
            return _spec(fullname, module, lambda: importlib.import_module(module))
        if below in OLD_MODULES:
            targets = [f"hornbill.{t}" if t else "hornbill" for t in OLD_MODULES[below]]
            return _spec(fullname, targets[0], lambda: OldModule(f"keras.{below}", targets))
        raise _missing_module(f"keras.{below}")

    def _tf(self, below: str) -> ModuleSpec | None:
        """Returns a spec for a namespace of the stand-in; raises, with its advice, for the rest."""
        found: Any = importlib.import_module(ROOTS["tensorflow"])
        for part in below.split("."):
            try:
                found = getattr(found, part)
            except AttributeError:
                raise _missing_in_tensorflow(below) from None
        if not isinstance(found, types.ModuleType):
            return None
        return _spec(f"tensorflow.{below}", found.__name__, lambda: found)


class _LastFinder:
    """Comes after all other finders: says what a name that a script imports from Hornbill is called today."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> None:
        """Raises for names under `hornbill` that nobody found."""
        stand_in = f"{ROOTS['tensorflow']}."
        if fullname.startswith(stand_in):
            raise _missing_in_tensorflow(fullname.removeprefix(stand_in))
        if fullname.startswith("hornbill.") and path is not None:
            raise _missing_module(fullname.replace("hornbill.", "keras.", 1))


def _spec(fullname: str, target: str, make: Callable[[], types.ModuleType]) -> ModuleSpec:
    return ModuleSpec(fullname, _Alias(target, make), is_package=True)  # type: ignore[arg-type]


def _exists(module: str) -> bool:
    """Returns whether Hornbill has a module, without the alias' own finders."""
    if module in sys.modules:
        return True
    parent, _, name = module.rpartition(".")
    if not parent:
        return True
    if not _exists(parent):
        return False
    path = getattr(importlib.import_module(parent), "__path__", None)
    return path is not None and importlib.machinery.PathFinder.find_spec(f"{parent}.{name}", path) is not None


def _missing_module(name: str) -> MissingModuleError:
    for refused, (why, fix) in REFUSED_MODULES.items():
        if f"{name}.".startswith(f"{refused}."):
            return MissingModuleError(f"Hornbill has no {name}.", why=why, fixes=fix)
    parent, _, last = name.rpartition(".")
    gone = OLD_NAMES.get(parent.removeprefix("keras."), {}).get(last)
    if isinstance(gone, Gone):
        return MissingModuleError(f"{parent} has no {last!r}.", why=gone.why, fixes=gone.fix)
    module = sys.modules.get(parent.replace("keras", "hornbill", 1))
    known = {*(dir(module) if module else ()), *(path.rpartition(".")[2] for path in OLD_MODULES)} - {last}
    return MissingModuleError(f"{parent} has no {last!r}.{did_you_mean(last, known)}")


def _missing_in_tensorflow(below: str) -> MissingModuleError:
    found: Any = importlib.import_module(ROOTS["tensorflow"])
    try:
        for part in below.split("."):
            found = getattr(found, part)
    except MissingNameError as error:
        return MissingModuleError(error.asked, error.got, error.why, error.fixes)
    return MissingModuleError(f"tf.{below} is no module of the stand-in for TensorFlow.")


# ---- names added to Hornbill's own modules

_undo: list[Callable[[], None]] = []


def _add_old_names(below: str) -> None:
    """Gives a module of Hornbill the old names of its table, and those of the old path it stands for."""
    module = importlib.import_module(f"hornbill.{below}" if below else "hornbill")
    before = module.__dict__.get("__getattr__")
    names = OLD_NAMES.get(below, {})
    others = [target for target in OLD_MODULES.get(below, ()) if target != below]

    def lookup(name: str) -> Any:
        if name in names:
            found = names[name]
            if isinstance(found, Gone):
                raise MissingNameError(f"keras.{below} has no {name!r}.", why=found.why, fixes=found.fix)
            return getattr(module, found) if isinstance(found, str) else found
        path = f"{below}.{name}" if below else name
        if path in OLD_MODULES:
            return importlib.import_module(f"keras.{path}")
        for target in others if not name.startswith("__") else ():
            found = getattr(importlib.import_module(f"hornbill.{target}"), name, _MISSING)
            if found is not _MISSING:
                return found
        if before is not None:
            return before(name)
        raise MissingNameError(f"keras.{below} has no {name!r}.{did_you_mean(name, dir(module))}")

    module.__getattr__ = lookup  # type: ignore[method-assign]

    def undo() -> None:
        if before is None:
            del module.__getattr__
        else:
            module.__getattr__ = before  # type: ignore[method-assign]

    _undo.append(undo)


def _make_callable(below: str) -> None:
    module = importlib.import_module(f"hornbill.{below}")
    module.__class__ = _CallableModule
    _undo.append(lambda: setattr(module, "__class__", types.ModuleType))


def _parents() -> list[str]:
    """Returns the modules that get old names: those of the tables, and the parents of old paths."""
    wanted = {*OLD_NAMES, *(path.rpartition(".")[0] for path in OLD_MODULES)}
    wanted |= {path for path in OLD_MODULES if _exists(f"hornbill.{path}")}
    return sorted(path for path in wanted if not path or _exists(f"hornbill.{path}"))


# ---- on and off

_finders: list[Any] = []


def installed() -> bool:
    """Returns whether the alias is installed."""
    return bool(_finders)


def _under_roots(name: str) -> bool:
    return any(name == root or name.startswith(f"{root}.") for root in ("keras", "tf_keras", "tensorflow"))


def install() -> None:
    """Makes `import keras` and `import tensorflow` mean Hornbill in this process.

    Raises:
        StateError: If the real Keras or TensorFlow is imported already.

    Example:
        >>> install()
        >>> import keras.layers
        >>> keras.layers.__name__
        'hornbill.layers'
        >>> uninstall()
    """
    if installed():
        return
    taken = sorted(name for name in sys.modules if _under_roots(name) and "." not in name)
    if taken:
        raise StateError(
            f"hornbill.compat.install(): {' and '.join(taken)} is imported already.",
            why="Code that holds the real modules would go on using them beside Hornbill.",
            fixes=("Call install() before any import of keras or tensorflow.", "hornbill run script.py"),
        )
    _finders.extend([_Finder(), _LastFinder()])
    sys.meta_path.insert(0, _finders[0])
    sys.meta_path.append(_finders[1])
    for below in _parents():
        _add_old_names(below)
    for below in CALLABLE_MODULES:
        _make_callable(below)
    arguments.apply()
    _give_numpy()


def _give_numpy() -> None:
    """Lets arrays answer to `.numpy()`, as TensorFlow's tensors do, while the alias is on."""
    kind: Any = type(jnp.zeros(()))
    if not hasattr(kind, "numpy"):
        kind.numpy = lambda array: np.array(array)  # noqa: PLW0108  a method, so a function
        _undo.append(lambda: delattr(kind, "numpy"))


def uninstall() -> None:
    """Undoes `install`: imports of keras and tensorflow mean those packages again."""
    if not installed():
        return
    arguments.remove()
    while _undo:
        _undo.pop()()
    for finder in _finders:
        sys.meta_path.remove(finder)
    _finders.clear()
    for name in [name for name in sys.modules if _under_roots(name)]:
        module = sys.modules.pop(name)
        parent = module.__name__.rpartition(".")[0].replace("keras", "hornbill", 1)
        if isinstance(module, OldModule) and parent in sys.modules:
            sys.modules[parent].__dict__.pop(module.__name__.rpartition(".")[2], None)
