"""Image files become raw pixels with a physical scale; tissue mask and stains beside it.

Imports `core` only. Read `slide` first, then `opening`.
"""
