"""Routes and pages of transcripts."""
