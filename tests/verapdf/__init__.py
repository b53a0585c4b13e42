"""veraPDF, the judge of PDF/A and PDF/UA, for tests."""
