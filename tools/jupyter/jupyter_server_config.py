"""JupyterLab takes the style sheet and the extension beside this file. JUPYTER_CONFIG_PATH leads here."""

from pathlib import Path

HERE = Path(__file__).parent

c = get_config()  # noqa: F821  Jupyter gives this name to the file
c.LabApp.custom_css = True
c.ServerApp.tornado_settings = {"static_custom_path": [str(HERE / "custom")]}
c.LabApp.extra_labextensions_path = [str(HERE / "labextensions")]
