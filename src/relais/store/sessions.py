"""Opens sessions of the data plane on PostgreSQL, each with the planner settings that suit it."""

import asyncpg

_COMMON = {"application_name": "relais", "jit": "off", "timezone": "UTC"}
# The writer joins small arrays to indexes of partitioned tables: a generic plan of nested loops is right, always.
_WRITER = _COMMON | {"plan_cache_mode": "force_generic_plan", "enable_hashjoin": "off", "enable_mergejoin": "off"}
# A server on another machine must notice within seconds that a writer is gone: the next one waits for it.
_KEEPALIVE = {"tcp_keepalives_idle": "5", "tcp_keepalives_interval": "2", "tcp_keepalives_count": "3"}

CONNECTION_LOST = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the driver's own state after a session broke in the middle of a COPY
    asyncpg.CannotConnectNowError,
)
"""What a lost or refused session raises on this side."""
SESSION_ENDED = (asyncpg.AdminShutdownError, asyncpg.CrashShutdownError, asyncpg.IdleInTransactionSessionTimeoutError)
"""What the server says when it ends a session."""


async def open_session(dsn: str, *, writer: bool = False, timeout_s: float = 10.0) -> asyncpg.Connection:
    """One session; raises one of `CONNECTION_LOST`, or TimeoutError, when the server does not take it."""
    session: asyncpg.Connection = await asyncpg.connect(
        dsn, timeout=timeout_s, server_settings=_WRITER | _KEEPALIVE if writer else _COMMON
    )
    return session


async def open_pool(dsn: str, *, sessions_max: int = 4) -> asyncpg.Pool:
    """Sessions for reading, opened when first needed."""
    pool: asyncpg.Pool = await asyncpg.create_pool(
        dsn, min_size=0, max_size=sessions_max, server_settings=_COMMON | {"enable_hashjoin": "off"}, timeout=10.0
    )
    return pool
