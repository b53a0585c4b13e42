"""The demo city, loaded through the doors that everybody uses, and taken away again.

``load_demo`` speaks to the application in this process, as a client would: keys, posts, forms
and sign-in links. What a person would do at a command line (import a roster, a framework)
goes through the same service as the command.
"""

from lrs.demo.client import DemoError
from lrs.demo.links import show_links
from lrs.demo.loading import load_demo
from lrs.demo.removing import remove_demo

__all__ = ["DemoError", "load_demo", "remove_demo", "show_links"]
