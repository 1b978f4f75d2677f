"""What can be set on `imported_network`: nothing. All there is to say is in the model's card."""

from __future__ import annotations

from pathoview.core.params import BaseParams


class ImportedNetworkParams(BaseParams):
    """There is nothing to choose."""
