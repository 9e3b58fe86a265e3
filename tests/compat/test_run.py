"""`hornbill run`: whole programs of Keras 1, 2 and 3, exit codes, tracebacks; the other commands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hornbill import cli

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "src"


def hornbill_run(*words, cwd=None):
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONWARNINGS": ""}
    return subprocess.run(
        [sys.executable, "-m", "hornbill.cli", "run", *map(str, words)],
        capture_output=True, text=True, cwd=cwd, env=environment, timeout=300, check=False,
    )  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("version", [1, 2, 3])
def test_programs(version):
    result = hornbill_run(HERE / "programs" / f"keras{version}.py", "one", "--two")
    assert result.returncode == 0, result.stderr
    assert f"keras {version} program done" in result.stdout


@pytest.mark.long
def test_arguments_folder_main_and_exit_code(tmp_path):
    (tmp_path / "beside.py").write_text("VALUE = 3\n")
    (tmp_path / "script.py").write_text(
        "import sys, pickle, beside, keras\n"
        "class Thing: pass\n"
        "assert __name__ == '__main__' and type(pickle.loads(pickle.dumps(Thing()))) is Thing\n"
        "assert keras.layers.__name__ == 'hornbill.layers'\n"
        "print(sys.argv[1:], __file__)\n"
        "sys.exit(beside.VALUE)\n"
    )
    result = hornbill_run(tmp_path / "script.py", "-x", "--help")
    assert result.returncode == 3, result.stderr
    assert result.stdout.startswith("['-x', '--help']")


@pytest.mark.long
def test_traceback_shows_the_script_only(tmp_path):
    (tmp_path / "script.py").write_text(
        "import tensorflow as tf\nprint(tf.constant(1.0).numpy())\ntf.constant(1.0).nump()\n"
    )
    result = hornbill_run(tmp_path / "script.py")
    assert result.returncode == 1
    assert result.stdout == "1.0\n"
    assert 'script.py", line 3' in result.stderr
    assert "cli.py" not in result.stderr


@pytest.mark.long
def test_modules_and_code(tmp_path):
    (tmp_path / "mod.py").write_text(
        "import sys, tf_keras\nprint(__name__, sys.argv[1:], tf_keras.__name__)\n"
    )
    assert hornbill_run("-m", "mod", "a", cwd=tmp_path).stdout.strip() == "__main__ ['a'] hornbill"
    result = hornbill_run(
        "-c", "import keras, sys; print(sys.argv, keras.__name__); raise SystemExit(4)", "b"
    )
    assert (result.returncode, result.stdout.strip()) == (4, "['-c', 'b'] hornbill")


def test_usage(capsys):
    assert cli.run([]) == 2
    assert cli.run(["--help"]) == 0
    assert "hornbill run" in capsys.readouterr().out
    parser = cli.build_parser()
    assert parser.parse_args(["plot", "m.keras", "-o", "m.svg"]).output == "m.svg"
    assert parser.parse_args(["convert", "a.h5", "b.keras"]).output == "b.keras"
    with pytest.raises(SystemExit):
        cli.main(["nothing"])


def test_a_missing_model_file_is_a_message(capsys):
    assert cli.main(["summary", "not-there.keras"]) == 1
    assert "hornbill summary:" in capsys.readouterr().err
