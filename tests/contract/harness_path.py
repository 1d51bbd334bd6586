"""The harness of tests/e2e, which these tests are built on."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import harness  # noqa: E402

__all__ = ["harness"]
