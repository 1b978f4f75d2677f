"""The verbs ``annotate`` and ``tissue``: annotations of a study worked on without a window."""

from __future__ import annotations

from typing import Annotated

import typer

from pathoview.cli_options import AuthorOption, MppOption, SlideArgument, StudyOption
from pathoview.core.errors import UsageError
from pathoview.core.privacy import hide
from pathoview.core.translation import _, ngettext

ToOption = Annotated[
    str, typer.Option("--to", metavar="CLASS", help=_("The class they get; without it none."))
]


def annotate(
    what: Annotated[
        str,
        typer.Argument(
            metavar="WHAT",
            help=_(
                "expand, shrink, simplify, smooth (with --um or --px); merge, subtract, intersect,"
                " exclusive, split, fill-holes, convex-hull, duplicate, delete, set-class, lock,"
                " unlock, hide, show, uncertain, certain, disputed, agreed, fully-labelled,"
                " not-fully-labelled; full-image, tissue"
            ),
        ),
    ],
    slide: SlideArgument,
    study: StudyOption = None,
    classes: Annotated[
        list[str] | None,
        typer.Option(
            "--class",
            metavar="CLASS",
            help=_("Only annotations of this class (“” is no class); may be given again."),
        ),
    ] = None,
    ids: Annotated[
        list[str] | None,
        typer.Option("--id", metavar="ID", help=_("Only this annotation; may be given again.")),
    ] = None,
    um: Annotated[float | None, typer.Option("--um", metavar="MICRONS", help=_("How far"))] = None,
    px: Annotated[
        float | None, typer.Option("--px", metavar="PIXELS", help=_("How far, in slide pixels"))
    ] = None,
    to: ToOption = "",
    author: AuthorOption = "",
    mpp: MppOption = None,
) -> None:
    """Do something with annotations of a slide, as one step of its history."""
    from pathoview.annotations.operations import Distance
    from pathoview.tasks.annotate import AnnotateOrder
    from pathoview.tasks.annotate import annotate as task

    if um is not None and px is not None:
        raise UsageError(_("Give either --um or --px, not both."))
    if classes and ids:
        raise UsageError(_("Give either --class or --id, not both."))
    distance = None if um is None else Distance(um, "um")
    if px is not None:
        distance = Distance(px, "px")
    hide(slide)
    order = AnnotateOrder(what, classes or (), ids or (), distance, to, author)
    outcome = task(slide, order, study, mpp)
    _say(len(outcome.change.before), len(outcome.change.after))
    left = outcome.n_locked + outcome.n_refused
    if left:
        text = ngettext(
            "{n} annotation was left as it is: locked, or nothing would be left of it",
            "{n} annotations were left as they are: locked, or nothing would be left of them",
            left,
        )
        typer.echo(text.format(n=left), err=True)


def tissue(
    slide: SlideArgument,
    study: StudyOption = None,
    to: ToOption = "",
    author: AuthorOption = "",
    mpp: MppOption = None,
) -> None:
    """Make an annotation of all tissue; short for ``annotate tissue``."""
    annotate("tissue", slide, study, to=to, author=author, mpp=mpp)


def _say(n_before: int, n_after: int) -> None:
    if not n_before and not n_after:
        typer.echo(_("Nothing to change"))
    elif n_before == n_after:
        text = ngettext("{n} annotation changed", "{n} annotations changed", n_after)
        typer.echo(text.format(n=n_after))
    elif not n_before:
        typer.echo(
            ngettext("{n} annotation made", "{n} annotations made", n_after).format(n=n_after)
        )
    else:
        text = ngettext(
            "{before} annotation became {after}", "{before} annotations became {after}", n_before
        )
        typer.echo(text.format(before=n_before, after=n_after))
