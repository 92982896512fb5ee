"""Whether the labels asked for can occur at all, told before hours of work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from difflib import get_close_matches

from pqcomq.cohort.cases.case import Case
from pqcomq.errors import InputError
from pqcomq.masks.read_masks import names_in
from pqcomq.samples.phantom_anatomy import NAMES
from pqcomq.volumes.labels.label_maps import numbers_in

_MOST_LISTED = 12
_MOST_READ = 64
"""Label files whose voxels are looked through for a number: of a thousand cases it takes minutes, in every shard."""


def check_asked(cases: Sequence[Case]) -> None:
    """See that some case may have each label asked for.

    Names come from the data set's own description, the manifest, or the headers of label files that name their objects,
    which are looked into only as long as no case is found. A number that nothing names is looked for in the voxels of
    label files, one after the other, until it is found; of more than 64 it may be in one that was not looked through.

    Args:
        cases: with the labels asked for, which are the same for all.

    Raises:
        InputError: no case can have one of them.
    """
    asked = cases[0].asked if cases else ()
    missing = [label for label in asked if not any(_may_have(case, label) for case in cases)]
    numbers = _occurring(cases, {_number(each) for each in missing if _number(each).isdecimal()})
    for label in missing:
        if _number(label) in numbers:
            continue
        told = {pair for case in cases for pair in _named(case)[0].items()}
        names = {name for _, name in told if name}
        if _number(label).isdecimal():
            names |= {f"label {each}" for each in numbers - {str(number) for number, _ in told}}
        elif not names:
            raise InputError(f"No label has a name, so that '{label}' cannot be found; ask for labels by number.")
        # The likeliest meant first: a whole body has a hundred labels.
        likely = {name.casefold(): name for name in sorted(names)}
        closest = get_close_matches(label.casefold(), likely, n=_MOST_LISTED, cutoff=0)
        more = f", and {len(likely) - len(closest)} more" if len(likely) > len(closest) else ""
        listed = ", ".join(likely[each] for each in closest) or "none"
        raise InputError(f"No case has a label '{label}'; there are {listed}{more}.")


def _occurring(cases: Sequence[Case], wanted: Set[str]) -> Set[str]:
    """Numbers in the voxels of label files that do not tell theirs, until all that are wanted were seen.

    Where a file was not or cannot be read, those wanted too: it may have them, and why not is told case by case.
    """
    found: set[str] = set()
    open_cases = [case for case in cases if case.labels is not None and not _named(case)[1]] if wanted else []
    unread = len(open_cases) > _MOST_READ
    for case in open_cases[:_MOST_READ]:
        if wanted <= found:
            break
        assert case.labels is not None  # noqa: S101 (chosen so)
        try:
            found |= {str(number) for number in numbers_in(case.labels)}
        except InputError:
            unread = True
    return found | wanted if unread else found


def _may_have(case: Case, label: str) -> bool:
    """Whether a label may occur in a case as far as names tell; a file whose header cannot be read may hold any."""
    try:
        names, _all_known = _named(case)
    except InputError:
        return True
    return label not in case.lacking(names)


def _number(label: str) -> str:
    """Without what tables call a label that has no name."""
    return label.casefold().removeprefix("label ")


def _named(case: Case) -> tuple[Mapping[int, str], bool]:
    """Numbers and names of the labels that a case may have, and whether there can be no others."""
    if case.synthetic_seed is not None:
        return NAMES, True
    inside = None if case.labels is None else names_in(case.labels)
    names = {**(inside or {}), **case.label_names}
    if case.only is not None:
        return {number: names.get(number, "") for number in case.only}, True
    return names, inside is not None
