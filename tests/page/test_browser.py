"""Every part of the page in a real Chromium: `web/e2e`, driven from here so that the one test command runs it.

Needs Node, `npm ci` in `web/`, and a Chromium; without one of them the tests say that they are skipped. `.ci/run`
installs what it can.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.page.making import make

WEB = Path(__file__).parents[2] / "web"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
NODE = shutil.which("node")


def missing() -> str | None:
    """Says what is not there, or returns None."""
    if NODE is None:
        return "skipped: Node.js is not installed"
    if not (WEB / "node_modules").exists():
        return "skipped: `npm ci` was not run in web/"
    return None


needs_node = pytest.mark.skipif(missing() is not None, reason=missing() or "")
needs_chromium = pytest.mark.skipif(
    (missing() or CHROMIUM) is not CHROMIUM or CHROMIUM is None,
    reason=missing() or "skipped: no Chromium is installed",
)


def node(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a program of web/node_modules."""
    return subprocess.run(
        [NODE or "node", *words], cwd=WEB, capture_output=True, text=True, encoding="utf-8",
        env={**os.environ, "NO_COLOR": "1", **environment}, check=False,
    )  # fmt: skip


@needs_node
@pytest.mark.long
def test_the_shipped_page_is_what_web_builds():
    done = node("build.mjs", "--check")
    assert done.returncode == 0, done.stdout + done.stderr


@needs_node
@pytest.mark.long
def test_the_types_the_lint_and_the_unit_tests_of_web_pass():
    for words in (
        ["node_modules/typescript/bin/tsc", "--noEmit"],
        ["node_modules/eslint/bin/eslint.js", "."],
        ["node_modules/vitest/vitest.mjs", "run"],
    ):
        done = node(*words)
        assert done.returncode == 0, done.stdout + done.stderr


@needs_chromium
@pytest.mark.long
def test_every_part_of_the_page_works_in_chromium(tmp_path):
    make(tmp_path)
    report = tmp_path / "report.json"
    done = node(
        "node_modules/vitest/vitest.mjs", "run", "--config", "vitest.e2e.config.ts", "--reporter=json", f"--outputFile={report}",
        HORNBILL_PAGES=str(tmp_path), HORNBILL_CHROMIUM=CHROMIUM or "",
    )  # fmt: skip
    assert report.exists(), done.stdout + done.stderr
    results = [
        test
        for file in json.loads(report.read_text(encoding="utf-8"))["testResults"]
        for test in file["assertionResults"]
    ]
    failed = [
        f"{test['fullName']}\n{''.join(test['failureMessages'])[:2000]}"
        for test in results
        if test["status"] == "failed"
    ]
    assert not failed, "\n\n".join(failed)
    assert len([test for test in results if test["status"] == "passed"]) >= 45, done.stdout + done.stderr
