//! The OpenAPI document: made from the handlers, served, and checked in as `docs/openapi.json`.

use axum::response::Response;
use http::StatusCode;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::envelope::json;
use super::{bundles, confirmations, events, explanations, orphans, planes, probes, restored, tokens};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Outhaul",
        description = "The fleet: planes, what is meant for each, how far it is and what holds it.",
    ),
    paths(
        probes::health,
        probes::ready,
        document,
        planes::list,
        planes::one,
        planes::forget,
        planes::confirm,
        orphans::list,
        orphans::decide,
        bundles::list,
        bundles::one,
        explanations::of_plane,
        explanations::of_bundle,
        confirmations::create,
        tokens::create,
        restored::raise,
        events::stream,
    ),
    modifiers(&BearerToken),
)]
struct Document;

struct BearerToken;

impl Modify for BearerToken {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A token of the control plane's API server."))
            .build();
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// The interface of the hub as an OpenAPI document.
pub fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// This document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "getOpenApi",
    tag = "probes",
    responses((status = 200, description = "The OpenAPI document.", content_type = "application/json")),
)]
pub(super) async fn document() -> Response {
    json(StatusCode::OK, &openapi())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::rest::access::Needs;
    use crate::rest::routes::routes;

    const CHECKED_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");

    #[test]
    fn the_checked_in_copy_is_true() {
        let copy = std::fs::read_to_string(CHECKED_IN).unwrap_or_default();
        let made = openapi().to_pretty_json().unwrap();
        assert!(
            copy.trim_end() == made,
            "docs/openapi.json is not what the hub serves; renew it with\n  \
             cargo run -p outhaul-hub-server -- openapi > docs/openapi.json"
        );
    }

    #[test]
    fn every_operation_has_a_name_of_its_own() {
        let document = serde_json::to_value(openapi()).unwrap();
        let items = document["paths"].as_object().unwrap().values();
        let operations = items.flat_map(|item| item.as_object().unwrap().values());
        let names: Vec<_> = operations
            .map(|operation| operation["operationId"].as_str().unwrap())
            .collect();
        let distinct: BTreeSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len(), "{names:?}");
    }

    #[test]
    fn the_document_has_every_route_and_says_which_need_a_token() {
        let document = serde_json::to_value(openapi()).unwrap();
        let mut documented = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let secured = operation.get("security").is_some();
                documented.insert((method.to_uppercase(), path.clone(), secured));
            }
        }
        let routed = routes().into_iter().map(|route| {
            let secured = route.needs != Needs::Nothing;
            (route.method.to_string(), route.path.to_owned(), secured)
        });
        assert_eq!(documented, routed.collect());
    }
}
