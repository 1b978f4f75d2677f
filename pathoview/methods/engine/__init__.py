"""What trained methods share: device, training loop, augmentation, encoders, tiled inference.

Imports what `methods` may, and torch. Read `learner` first, then `train`. Nothing that lists
methods or opens a window imports from here, but for `encoder_list`, which is without torch.
"""
