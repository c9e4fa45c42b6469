"""What can go wrong with the embedded server. Every message says what to do; nothing here is retried by itself."""


class EmbeddedFault(Exception):
    """The embedded PostgreSQL cannot be used as asked. The text is for the person at the terminal."""


class AlreadyRunning(EmbeddedFault):
    """Another live process keeps a server on the same files."""


class CannotStart(EmbeddedFault):
    """The server, or the making of its files, failed; the text ends with what PostgreSQL itself said."""
