"""The one error that the labs raise."""


class LabError(Exception):
    """A lab could not do what was asked: what happened, where, and how to mend it."""

    def __init__(self, what: str, where: str, cure: str) -> None:
        super().__init__(what, where, cure)
        self.what = what
        self.where = where
        self.cure = cure

    def __str__(self) -> str:
        return f"At {self.where}: {self.what}; {self.cure}"
