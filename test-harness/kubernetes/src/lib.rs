//! Real Kubernetes control planes for tests: builds the programs, starts and stops clusters.
