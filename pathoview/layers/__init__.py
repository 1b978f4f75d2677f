"""A layer yields tiles; painters make them RGBA; scheduler and cache bring them in time.

Imports `core`, `slides`, `annotations` and `study`; no Qt. Read `source`, then `slide_source` and
`detection_source`, then `raster` with `placed` and the sources made of one (`heatmap_source`, …),
then `scheduler` with `stand_in`, then `layer` and `compose`.
"""
