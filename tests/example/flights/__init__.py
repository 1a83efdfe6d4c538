"""The example project, and its one app: departures from New York."""
