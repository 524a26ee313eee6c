"""The pipeline in the security account: bus, lanes, functions, state machine, table, API, alarms."""
