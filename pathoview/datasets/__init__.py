"""Labels become arrays: what is known of each pixel, which patches to read, who is held back.

Imports `core`, `slides` and `annotations`; no torch. Read `labels`, then `patches`.
"""
