"""A layer yields tiles; style and paint make them RGBA; scheduler and cache bring them in time.

Imports `core`, `slides`, `annotations` and `study`; no Qt. Read `source`, then `paint`,
`scheduler` and `layer`.
"""
