"""A notebook: builders of definitions as forms in JupyterLab, their state apart from their view."""
