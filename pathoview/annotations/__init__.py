"""What a person or a method said about a slide: detections as columns, and GeoJSON.

Imports `core` only. Read `detections` first.
"""
