"""One event loop, on a thread that starts at init, for async views and async middleware of every request.

asgiref would otherwise start a thread and a loop for each call.  Synchronous code that they call,
the ORM foremost, comes back to the main thread and so to its one database connection.
"""

import asyncio
import logging
import os
import threading
from functools import cache

from asgiref.sync import SyncToAsync

logger = logging.getLogger(__name__)

GRACE_SECONDS = 1.0
"""How long what was cancelled may take to clean up."""


class EventLoopThread:
    def __init__(self) -> None:
        self._start()

    def adopt(self) -> None:
        """Make `async_to_sync`, called from this thread, run coroutines here."""
        # Again for each request: other code may have run its own loop on this thread.
        SyncToAsync.threadlocal.main_event_loop = self.loop
        SyncToAsync.threadlocal.main_event_loop_pid = self._pid
        SyncToAsync.threadlocal.task_context = None

    def abandon(self) -> None:
        """Cancel what runs, and start afresh if it does not end."""
        try:
            asyncio.run_coroutine_threadsafe(_cancel_all(), self.loop).result(timeout=GRACE_SECONDS)
        except TimeoutError:
            logger.error("async code did not end %s s after it was cancelled; it is left behind", GRACE_SECONDS)
            self._start()

    def _start(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._pid = os.getpid()
        threading.Thread(target=self.loop.run_forever, name="async views", daemon=True).start()


@cache
def event_loop() -> EventLoopThread:
    """Return the one loop of this execution environment."""
    return EventLoopThread()


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
