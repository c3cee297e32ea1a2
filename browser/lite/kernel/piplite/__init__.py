"""Stands where JupyterLite expects its package installer: in this course nothing is installed.

All that the notebooks need is there from the start, and no request leaves the site.
"""

from piplite.piplite import install

__all__ = ["install"]
