"""Whether the labels asked for can occur at all, told before hours of work as far as names are known without voxels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from pqcomq.cohort.cases.case import Case
from pqcomq.errors import InputError
from pqcomq.masks.read_masks import names_in
from pqcomq.samples.phantom_anatomy import NAMES

_MOST_LISTED = 12


def check_asked(cases: Sequence[Case]) -> None:
    """See that some case may have each label asked for.

    Names come from the data set's own description, the manifest, or the headers of label files that name their objects,
    which are looked into only as long as no case is found. Where nothing numbers a case's labels, any number may occur.

    Args:
        cases: with the labels asked for, which are the same for all.

    Raises:
        InputError: no case can have one of them.
    """
    for label in cases[0].asked if cases else ():
        if any(_may_have(case, label) for case in cases):
            continue
        names = {name for case in cases for name in _named(case)[0].values() if name}
        if not names:
            raise InputError(f"No label has a name, so that '{label}' cannot be found; ask for labels by number.")
        # The likeliest meant first: a whole body has a hundred labels.
        likely = {name.casefold(): name for name in sorted(names)}
        closest = get_close_matches(label.casefold(), likely, n=_MOST_LISTED, cutoff=0)
        more = f", and {len(likely) - len(closest)} more" if len(likely) > len(closest) else ""
        raise InputError(
            f"No case has a label '{label}'; there are {', '.join(likely[each] for each in closest)}{more}."
        )


def _may_have(case: Case, label: str) -> bool:
    """Whether a label may occur in a case; a file whose header cannot be read may hold any."""
    try:
        names, all_known = _named(case)
    except InputError:
        return True
    number = label.casefold().removeprefix("label ")  # as tables call what has no name
    return label not in case.lacking(names) or (number.isdecimal() and not all_known)


def _named(case: Case) -> tuple[Mapping[int, str], bool]:
    """Numbers and names of the labels that a case may have, and whether there can be no others."""
    if case.synthetic_seed is not None:
        return NAMES, True
    inside = None if case.labels is None else names_in(case.labels)
    names = {**(inside or {}), **case.label_names}
    if case.only is not None:
        return {number: names.get(number, "") for number in case.only}, True
    return names, inside is not None
