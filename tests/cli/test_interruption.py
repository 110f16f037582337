"""Ctrl-C stops a run where that tears nothing apart."""

import contextlib
import importlib
import signal
import time

import pytest


@pytest.fixture
def interrupted(tfcourse, monkeypatch):
    """Run a body as the command line would; its `library` function is a library's."""

    def run(body, library=None):
        space = {"__name__": "tensorflow.some", "signal": signal, "time": time}
        if library:
            exec(library, space)
        names = {"__name__": "tfcourse.cli.some", "library": space.get("library"), "seen": []}
        names |= {"signal": signal, "time": time, "contextlib": contextlib}
        names["stop_if_asked"] = importlib.import_module("tfcourse.cli.interruption").stop_if_asked
        exec(body, names)
        monkeypatch.setattr(importlib.import_module("tfcourse.cli.app"), "app", names["app"])
        done = tfcourse("quadratic")
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert (done.status, done.err) == (130, "interrupted\n")
        return names["seen"]

    return run


PRESS = "signal.raise_signal(signal.SIGINT)"
PATIENT = f"""
def library():
    {PRESS}
    time.sleep(0.1)  # several looks
    return "finished"
"""


def test_our_own_code_is_left_at_once(interrupted):
    seen = interrupted(f"""
def app(**how):
    {PRESS}
    seen.append("never")
""")
    assert seen == []


def test_a_library_s_code_is_finished_first(interrupted):
    seen = interrupted(
        """
def app(**how):
    seen.append(library())
    time.sleep(60)
""",
        PATIENT,
    )
    assert seen == ["finished"]


def test_on_windows_too(interrupted, monkeypatch):
    monkeypatch.delattr(signal, "pthread_kill")  # it has none,
    monkeypatch.setattr("os.kill", None)  # and this would end the process
    seen = interrupted(
        """
def app(**how):
    seen.append(library())
    for _ in range(600):
        time.sleep(0.1)
""",
        PATIENT,
    )
    assert seen == ["finished"]


def test_what_comes_by_where_it_may_stop_does(interrupted):
    seen = interrupted(
        """
def app(**how):
    seen.append(library())
    stop_if_asked()
    seen.append("never")
""",
        PATIENT.replace("time.sleep(0.1)", "pass"),
    )
    assert seen == ["finished"]


def test_pressed_twice_it_stops_wherever_it_is(interrupted):
    seen = interrupted(
        """
def app(**how):
    seen.append(library())
""",
        PATIENT.replace("return", f"{PRESS}\n    return"),
    )
    assert seen == []


def test_the_end_of_an_object_s_life_does_not_drop_it(interrupted):
    interrupted(
        """
def app(**how):
    library()
    time.sleep(60)
""",
        f"""
class Ending:
    def __del__(self):
        {PRESS}

def library():
    Ending()
""",
    )


@pytest.mark.parametrize("error", ["AssertionError", "TypeError('of (None,)')", "SystemExit(2)"])
def test_what_it_tears_apart_is_the_interruption(interrupted, error):
    interrupted(f"""
def app(**how):
    with contextlib.suppress(KeyboardInterrupt):  # as C++ does
        {PRESS}
    raise {error}
""")
