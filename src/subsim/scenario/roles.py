"""Names of work that the model gives a meaning; every other name is a touch of the calendar."""

from subsim.model.catalogue import parameter

#: Work that a playbook raises; a tier lists the ones it runs.
PLAYBOOKS = (
    "handoff",
    "renewal_prep",
    "save",
    "rescue",
    "sponsor_recovery",
    "expansion",
    "reactivation_outreach",
    "late_invoice",
    "ticket",
)
#: Work types with a meaning in the model, in the order in which a run numbers them.
ROLES = ("onboarding", *PLAYBOOKS)

#: What happens at a deadline; the position is the catalogue's code of `work.overload`.
OVERLOAD = ("wait", "expire", "squeeze", "overtime")


def known_touches() -> tuple[str, ...]:
    """Calendar touches whose hours are in the catalogue."""
    return tuple(name for name in parameter("work.hours").values if name not in ROLES)
