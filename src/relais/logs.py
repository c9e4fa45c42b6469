"""How a process writes its log: structured lines on stderr.

One event, one line, named `noun.past_verb`, with ids; never a message's text or a secret. This module decides how
lines are written, not what is logged. It is apart from `observability.py` to stay light: the supervisor has no port.
"""

import logging
import sys

import structlog

# Without the values of local variables: there are secrets and texts among them.
_TRACEBACKS = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))


def configure_logging(process: str, level: str, format_: str) -> None:
    """Sets up structlog, and the standard library's logging through it, for this process; lines go to stderr.

    `process` stands in every line. `format_`: json, console, or auto (console at a terminal, else json).
    """
    console = format_ == "console" or (format_ == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _naming(process),
    ]
    last: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
        if console
        else [_TRACEBACKS, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Libraries speak of their own affairs: from them, only what is at least a warning.
    root.setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level.upper()]))


def _naming(process: str) -> structlog.typing.Processor:
    def name(
        logger: structlog.typing.WrappedLogger, method: str, event: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        event["process"] = process
        return event

    return name
