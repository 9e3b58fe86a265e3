"""Builds the one shared library of hornbill-native; needs a C++17 compiler (GCC or Clang) and nothing else.

The inner loops (`cpp/kernels.cpp`) are compiled once per instruction set, each with its own flags; which one runs is
decided when the library is loaded, so a wheel works on every processor of its kind.
"""

from __future__ import annotations

import importlib.util
import platform
from pathlib import Path
from typing import Any

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError

FLAGS = ["-std=c++17", "-O3", "-fvisibility=hidden", "-Wall", "-Wextra", "-Wno-psabi"]
LOOPS = ["-ffp-contract=fast", "-fno-math-errno", "-fno-threadsafe-statics"]
X86 = {
    "avx512": (16, 32, ["-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mavx2", "-mfma"]),
    "avx2": (8, 16, ["-mavx2", "-mfma"]),
    "baseline": (4, 16, []),
}
AMX = [*X86["avx512"][2], "-mavx512bf16", "-mamx-tile", "-mamx-bf16", "-Wno-maybe-uninitialized"]
OTHERS = {"baseline": (4, 32, [])}
"""Name: floats per vector, vector registers, compiler flags."""
SOURCES = [
    "activation.cpp", "attention.cpp", "checks.cpp", "choice.cpp", "depthwise.cpp", "driver.cpp", "half.cpp",
    "moments.cpp", "optimizer.cpp", "pool.cpp", "product.cpp", "recurrent.cpp", "winograd.cpp", "ffi.cpp",
]  # fmt: skip


def include_folder() -> Path:
    """Returns the folder of XLA's headers, without starting JAX."""
    spec = importlib.util.find_spec("jaxlib")
    if spec is None or spec.origin is None:
        raise SystemExit("hornbill-native needs jaxlib, whose folder holds the headers.")
    return Path(spec.origin).parent / "include"


class Build(build_ext):
    """Compiles the loops once per instruction set and the rest once, and links all into one library."""

    def build_extension(self, ext: Extension) -> None:
        """Builds the library."""
        root, objects = Path("cpp"), []
        on_x86 = platform.machine().lower() in ("x86_64", "amd64", "i686", "i386")
        sets = X86 if on_x86 else OTHERS
        for name, (width, registers, flags) in sets.items():
            macros = [
                ("HB_WIDTH", str(width)), ("HB_REGISTERS", str(registers)),
                ("HB_NAME", f'"{name}"'), ("HB_TABLE", f"{name}_kernels"),
            ]  # fmt: skip
            objects += self._compile(
                root / "kernels.cpp", Path(self.build_temp) / name, macros, LOOPS + flags
            )
        objects += self._compile_tiles(root / "tiles.cpp", on_x86)
        for source in SOURCES:
            objects += self._compile(root / source, Path(self.build_temp), [], [])
        self.compiler.link_shared_object(
            objects, self.get_ext_fullpath(ext.name), build_temp=self.build_temp, target_lang="c++"
        )

    def _compile_tiles(self, source: Path, on_x86: bool) -> list[str]:
        """Compiles the products of AMX, empty for compilers that do not know it (GCC before 11, Clang before 12)."""
        try:
            return self._compile(source, Path(self.build_temp), [], LOOPS + (AMX if on_x86 else []))
        except CompileError:
            return self._compile(source, Path(self.build_temp), [], LOOPS)

    def _compile(self, source: Path, out: Path, macros: list[Any], flags: list[str]) -> list[str]:
        return self.compiler.compile(
            [str(source)], output_dir=str(out), macros=macros,
            extra_postargs=[*FLAGS, *flags, "-isystem", str(include_folder())],
            depends=[str(path) for path in Path("cpp").glob("*.h")],
        )  # fmt: skip

    def get_ext_filename(self, fullname: str) -> str:
        """Returns a name without Python's version: the library does not use Python's interface."""
        return str(Path(*fullname.split("."))) + ".so"


sources = sorted(str(path) for path in Path("cpp").glob("*.cpp"))
setup(ext_modules=[Extension("hornbill_native.libhornbill_native", sources)], cmdclass={"build_ext": Build})
