//! The hub: watches, controllers, the gateway for agents, and REST.
