//! The embedded Kubernetes API as a tower service and on a TLS port, with controllers that stand in for the real ones.
