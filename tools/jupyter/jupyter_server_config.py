"""JupyterLab takes the style sheet beside this file. JUPYTER_CONFIG_PATH leads here."""

from pathlib import Path

c = get_config()  # noqa: F821  Jupyter gives this name to the file
c.LabApp.custom_css = True
c.ServerApp.tornado_settings = {"static_custom_path": [str(Path(__file__).with_name("custom"))]}
