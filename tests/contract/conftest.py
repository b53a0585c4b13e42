"""Every contract test runs on each engine through the fixture ``stores``."""
