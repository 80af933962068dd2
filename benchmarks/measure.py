"""Time in interleaved rounds, the peak of memory, and the exponent of a cost."""

import time
import tracemalloc

import numpy as np

TURN = 0.02  # seconds


def interleave(competitors, rounds):
    """Seconds a call of each competitor, an array of `rounds` for each name; every one has its turn in each round."""
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
            start = time.perf_counter()
            for _ in range(calls[name]):
                competitors[name]()
            seconds[name].append((time.perf_counter() - start) / calls[name])
    return {name: np.array(values) for name, values in seconds.items()}


def timed(compute):
    """Seconds of one call, and what it returned."""
    start = time.perf_counter()
    answer = compute()
    return time.perf_counter() - start, answer


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
