//! What a class says that changes nothing.

use outhaul_hub_resources::{APIClass, ApiPolicy, Mediation};

/// The fields, as one finds them in the class.
pub(crate) fn fields(class: &APIClass) -> Vec<String> {
    let rest = class.spec.rest_policy.iter();
    let sets = rest.flat_map(|rest| {
        [
            ("defaults", rest.defaults.as_ref()),
            ("public", rest.public.as_ref()),
            ("organization", rest.organization.as_ref()),
        ]
    });
    let rest = sets.flat_map(|(set, policy)| {
        let fields = policy.into_iter().flat_map(of_policy);
        fields.map(move |field| format!("spec.restPolicy.{set}.{field}"))
    });
    let grpc = class
        .spec
        .grpc_policy
        .as_ref()
        .map(|_| "spec.grpcPolicy".to_owned());
    grpc.into_iter().chain(rest).collect()
}

fn of_policy(policy: &ApiPolicy) -> impl Iterator<Item = &'static str> {
    let security = policy.security.as_ref();
    let authentication = policy.authentication.as_ref();
    let fields = [
        (
            "mediation",
            policy.mediation.as_ref().is_some_and(changes_anything),
        ),
        (
            "security.requireTLS",
            security.is_some_and(|rules| rules.require_tls),
        ),
        (
            "security.minTLSVersion",
            security.is_some_and(|rules| !rules.min_tls_version.is_empty()),
        ),
        (
            "authentication.apikey",
            authentication.is_some_and(|authentication| authentication.apikey.is_some()),
        ),
    ];
    fields
        .into_iter()
        .filter_map(|(field, is_set)| is_set.then_some(field))
}

fn changes_anything(mediation: &Mediation) -> bool {
    !(mediation.request_transformations.is_empty() && mediation.response_transformations.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(spec: Value, expected: &[&str]) {
        let class = APIClass::new("open", serde_json::from_value(spec).unwrap());
        assert_eq!(fields(&class), expected);
    }

    #[test]
    fn fields_that_change_nothing_are_named_and_empty_ones_are_not() {
        check(json!({}), &[]);
        check(
            json!({"restPolicy": {"defaults": {
                "mediation": {"requestTransformations": []},
                "security": {"allowedIPs": ["10.0.0.0/8"], "requireTLS": false, "minTLSVersion": ""},
                "authentication": {"type": "jwt", "oauth2": {"tokenUrl": "https://idp.example"}},
            }}}),
            &[],
        );
        let header = json!({"type": "json", "action": "addHeader", "headerName": "X"});
        check(
            json!({
                "grpcPolicy": {},
                "restPolicy": {
                    "defaults": {"mediation": {"responseTransformations": [header]}},
                    "public": {
                        "security": {"requireTLS": true, "minTLSVersion": "1.3"},
                        "authentication": {"type": "jwt", "apikey": {"header": "X-Key"}},
                    },
                    "organization": {"security": {"requireTLS": true}},
                },
            }),
            &[
                "spec.grpcPolicy",
                "spec.restPolicy.defaults.mediation",
                "spec.restPolicy.public.security.requireTLS",
                "spec.restPolicy.public.security.minTLSVersion",
                "spec.restPolicy.public.authentication.apikey",
                "spec.restPolicy.organization.security.requireTLS",
            ],
        );
    }
}
