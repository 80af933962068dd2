"""Run notebooks from a clean kernel and store what they show: `python3 lab.py refresh [files]`.

Nothing that differs between two runs or two machines is stored: no times, no versions.
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

sys.path.insert(0, str(Path(__file__).parent))
from notebooks_as_data import INSTALL_FRAMEWORKS, NOTEBOOKS, ROOT, absent_frameworks, notebook_paths, read

from mathlib.figures import way_back

METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
README_PICTURE = ROOT / ".github" / "way_back.png"


def refresh(path):
    """Execute one notebook and write it back with outputs and execution counts 1 … n."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None
    NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,  # where a print falls between two messages is chance
        resources={"metadata": {"path": str(NOTEBOOKS)}},
    ).execute()
    notebook.metadata = METADATA
    nbformat.write(notebook, path)


def main(names):
    for path in [Path(name) for name in names] or notebook_paths():
        absent = absent_frameworks(read(path))
        if absent:
            print(f"{path} is left as it is: {', '.join(absent)} not installed. {INSTALL_FRAMEWORKS}", flush=True)
            continue
        print(path, flush=True)
        refresh(path)
    if not names:
        README_PICTURE.write_bytes(way_back().png())


if __name__ == "__main__":
    main(sys.argv[1:])
