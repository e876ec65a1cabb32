//! Every route of the hub, in one table: its path, what it needs, and who answers.

use axum::routing::{MethodRouter, get, post};
use http::Method;

use super::access::{Needs, Right, Scope};
use super::{
    Rest, bundles, confirmations, events, explanations, openapi, orphans, planes, probes, restored, tokens,
};

pub(super) struct Route {
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the handler knows it; tests walk the table")
    )]
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) needs: Needs,
    pub(super) handler: MethodRouter<Rest>,
}

const LIST: Right = right("list", None);
const GET: Right = right("get", None);
const WATCH: Right = right("watch", None);
const GET_BUNDLES: Right = right("get", Some("bundles"));
const WATCH_BUNDLES: Right = right("watch", Some("bundles"));
const CREATE_CONFIRMATIONS: Right = right("create", Some("confirmations"));
const CREATE_TOKENS: Right = right("create", Some("tokens"));
const GET_ORPHANS: Right = right("get", Some("orphans"));
const UPDATE_ORPHANS: Right = right("update", Some("orphans"));
const FORGET: Right = right("update", Some("forgotten"));
const UPDATE_EPOCH: Right = right("update", Some("epoch"));

pub(super) fn routes() -> Vec<Route> {
    vec![
        read("/health", Needs::Nothing, get(probes::health)),
        read("/ready", Needs::Nothing, get(probes::ready)),
        // Open: the shape of the interface is public, and clients are generated before they have a token.
        read("/openapi.json", Needs::Nothing, get(openapi::document)),
        read("/api/v1/planes", needs(&[LIST], Scope::Fleet), get(planes::list)),
        read(
            "/api/v1/planes/{plane}",
            needs(&[GET], Scope::Path),
            get(planes::one),
        ),
        read(
            "/api/v1/planes/{plane}/bundles",
            needs(&[GET_BUNDLES], Scope::Path),
            get(bundles::list),
        ),
        read(
            "/api/v1/planes/{plane}/bundles/{kind}/{namespace}/{name}",
            needs(&[GET_BUNDLES], Scope::Path),
            get(bundles::one),
        ),
        read(
            "/api/v1/planes/{plane}/explanations",
            needs(&[GET, GET_BUNDLES, GET_ORPHANS], Scope::Path),
            get(explanations::of_plane),
        ),
        read(
            "/api/v1/explanations/{kind}/{namespace}/{name}",
            needs(&[GET, GET_BUNDLES], Scope::Fleet),
            get(explanations::of_bundle),
        ),
        read(
            "/api/v1/planes/{plane}/orphans",
            needs(&[GET_ORPHANS], Scope::Path),
            get(orphans::list),
        ),
        change(
            "/api/v1/planes/{plane}/orphans/{kind}/{namespace}/{name}",
            needs(&[UPDATE_ORPHANS], Scope::Path),
            post(orphans::decide),
        ),
        change(
            "/api/v1/planes/{plane}/bundles/{kind}/{namespace}/{name}/confirmations",
            needs(&[CREATE_CONFIRMATIONS], Scope::Path),
            post(confirmations::create),
        ),
        change(
            "/api/v1/planes/{plane}/confirmations",
            needs(&[CREATE_CONFIRMATIONS], Scope::Path),
            post(planes::confirm),
        ),
        change(
            "/api/v1/planes/{plane}/tokens",
            needs(&[CREATE_TOKENS], Scope::Path),
            post(tokens::create),
        ),
        change(
            "/api/v1/planes/{plane}/forget",
            needs(&[FORGET], Scope::Path),
            post(planes::forget),
        ),
        change(
            "/api/v1/hub/restored",
            needs(&[UPDATE_EPOCH], Scope::Fleet),
            post(restored::raise),
        ),
        read(
            "/api/v1/events",
            needs(&[WATCH, WATCH_BUNDLES], Scope::Query),
            get(events::stream),
        ),
    ]
}

fn read(path: &'static str, needs: Needs, handler: MethodRouter<Rest>) -> Route {
    Route {
        method: Method::GET,
        path,
        needs,
        handler,
    }
}

fn change(path: &'static str, needs: Needs, handler: MethodRouter<Rest>) -> Route {
    Route {
        method: Method::POST,
        path,
        needs,
        handler,
    }
}

const fn needs(rights: &'static [Right], scope: Scope) -> Needs {
    Needs::Rights { rights, scope }
}

const fn right(verb: &'static str, subresource: Option<&'static str>) -> Right {
    Right { verb, subresource }
}
