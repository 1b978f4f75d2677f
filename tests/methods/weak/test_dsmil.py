"""DSMIL begins where the means of slides point."""

from __future__ import annotations

import torch
from teaching import bag_data

from pathoview.core.progress import SilentProgress
from pathoview.methods.engine import bag_baselines
from pathoview.methods.fitting import FitContext
from pathoview.methods.networks.bag_dsmil import DsmilNetwork
from pathoview.methods.weak.dsmil import Dsmil
from pathoview.methods.weak.dsmil_params import DsmilFitParams, DsmilParams


def test_tiles_are_judged_by_where_the_mean_points_before_anything_is_learned() -> None:
    data, context = bag_data(40), FitContext(SilentProgress())
    params = DsmilFitParams(n_steps=1, batch=2, width=8, lr=1e-6)
    fitted = Dsmil(DsmilParams()).fit(data, params, context)
    one = DsmilNetwork(8, 2, width=8)
    one.load_state_dict({name: torch.from_numpy(array) for name, array in fitted.tensors.items()})
    towards = bag_baselines.towards(data, context) / one.scale
    torch.testing.assert_close(one.judge.weight, towards / towards.norm(), atol=1e-4, rtol=0)
