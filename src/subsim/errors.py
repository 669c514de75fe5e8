"""The error tree: what a person gets instead of a traceback.

Input errors say where, what was found, what is allowed and what to do; the command line turns them into exit code 2.
"""

from collections.abc import Iterable


class SubsimError(Exception):
    """Root of every error this package raises on purpose."""

    def to_dict(self) -> dict[str, object]:
        """Return the error as one JSON-ready object: its kind and message."""
        return {"error": type(self).__name__, "message": str(self)}


class InputError(SubsimError):
    """One thing wrong with what the user gave.

    Args:
        where: file and line, option or field, for example `scenarios/a.yaml:12 horizon`.
        found: the value as it was read.
        allowed: the values that are accepted, with their unit.
        do: the next step, when it is not plain from `allowed`.

    Example:
        >>> print(InputError(where="a.yaml:3 seats", found="-1", allowed="0 or more people"))
        a.yaml:3 seats: found -1; allowed: 0 or more people
    """

    def __init__(self, *, where: str, found: str, allowed: str, do: str = "") -> None:
        super().__init__(where, found, allowed, do)
        self.where = where
        self.found = found
        self.allowed = allowed
        self.do = do

    def __str__(self) -> str:
        parts = [f"found {self.found}", f"allowed: {self.allowed}"]
        if self.do:
            parts.append(self.do)
        return f"{self.where}: " + "; ".join(parts)

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions pickle through positional arguments; workers in other processes must be able to send this one back.
        return _input_error, (self.where, self.found, self.allowed, self.do)

    def to_dict(self) -> dict[str, object]:
        """Return kind, message and the four fields as one JSON-ready object."""
        fields = {"where": self.where, "found": self.found, "allowed": self.allowed, "do": self.do}
        return super().to_dict() | fields


def _input_error(where: str, found: str, allowed: str, do: str) -> InputError:
    return InputError(where=where, found=found, allowed=allowed, do=do)


class InputErrors(SubsimError):
    """Several input errors, found in one pass so that the user can mend them all at once.

    Args:
        errors: at least one, in the order the user will meet them.

    Raises:
        ValueError: if there is no error to report.
    """

    def __init__(self, errors: Iterable[InputError]) -> None:
        self.errors = list(errors)
        if not self.errors:
            raise ValueError("InputErrors needs at least one InputError")
        super().__init__(self.errors)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)

    def to_dict(self) -> dict[str, object]:
        """Return kind, message and the list `errors` as one JSON-ready object."""
        return super().to_dict() | {"errors": [error.to_dict() for error in self.errors]}


class EngineError(SubsimError):
    """A run stopped with an internal status, such as a full event queue: a fault of ours, not of the input."""
