"""The Logs Insights query language: from its text to rows, over the events of a log store."""
