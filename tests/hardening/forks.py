"""A process that has loaded TensorFlow but never used it, and runs command lines in its children.

So a run costs no loading, and can be killed, starved of disk or memory, or stripped of its rights
without harm to the tests. Reads orders and writes answers, a JSON array a line each: the command
lines of one order run at the same time.
"""

import ctypes
import fcntl
import json
import os
import resource
import signal
import sys
import time
import traceback

# What is compiled here is run for a moment only.
os.environ["XLA_FLAGS"] = (
    "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
)

PATIENCE = 120  # seconds that a run may take
PIPE = 2**20  # bytes that a run may print
SET_PIPE_SIZE, CAPABILITIES = 1031, 0x20080522  # numbers of Linux


def without_rights():
    """Give up what root may do beyond others: what is not writable or readable stays so."""
    header, data = (ctypes.c_uint32 * 2)(CAPABILITIES, 0), (ctypes.c_uint32 * 6)()
    if ctypes.CDLL(None, use_errno=True).capset(header, data):
        raise OSError(ctypes.get_errno(), "capset")


def run(order, out, err):
    """Be `tfcourse` with an order's arguments; never returns."""
    status = 70
    try:
        os.dup2(out, 1)
        os.dup2(err, 2)
        os.chdir(order["folder"])
        if "file_size" in order:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (order["file_size"],) * 2)
        if order.get("without_rights"):
            without_rights()
        sys.argv = ["tfcourse", *order["arguments"]]
        from tfcourse.cli import main

        signal.signal(signal.SIGINT, signal.default_int_handler)
        main()
    except SystemExit as end:
        status = end.code or 0
    except KeyboardInterrupt:  # before there was anything to interrupt
        status = 130
    except BaseException:
        traceback.print_exc()
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(status)


class Child:
    def __init__(self, order):
        self.begun, self.killed = time.monotonic(), not order.get("signal")
        self.signal, self.after = order.get("signal"), order.get("after", 0)
        pipes = [os.pipe(), os.pipe()]
        for _, end in pipes:
            fcntl.fcntl(end, SET_PIPE_SIZE, PIPE)
        self.process = os.fork()
        if not self.process:
            run(order, pipes[0][1], pipes[1][1])
        for _, end in pipes:
            os.close(end)
        self.streams, self.answer = [pipe[0] for pipe in pipes], None

    def look(self):
        """Kill it if it is time to; return whether it has ended."""
        age = time.monotonic() - self.begun
        process, status, used = os.wait4(self.process, os.WNOHANG)
        if process:
            printed = [os.fdopen(stream, "rb").read().decode() for stream in self.streams]
            self.answer = {
                "status": os.waitstatus_to_exitcode(status),
                "out": printed[0],
                "err": printed[1],
                "seconds": age,
                "memory": used.ru_maxrss * 1024,
            }
        elif not self.killed and age >= self.after:
            os.kill(self.process, self.signal)
            self.killed = True
        elif age > PATIENCE:
            os.kill(self.process, signal.SIGKILL)
        return bool(process)


def serve():
    import matplotlib.backends.backend_agg
    import matplotlib.backends.backend_svg
    import matplotlib.pyplot  # noqa: F401

    import tfcourse.cli
    import tfcourse.lecture.gallery
    import tfcourse.saving
    import tfcourse.training.fitting
    import tfcourse.tuning.panda

    tfcourse.lecture.gallery.find()
    print("ready", flush=True)
    for line in sys.stdin:
        children = [Child(order) for order in json.loads(line)]
        running = children
        while running := [child for child in running if not child.look()]:
            time.sleep(0.001)
        print(json.dumps([child.answer for child in children]), flush=True)


if __name__ == "__main__":
    serve()
