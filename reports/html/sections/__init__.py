"""The sections of a report, a module and a template each."""
