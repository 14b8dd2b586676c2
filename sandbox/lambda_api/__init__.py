"""The sandbox's Lambda API: functions, versions, aliases and invocations, with state in process."""
