"""The WSGI entry: settings to application. No logic."""

from config.settings import read_settings
from lrs.app import create_app

app = create_app(read_settings())
