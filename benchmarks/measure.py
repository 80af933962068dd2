"""Time in interleaved rounds, the peak of memory, and the exponent of a cost.

Time is processor time: what the process and all its threads spent computing. On one core of a quiet machine that
is the time on the wall; on a busy one it leaves out the waiting while others compute.
"""

import time
import tracemalloc

import numpy as np

TURN = 0.02  # seconds


def interleave(competitors, rounds):
    """Processor seconds a call, an array of `rounds` for each competitor; every one has its turn in each round."""
    calls = {}
    for name, compute in competitors.items():
        once, _ = timed(compute)
        if once < 1:
            once, _ = timed(compute)  # now that caches are warm
        calls[name] = max(1, round(TURN / once))
    seconds = {name: [] for name in competitors}
    for turn in range(rounds):
        names = list(competitors)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            start = time.process_time()
            for _ in range(calls[name]):
                competitors[name]()
            seconds[name].append((time.process_time() - start) / calls[name])
    return {name: np.array(values) for name, values in seconds.items()}


def timed(compute):
    """Processor seconds of one call, and what it returned."""
    start = time.process_time()
    answer = compute()
    return time.process_time() - start, answer


def peak_bytes(compute):
    """The most memory that NumPy's arrays took at once during the call, beyond what was there before; its answer."""
    tracemalloc.start()
    answer = compute()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak, answer


def exponent(x, y, last=3):
    """The slope of log y against log x over the last points, where the leading term shows."""
    return float(np.polyfit(np.log(x[-last:]), np.log(y[-last:]), 1)[0])
