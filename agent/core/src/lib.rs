//! The decisions of the agent, pure: plan, order, inventory, tracking labels, health and pace.
