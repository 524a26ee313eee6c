"""The stage, where an adapter is tried on what the pipeline wrote."""

from tests.pipeline.conftest import stage

__all__ = ["stage"]
