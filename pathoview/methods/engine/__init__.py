"""What trained methods share: the device, and later the training loop and tiled inference.

Imports what `methods` may, and torch inside functions. Read `device` first.
"""
