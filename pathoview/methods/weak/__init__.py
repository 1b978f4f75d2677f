"""Methods taught by coarse labels: points, strokes."""
