"""What the bell in a site's head tells: each notice stands for as long as it is so, and leads to where it is mended."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Notice:
    text: str
    url: str
