"""Runs command lines one after the other in a process with 2 GiB of memory, without TensorFlow.

Reads a JSON array of command lines; writes, for each, status, output and seconds.
"""

import contextlib
import io
import json
import resource
import sys
import time

from tfcourse.cli import main

MEMORY = 2**31


def run(arguments):
    out, err = io.StringIO(), io.StringIO()
    sys.argv, status = ["tfcourse", *arguments], 70
    begin = time.perf_counter()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            status = end.code or 0
        except BaseException as error:
            print("Traceback:", repr(error), file=err)
    seconds = time.perf_counter() - begin
    return {"status": status, "out": out.getvalue(), "err": err.getvalue(), "seconds": seconds}


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    answers = [run(arguments) for arguments in json.load(sys.stdin)]
    json.dump([*answers, {"tensorflow": "tensorflow" in sys.modules}], sys.stdout)
