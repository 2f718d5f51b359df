"""What an operator sees of a running installation: metrics for Prometheus, and traces for OpenTelemetry."""
