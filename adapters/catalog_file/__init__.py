"""Catalogue files 目录文件: the official drug list, our CSV, and the project's own sample."""

from pathlib import Path


def sample_path() -> Path:
    """示例目录 The folder of the sample catalogue shipped with the project (made-up prices)."""
    return Path(__file__).parent / "sample"
