"""The version of the installed toolkit, read only when somebody asks for it."""


def toolkit_version() -> str:
    """The installed version, such as ``0.1.0``.

    Imported late because ``importlib.metadata`` costs a `--help` half of its time.
    """
    from importlib.metadata import version

    return version("lambda-perf-toolkit")
