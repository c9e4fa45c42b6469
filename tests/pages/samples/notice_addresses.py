"""Additional e-mails of a notice."""

from typing import Any

from tests.pages.samples import Sample, Values


def new(company: Any) -> Values:
    return {"event": "traffic", "emails": "noc@example.com, night@example.com"}


SAMPLE = Sample(new=new, change={"emails": "noc@example.com"}, changed="emails")
