//! A UDP proxy that delays, drops, cuts and retargets what passes through it.
