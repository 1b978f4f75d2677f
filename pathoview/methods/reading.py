"""Moved to `pathoview.slides.reading`."""

from __future__ import annotations

from pathoview.slides.reading import AnalysisGrid, analysis_grid, read_patch

__all__ = ["AnalysisGrid", "analysis_grid", "read_patch"]
