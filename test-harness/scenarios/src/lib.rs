//! Hub and agents, whole, over real sockets: what operators will see.
