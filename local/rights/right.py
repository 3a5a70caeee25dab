"""One thing that IAM must allow."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Right:
    action: str
    """As a policy names it, such as `s3:PutObject`."""
    resource: str
    keys: dict[str, str] = field(default_factory=dict)
    """The condition keys that the request brings along."""

    def __str__(self) -> str:
        return f"{self.action} on {self.resource}"
