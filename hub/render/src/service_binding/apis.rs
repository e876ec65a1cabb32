//! The APIs of a Service: routes to those that are exposed, and their policies.

use std::collections::BTreeMap;

use kube::ResourceExt as _;
use outhaul_hub_resources::{ApiPolicy, ExposedApi, RestApi, RestBackend};

use super::Inputs;
use crate::{
    binding::Binding,
    domain::Domains,
    draft::Draft,
    exposure::{self, Level},
    http_route,
    policies::{self, Exposed, Guard},
    problem::{Problem, Warning},
};

/// A REST API.
struct Api<'a> {
    name: &'a str,
    class: &'a str,
    /// The levels that have a route.
    levels: Vec<Level<'a>>,
    /// What it says about itself.
    rest: Option<&'a RestApi>,
}

/// Adds all routes, then all SecurityPolicies, then all BackendTrafficPolicies. `ports` are those of the component's
/// Service, none where there is no Service.
pub(super) fn add<'a>(
    draft: &mut Draft<'_>,
    binding: &Binding<'_>,
    apis: &'a BTreeMap<String, ExposedApi>,
    inputs: &Inputs<'a>,
    ports: &[i64],
) {
    let others = apis.iter().filter(|(_, api)| !exposure::is_rest(api));
    draft
        .warnings
        .extend(others.map(|(name, api)| Warning::NotRouted {
            api: name.clone(),
            kind: exposure::kind(api),
        }));
    let apis: Vec<_> = apis.iter().filter_map(|(name, api)| Api::of(name, api)).collect();
    let mut warnings = Vec::new();
    let policies: Vec<_> = apis
        .iter()
        .flat_map(|api| policies(api, inputs, &mut warnings))
        .collect();
    let guards: Vec<_> = policies
        .iter()
        .map(|(exposed, policy)| {
            Guard::of(
                binding,
                *exposed,
                policy.as_ref().map_err(Problem::clone),
                inputs.as_openchoreo,
            )
        })
        .collect();
    for api in &apis {
        add_routes(draft, binding, api, ports, (inputs.domains, &guards));
    }
    draft.warnings.extend(warnings);
    for guard in guards {
        guard.add(draft);
    }
    for (exposed, policy) in &policies {
        policies::add_traffic(draft, binding, *exposed, policy.as_ref().map_err(Problem::clone));
    }
    for class in inputs.api_classes.values() {
        let fields = policies::without_effect(class);
        if !fields.is_empty() {
            let class = class.name_any();
            draft.warnings.push(Warning::WithoutEffect { class, fields });
        }
    }
}

fn add_routes(
    draft: &mut Draft<'_>,
    binding: &Binding<'_>,
    api: &Api<'_>,
    ports: &[i64],
    (domains, guards): (Domains<'_>, &[Guard<'_>]),
) {
    let backend = api.backend();
    if let (Ok(backend), false) = (&backend, api.levels.is_empty()) {
        say_where(draft, api.name, backend.port, ports);
    }
    draft.warnings.extend(api.unknown_levels());
    for level in &api.levels {
        let guarded = guarded(draft, binding, (api.name, *level), guards);
        let backend = backend.clone().and_then(|backend| guarded.map(|()| backend));
        http_route::add_api(draft, binding, api.name, (*level, domains), backend);
    }
}

/// What is to be guarded is not opened without its guard: a route that is stored stays as it is, and no other is made.
fn guarded(
    draft: &Draft<'_>,
    binding: &Binding<'_>,
    (api, level): (&str, Level<'_>),
    guards: &[Guard<'_>],
) -> Result<(), Problem> {
    let route = http_route::of_api(binding, api, level);
    let guard = guards.iter().find(|guard| guard.is_for(api, level));
    if guard.is_none_or(|guard| !guard.is_missing(&route, draft)) {
        return Ok(());
    }
    let object = route.object();
    Err(match draft.is_stored(&route) {
        true => Problem::StaysUnguarded { object },
        false => Problem::NotOpened { object },
    })
}

/// Says it where nothing listens at the port that an API leads to.
fn say_where(draft: &mut Draft<'_>, api: &str, port: i32, ports: &[i64]) {
    let api = api.to_owned();
    if ports.is_empty() {
        draft.say(Problem::NoService { api, port });
    } else if !ports.contains(&port.into()) {
        draft.warnings.push(Warning::NoSuchPort { api, port });
    }
}

/// What the class of an API says for each of its levels.
fn policies<'a>(
    api: &Api<'a>,
    inputs: &Inputs<'a>,
    warnings: &mut Vec<Warning>,
) -> Vec<(Exposed<'a>, Result<ApiPolicy, Problem>)> {
    let Some(class) = inputs.api_classes.get(api.class) else {
        let is_routed = !api.levels.is_empty();
        warnings.extend(is_routed.then(|| Warning::NoApiClass(api.name.to_owned())));
        return Vec::new();
    };
    let policy = api
        .rest()
        .and_then(|_| policies::rest_policy(api.name, api.class, class));
    let levels = match inputs.as_openchoreo.level_policies && api.names_no_level() {
        true => {
            warnings.push(Warning::Unguarded(api.name.to_owned()));
            vec![Level::ORGANIZATION]
        }
        false => api.levels.clone(),
    };
    let at_level = |level| {
        let exposed = Exposed {
            api: api.name,
            class: api.class,
            level,
        };
        let policy = policy.clone().map(|policy| policies::at_level(policy, level));
        Some((exposed, policy.transpose()?))
    };
    levels.into_iter().filter_map(at_level).collect()
}

impl<'a> Api<'a> {
    /// None of an API that is not REST. Of one that says nothing about itself both levels may have been routed.
    fn of(name: &'a str, api: &'a ExposedApi) -> Option<Self> {
        let rest = api.rest.as_ref();
        exposure::is_rest(api).then(|| Self {
            name,
            class: api.class_name.as_str(),
            levels: rest.map_or_else(|| vec![Level::ORGANIZATION, Level::PUBLIC], exposure::levels),
            rest,
        })
    }

    fn rest(&self) -> Result<&'a RestApi, Problem> {
        self.rest.ok_or_else(|| Problem::NoRest {
            api: self.name.to_owned(),
        })
    }

    /// Where it leads, if gateways take that. A backend that is left out has port 0, which there is not.
    fn backend(&self) -> Result<&'a RestBackend, Problem> {
        let backend = self.rest()?.backend.as_ref();
        let valid = backend.filter(|backend| (1..=65535).contains(&backend.port));
        let backend = valid.ok_or_else(|| Problem::Port {
            api: self.name.to_owned(),
            port: backend.map(|backend| backend.port).unwrap_or_default(),
        })?;
        match exposure::is_path(&backend.base_path) {
            true => Ok(backend),
            false => Err(Problem::BasePath {
                api: self.name.to_owned(),
                path: backend.base_path.clone(),
            }),
        }
    }

    fn names_no_level(&self) -> bool {
        self.rest.is_some_and(|rest| rest.expose_levels.is_empty())
    }

    /// Levels that are none of those there are.
    fn unknown_levels(&self) -> impl Iterator<Item = Warning> {
        let known = [Level::PUBLIC, Level::ORGANIZATION];
        let unknown = self.levels.iter().filter(move |level| !known.contains(level));
        unknown.map(|level| Warning::UnknownLevel {
            api: self.name.to_owned(),
            level: level.name().to_owned(),
        })
    }
}
