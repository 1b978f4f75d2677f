"""Pictures to take away: what a view shows, with a scale bar and a legend, as PNG or SVG.

Imports what `layers` may. Read `order` first, then `drawing`; `furniture` says what is written over
the picture, and `raster_marks` and `svg` write it.
"""
