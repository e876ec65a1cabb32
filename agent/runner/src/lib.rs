//! The agent: its link to the hub, its cluster, and the store in between.
