//! The decisions of the hub, pure: planes, queues, terms, removals and the folding of status.
