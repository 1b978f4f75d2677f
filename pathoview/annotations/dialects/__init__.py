"""Annotation files of other programs: what PathoView reads, and writes where they would read it.

One module a dialect; `formats` is the face to all of them, and the place to begin. Each dialect has
``looks_like(opening)``, ``read(path, frame, options, note)`` and mostly ``write(file, ...)``. May
import what `annotations` may: ``core`` only.
"""
