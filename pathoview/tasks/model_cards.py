"""The card of a model that was trained: what all methods have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pathoview.core.params import BaseParams
from pathoview.core.translation import _
from pathoview.methods.fitting import Fitted
from pathoview.methods.model import Model, ModelCard, Parent
from pathoview.methods.spec import MethodSpec
from pathoview.study.records import now
from pathoview.tasks.provenance import versions

if TYPE_CHECKING:
    from pathoview.tasks.train import TrainRequest


def new_card(
    order: TrainRequest,
    spec: MethodSpec,
    params: BaseParams,
    fitted: Fitted,
    start: Model | None,
    **of_data: Any,
) -> ModelCard:
    """Return the card of what was learned; ``of_data``: members that the data or the course tell.

    They go before what is said here.
    """
    parents = fitted.parents or _parents(start)
    said: dict[str, Any] = {
        "title": order.title or _title(spec, order.round),
        "method": spec.name,
        "method_version": spec.version,
        "kind": spec.kind.value,
        "stains": spec.stains,
        "settings": dict(fitted.settings),
        "fit_params": params.model_dump(mode="json"),
        "data_licence": order.licence,
        "parents": parents,
        "licence": _licence(order.licence, parents),
        "metrics": dict(fitted.metrics),
        "curves": tuple(dict(point) for point in fitted.curves),
        "seed": order.seed,
        "numerics": fitted.numerics,
        "versions": versions(with_torch=spec.uses_torch),
        "created": now(),
        "round": order.round,
    }
    return ModelCard(**(said | of_data))


def _title(spec: MethodSpec, number: int) -> str:
    if number:
        return _("{title}, round {number}").format(title=spec.title, number=number)
    return spec.title


def _parents(start: Model | None) -> tuple[Parent, ...]:
    if start is None:
        return ()
    card = start.card
    return (*card.parents, Parent(name=card.title, licence=card.licence, id=card.id))


def _licence(data: str, parents: Sequence[Parent]) -> str:
    """Return what binds the weights: the licences of the data and of the weights before."""
    said = [data or _("labels of the user"), *(one.licence for one in parents if one.licence)]
    return "; ".join(dict.fromkeys(said))
