//! The definitions on a real API server: it takes them, and does with objects what the hub relies on.

mod examples;

mod api_server {
    mod admission;
    mod credentials;
    mod definitions;
    mod fixture;
    mod kinds;
    mod objects;
}
