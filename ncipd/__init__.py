"""ncipd: a library's NCIP endpoint."""

__version__ = "0.1.0"
