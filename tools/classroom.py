"""What a class costs: Run All in as many kernels at once as are asked for, with the memory and processor time of each.

    python3 lab.py run tools/classroom.py                 each chapter alone, whose packages are installed
    python3 lab.py run tools/classroom.py 10 05 08        ten kernels at once, on chapters 05 and 08 in turn

Memory is the kernel's largest resident set, as Linux counts it; of a running kernel also its share (PSS), which
counts what kernels have in common once. Processor time does not depend on who else is at work; waiting does.
"""

import asyncio
import os
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from notebooks_as_data import NOTEBOOKS, absent_frameworks, read

CHAPTERS = [path for path in sorted(NOTEBOOKS.glob("*.ipynb")) if not absent_frameworks(read(path))]


def size(pid, name, file="status"):
    """A number of kilobytes from /proc, as MB."""
    for line in Path(f"/proc/{pid}/{file}").read_text(encoding="ascii").splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"/proc/{pid}/{file} has no line {name}")


def processor_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def run_all(path):
    """Run one notebook in a kernel of its own; return its name, MB at most, MB of its share, processor and clock."""
    client = NotebookClient(
        nbformat.read(path, as_version=4), timeout=None, resources={"metadata": {"path": path.parent}}
    )
    begun = time.monotonic()
    async with client.async_setup_kernel():
        for number, cell in enumerate(client.nb.cells):
            await client.async_execute_cell(cell, number)
        pid = client.km.provisioner.pid
        row = size(pid, "VmHWM"), size(pid, "Pss", "smaps_rollup"), processor_seconds(pid), time.monotonic() - begun
    return path.stem, *row


def show(name, most, share, processor, clock):
    print(f"{name:<40}{most:>12.0f}{share:>10.0f}{processor:>13.1f}{clock:>9.1f}", flush=True)


async def main(words):
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))
    print(f"{'notebook':<40}{'MB at most':>12}{'MB share':>10}{'processor s':>13}{'clock s':>9}")
    if not words:
        for path in CHAPTERS:
            show(*await run_all(path))
        return
    number, names = int(words[0]), words[1:] or ["05"]
    paths = [path for name in names for path in CHAPTERS if path.name.startswith(name)]
    if not paths:
        sys.exit(f"classroom: no chapter begins with {' or '.join(names)}; expected numbers such as 05.")
    begun = time.monotonic()
    rows = await asyncio.gather(*(run_all(paths[i % len(paths)]) for i in range(number)))
    for row in sorted(rows):
        show(*row)
    total = time.monotonic() - begun
    print(f"{number} kernels at once: {sum(row[2] for row in rows):.0f} MB, {total:.0f} s until the last was done")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
