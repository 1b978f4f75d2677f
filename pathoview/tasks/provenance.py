"""With what a run was made: device, and versions of everything that has a say in its result."""

from __future__ import annotations

import platform
from importlib import metadata

from pathoview import __version__
from pathoview.methods.engine.device import choose_device
from pathoview.methods.spec import MethodSpec

_PACKAGES = {
    "numpy": "numpy",
    "scipy": "scipy",
    "skimage": "scikit-image",
    "opencv": "opencv-python-headless",
    "shapely": "shapely",
    "imagecodecs": "imagecodecs",
    "tifffile": "tifffile",
    "openslide": "openslide-bin",
    "openslide-python": "openslide-python",
}


def device_name(spec: MethodSpec) -> str:
    """Return torch's name of the device a method computes on; torch is asked only if it is used."""
    return choose_device().name if spec.uses_torch else "cpu"


def versions(*, with_torch: bool = False) -> dict[str, str]:
    """Return name → version; a package that is not installed is left out."""
    packages = _PACKAGES | ({"torch": "torch"} if with_torch else {})
    found = {
        "pathoview": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
    }
    for name, package in packages.items():
        try:
            found[name] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
