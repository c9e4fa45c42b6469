"""A browser of Django's tests that minds, at every answer of every test, what a browser must be told.

Only to be imported once Django is set up.
"""

from typing import Any

from django.test import Client

SAID_ALWAYS = {"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
INLINE = (b"<script>", b" style=", b" onclick=")


def mind(answer: Any, asked: str) -> None:
    """The answer says what a browser may do with it, and has nothing inline that the policy would stop."""
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy, asked
    assert {name: answer.headers[name] for name in SAID_ALWAYS} == SAID_ALWAYS, asked
    assert "no-store" in answer.headers["Cache-Control"], asked
    assert "camera=()" in answer.headers["Permissions-Policy"], asked
    body = b"" if answer.streaming else answer.content
    assert not [each for each in INLINE if each in body], asked


class MindingClient(Client):
    def request(self, **request: Any) -> Any:
        answer = super().request(**request)
        mind(answer, f"{request.get('REQUEST_METHOD')} {request.get('PATH_INFO')}: {answer.status_code}")
        return answer
