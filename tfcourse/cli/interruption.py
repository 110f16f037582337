"""Ctrl-C that tears nothing apart.

Python raises KeyboardInterrupt wherever it is. The C++ of TensorFlow and its like does not bear
that: it loses the exception, prints a traceback for it, makes another error of it, or crashes. So
it is raised only while no library's code is being run: at once, a moment later, or where
`stop_if_asked` comes by. Pressed a second time, Ctrl-C is raised wherever the run is.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

# Whose code may be left anywhere: ours, that of the command line's libraries, Ray's, which looks
# for signals while it waits, and Python's; but for importing, which runs others' code, and for the
# ends of objects' lives, which drop exceptions.
SAFE = sys.stdlib_module_names - {"importlib", "weakref"} | {"tfcourse", "typer", "rich", "ray"}
MOMENT = 0.02  # seconds until the next look


class _Press:
    """Whether Ctrl-C was pressed, and is still to be raised."""

    def __init__(self, outermost: FrameType) -> None:
        self.pressed = self.waiting = self.over = False
        self._outermost = outermost
        self._looking = False  # again, by itself: nobody pressed
        self._look = threading.Timer(0, self._again)

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Raise KeyboardInterrupt in `frame`, or look again in a moment."""
        looking, self._looking = self._looking, False
        if self.over or (looking and not self.waiting):
            return
        second = self.pressed and not looking
        self.pressed = self.waiting = True
        if second or self._is_safe(frame):
            self.stop()
        self._look = threading.Timer(MOMENT, self._again)
        self._look.start()

    def stop(self) -> None:
        """Raise what waits to be raised."""
        if self.waiting and not self.over:
            self.waiting = False
            raise KeyboardInterrupt

    def end(self) -> None:
        """Raise nothing any more."""
        self.over = True
        self._look.cancel()
        if self._look.is_alive():
            self._look.join()

    def _again(self) -> None:
        self._looking = True
        _press_again()

    def _is_safe(self, frame: FrameType | None) -> bool:
        """Whether all that is being run within `outermost` may be left."""
        while frame is not None and frame is not self._outermost:
            if str(frame.f_globals.get("__name__")).partition(".")[0] not in SAFE:
                return False
            frame = frame.f_back
        return True


def _press_again() -> None:
    """Send this process SIGINT from whatever thread, and wake the main one if it sleeps."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    else:  # Windows, where os.kill(pid, SIGINT) would end the process
        signal.raise_signal(signal.SIGINT)


_press: _Press | None = None


@contextmanager
def heeded() -> Iterator[Callable[[], bool]]:
    """Heed Ctrl-C in this way; gives what tells whether it was pressed."""
    global _press
    press = _press = _Press(sys._getframe(2))  # of whoever entered this context
    usual = signal.getsignal(signal.SIGINT)
    if usual is signal.default_int_handler:  # else ignored, as in the background of a script
        signal.signal(signal.SIGINT, press.handle)
    try:
        yield lambda: press.pressed
    finally:
        press.end()
        signal.signal(signal.SIGINT, usual)


def stop_if_asked() -> None:
    """Raise KeyboardInterrupt if Ctrl-C was pressed, and it was not raised yet."""
    if _press is not None:
        _press.stop()
