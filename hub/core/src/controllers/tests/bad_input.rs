//! What people may get wrong, kind by kind: the condition and an Event say what, where and what to do.

use serde_json::{Value, json};

use super::*;

/// What is put beside what is well: kind, name, spec.
type Input = (Kind, &'static str, Value);

/// What is wrong, on which object it is said, and the whole condition.
type Case = (Vec<Input>, (Kind, &'static str), &'static str);

fn service_with(component: &str, field: &str, value: Value) -> Value {
    let mut service = service(component);
    service[field] = value;
    service
}

fn workload_with(field: &str, value: Value) -> Value {
    let mut workload = workload("pay");
    workload[field] = value;
    workload
}

fn pay(workload: Value) -> Vec<Input> {
    let service = service_with("pay", "apis", json!({}));
    vec![(Kind::Workload, "pay", workload), (Kind::Service, "pay", service)]
}

fn pay_by(class: Value) -> Vec<Input> {
    let service = service_with("pay", "className", json!("odd"));
    vec![
        (Kind::ServiceClass, "odd", class),
        (Kind::Workload, "pay", workload("pay")),
        (Kind::Service, "pay", service),
    ]
}

fn connected_to(params: Value, value: &str) -> Vec<Input> {
    let inject = json!({"env": [{"name": "TARGET", "value": value}]});
    let connection = json!({"type": "api", "params": params, "inject": inject});
    pay(workload_with("connections", json!({"target": connection})))
}

/// A component with the Workload `cart`.
fn by(class: &str, component: &str) -> Value {
    json!({"owner": owner(component), "workloadName": "cart", "className": class})
}

fn web_by(class: Value) -> Vec<Input> {
    vec![
        (Kind::WebApplicationClass, "odd", class),
        (Kind::WebApplication, "web", by("odd", "web")),
    ]
}

fn task_by(class: Value) -> Vec<Input> {
    vec![
        (Kind::ScheduledTaskClass, "odd", class),
        (Kind::ScheduledTask, "task", by("odd", "task")),
    ]
}

/// A service with an API, of which the class says this and the API itself that.
fn exposed_by(policy: Value, api: Value) -> Vec<Input> {
    let mut service = service("pay");
    service["apis"]["api"]["className"] = json!("odd");
    json_patch::merge(&mut service["apis"]["api"], &api);
    vec![
        (Kind::ApiClass, "odd", policy),
        (Kind::Workload, "pay", workload("pay")),
        (Kind::Service, "pay", service),
    ]
}

/// A class of which the objects are this much larger.
fn large(field: &str) -> Value {
    let annotations = json!({"annotations": {"blob": "x".repeat(1_100_000)}});
    json!({field: {"schedule": "@daily", "template": {"metadata": annotations}, "jobTemplate": {"metadata": annotations}}})
}

fn api_binding(api: &str, class: &str) -> Vec<Input> {
    let spec = json!({"apiName": api, "apiClassName": class, "environmentName": "development"});
    vec![(Kind::ApiBinding, "open", spec)]
}

fn containers(container: Value) -> Value {
    json!({"deploymentTemplate": {"template": {"spec": {"containers": [container]}}}})
}

const PAY: (Kind, &str) = (Kind::ServiceBinding, "pay");
const WEB: (Kind, &str) = (Kind::WebApplicationBinding, "web");
const TASK: (Kind, &str) = (Kind::ScheduledTaskBinding, "task");
const OPEN: (Kind, &str) = (Kind::ApiBinding, "open");

/// Components and their Workloads.
fn of_components() -> Vec<Case> {
    vec![
        (
            vec![(Kind::Service, "pay", json!({}))],
            (Kind::Service, "pay"),
            "InvalidConfiguration: Service acme/pay cannot be read; correct it with kubectl edit: spec: missing field \
             `owner`",
        ),
        (
            vec![(
                Kind::WebApplication,
                "web",
                json!({"owner": owner("web"), "workloadName": 7}),
            )],
            (Kind::WebApplication, "web"),
            "InvalidConfiguration: WebApplication acme/web cannot be read; correct it with kubectl edit: \
             spec.workloadName: invalid type: integer `7`, expected a string",
        ),
        (
            vec![(
                Kind::ScheduledTask,
                "task",
                json!({"owner": owner("task"), "workloadName": "none"}),
            )],
            (Kind::ScheduledTask, "task"),
            "WorkloadNotFound: Workload \"none\" not found: create it, or correct spec.workloadName",
        ),
        (
            vec![(Kind::Service, "pay", service("none"))],
            (Kind::Service, "pay"),
            "WorkloadNotFound: Workload \"none\" not found: create it, or correct spec.workloadName",
        ),
        (
            vec![(
                Kind::WebApplication,
                "web",
                json!({"owner": owner("web"), "workloadName": "none"}),
            )],
            (Kind::WebApplication, "web"),
            "WorkloadNotFound: Workload \"none\" not found: create it, or correct spec.workloadName",
        ),
        (
            pay(json!({"owner": owner("pay"), "containers": []})),
            (Kind::Service, "pay"),
            "InvalidConfiguration: Workload \"pay\" cannot be read: Workload acme/pay cannot be read; correct it with \
             kubectl edit: spec.containers: invalid type: sequence, expected a map",
        ),
        (
            pay(workload_with("containers", Value::Null)),
            PAY,
            "InvalidConfiguration: Deployment \"pay-9350872d\": the workload has no container: give it one with an \
             image",
        ),
        (
            vec![
                (Kind::Workload, "one", workload("one")),
                (
                    Kind::ScheduledTaskClass,
                    "default",
                    json!({"cronJobTemplate": {"schedule": "@daily"}}),
                ),
                (
                    Kind::Service,
                    "same",
                    service_with("one", "workloadName", json!("one")),
                ),
                (
                    Kind::ScheduledTask,
                    "same",
                    json!({"owner": owner("one"), "workloadName": "one", "className": "default"}),
                ),
            ],
            (Kind::ScheduledTaskBinding, "same"),
            "InvalidConfiguration: Release \"same\" belongs to ServiceBinding \"same\": rename one of the two \
             resources that share the name",
        ),
    ]
}

/// Classes.
fn of_classes() -> Vec<Case> {
    vec![
        (
            vec![
                (Kind::Workload, "pay", workload("pay")),
                (
                    Kind::Service,
                    "pay",
                    service_with("pay", "className", json!("none")),
                ),
            ],
            PAY,
            "ServiceClassNotFound: ServiceClass \"none\" not found: create it in namespace \"acme\", or correct spec.className",
        ),
        (
            vec![(Kind::WebApplication, "web", by("none", "web"))],
            WEB,
            "WebApplicationClassNotFound: WebApplicationClass \"none\" not found: create it in namespace \"acme\", or correct \
             spec.className",
        ),
        (
            vec![(Kind::ScheduledTask, "task", by("none", "task"))],
            TASK,
            "ScheduledTaskClassNotFound: ScheduledTaskClass \"none\" not found: create it in namespace \"acme\", or correct \
             spec.className",
        ),
        (
            web_by(containers(
                json!({"name": "main", "resources": {"requests": {"memory": "1 GB"}}}),
            )),
            WEB,
            "InvalidConfiguration: WebApplicationClass \"odd\": correct spec.deploymentTemplate: \
             template.spec.containers[0].resources.requests.memory: \"1 GB\" is not a quantity: write a number, with a \
             suffix such as m, k, M, Ki, Mi, Gi where it needs one",
        ),
        (
            task_by(
                json!({"cronJobTemplate": {"schedule": "@daily", "jobTemplate": {"spec": {"template": {"spec": {
                    "containers": [{"name": "main", "resources": {"limits": {"cpu": "1,5"}}}],
                }}}}}}),
            ),
            TASK,
            "InvalidConfiguration: ScheduledTaskClass \"odd\": correct spec.cronJobTemplate: \
             jobTemplate.spec.template.spec.containers[0].resources.limits.cpu: \"1,5\" is not a quantity: write a number, \
             with a suffix such as m, k, M, Ki, Mi, Gi where it needs one",
        ),
        (
            web_by(containers(json!({"name": "other"}))),
            WEB,
            "InvalidConfiguration: Deployment \"web-4b5e57f6\": container \"other\" has no image: it comes from the class, and \
             the workload's container is named \"main\"; give both one name",
        ),
        (
            task_by(
                json!({"cronJobTemplate": {"schedule": "@daily", "jobTemplate": {"spec": {"template": {"spec": {
                    "containers": [{"name": "other"}],
                }}}}}}),
            ),
            TASK,
            "InvalidConfiguration: CronJob \"task-0ebb429f\": container \"other\" has no image: it comes from the class, and \
             the workload's container is named \"main\"; give both one name",
        ),
        (
            pay_by(containers(
                json!({"name": "main", "resources": {"limits": {"cpu": "lots"}}}),
            )),
            PAY,
            "InvalidConfiguration: ServiceClass \"odd\": correct spec.deploymentTemplate: \
             template.spec.containers[0].resources.limits.cpu: \"lots\" is not a quantity: write a number, with a \
             suffix such as m, k, M, Ki, Mi, Gi where it needs one",
        ),
        (
            pay_by(containers(json!({"name": "other"}))),
            PAY,
            "InvalidConfiguration: Deployment \"pay-9350872d\": container \"other\" has no image: it comes from the \
             class, and the workload's container is named \"main\"; give both one name",
        ),
        (
            pay_by(json!({"deploymentTemplate": "none"})),
            PAY,
            "InvalidConfiguration: ServiceClass \"odd\": correct spec.deploymentTemplate: it is not a map",
        ),
        (
            web_by(json!({"serviceTemplate": {"ports": "none"}})),
            WEB,
            "InvalidConfiguration: WebApplicationClass \"odd\": correct spec.serviceTemplate: not the spec of a \
             Service: ports: invalid type: string \"none\", expected a sequence",
        ),
        (
            pay_by(json!(7)),
            PAY,
            "InvalidConfiguration: ServiceClass \"odd\" cannot be read: ServiceClass acme/odd cannot be read; correct \
             it with kubectl edit: spec: invalid type: integer `7`, expected struct ServiceClassSpec",
        ),
        (
            web_by(json!(7)),
            WEB,
            "InvalidConfiguration: WebApplicationClass \"odd\" cannot be read: WebApplicationClass acme/odd cannot be read; \
             correct it with kubectl edit: spec: invalid type: integer `7`, expected struct WebApplicationClassSpec",
        ),
        (
            task_by(json!(7)),
            TASK,
            "InvalidConfiguration: ScheduledTaskClass \"odd\" cannot be read: ScheduledTaskClass acme/odd cannot be read; \
             correct it with kubectl edit: spec: invalid type: integer `7`, expected struct ScheduledTaskClassSpec",
        ),
        (
            task_by(json!({"cronJobTemplate": {}})),
            TASK,
            "InvalidConfiguration: CronJob \"task-0ebb429f\": ScheduledTaskClass \"odd\" has no schedule: set \
             spec.cronJobTemplate.schedule",
        ),
        (
            task_by(json!({"cronJobTemplate": {"schedule": "@daily", "suspend": "yes"}})),
            TASK,
            "InvalidConfiguration: ScheduledTaskClass \"odd\": correct spec.cronJobTemplate: not the spec of a \
             CronJob: suspend: invalid type: string \"yes\", expected a boolean",
        ),
    ]
}

/// Connections.
fn of_connections() -> Vec<Case> {
    vec![
        (
            connected_to(json!({"componentName": "none", "endpoint": "api"}), "{{ .url }}"),
            PAY,
            "InvalidConfiguration: failed to find target binding for connection target: no service binding found for \
             component none in environment development; deploy it there as a Service, whose binding can be read, or correct \
             params.componentName",
        ),
        (
            connected_to(json!({"componentName": "cart", "endpoint": "none"}), "{{ .url }}"),
            PAY,
            "InvalidConfiguration: connection target: endpoint none not found in target binding cart; give its \
             workload one, or correct params.endpoint",
        ),
        (
            connected_to(json!({"endpoint": "api"}), "{{ .url }}"),
            PAY,
            "InvalidConfiguration: connection target: params.componentName is missing: set it to a name",
        ),
        (
            connected_to(
                json!({"componentName": "cart", "endpoint": "api"}),
                "{{ range . }}x{{ end }}",
            ),
            PAY,
            "InvalidConfiguration: connection target, variable TARGET: the template \"{{ range . }}x{{ end }}\" has a \
             loop or a template of its own, which is not supported here: use fields such as {{ .url }}",
        ),
    ]
}

/// APIs and their classes.
fn of_apis() -> Vec<Case> {
    vec![
        (
            api_binding("none", "default"),
            OPEN,
            "InvalidConfiguration: API \"none\" not found: create it in namespace \"acme\", or correct spec.apiName",
        ),
        (
            api_binding("none", "missing"),
            OPEN,
            "APIClassNotFound: APIClass \"missing\" not found for API \"none\": create it in namespace \"acme\", or correct spec.apiClassName",
        ),
        (
            vec![
                (Kind::Api, "odd", json!({"owner": 7})),
                api_binding("odd", "default").remove(0),
            ],
            OPEN,
            "InvalidConfiguration: API \"odd\" cannot be read: API acme/odd cannot be read; correct it with kubectl \
             edit: spec.owner: invalid type: integer `7`, expected struct ComponentOwner",
        ),
        (
            vec![
                (Kind::ApiClass, "odd", json!({"restPolicy": 7})),
                api_binding("none", "odd").remove(0),
            ],
            OPEN,
            "InvalidConfiguration: APIClass \"odd\" cannot be read: APIClass acme/odd cannot be read; correct it with \
             kubectl edit: spec.restPolicy: invalid type: integer `7`, expected struct RestPolicy",
        ),
        (
            exposed_by(json!({"restPolicy": {"defaults": {"rateLimit": 7}}}), json!({})),
            PAY,
            "InvalidConfiguration: APIClass \"odd\" cannot be read: APIClass acme/odd cannot be read; correct it with \
             kubectl edit: spec.restPolicy.defaults.rateLimit: invalid type: integer `7`, expected struct RateLimit",
        ),
        (
            exposed_by(json!({}), json!({"className": "none"})),
            PAY,
            "APIClassNotFound: APIClass \"none\" not found for API \"api\": create it in namespace \"acme\", or correct \
             spec.apis.api.className",
        ),
        (
            exposed_by(json!({}), json!({})),
            PAY,
            "InvalidConfiguration: API \"api\": APIClass \"odd\" has no restPolicy: set it, to {} where there is to be no policy",
        ),
        (
            exposed_by(
                json!({"restPolicy": {"defaults": {"rateLimit": {"requests": 1, "window": "1d"}}}}),
                json!({}),
            ),
            PAY,
            "InvalidConfiguration: API \"api\", level Public: rateLimit.window of APIClass \"odd\": \"1d\" is not a duration: \
             write numbers with the unit h, m, s or ms, such as 1m30s",
        ),
        (
            exposed_by(
                json!({"restPolicy": {"public": {"security": {"allowedIPs": ["10.0.0.1"]}}}}),
                json!({}),
            ),
            PAY,
            "InvalidConfiguration: HTTPRoute \"pay-api-public-httproute-6468f263\": it is not opened before its SecurityPolicy \
             can be made: correct what is said of that; API \"api\", level Public: security.allowedIPs of APIClass \"odd\": \
             \"10.0.0.1\" is no range of addresses: write it like 10.0.0.1/32 or 2001:db8::/32",
        ),
        (
            exposed_by(
                json!({"restPolicy": {"public": {"authentication": {"type": "apikey"}}}}),
                json!({}),
            ),
            PAY,
            "InvalidConfiguration: API \"api\", level Public: anybody may call it, since APIClass \"odd\" asks for \
             authentication \"apikey\"; only \"jwt\" with its jwt part is supported",
        ),
        (
            exposed_by(
                json!({"restPolicy": {}}),
                json!({"rest": {"backend": {"port": 0}}}),
            ),
            PAY,
            "InvalidConfiguration: API \"api\": rest.backend.port is 0: set a port from 1 to 65535",
        ),
        (
            exposed_by(
                json!({"restPolicy": {}}),
                json!({"rest": {"exposeLevels": ["Public", "public"]}}),
            ),
            PAY,
            "InvalidConfiguration: HTTPRoute \"pay-api-public-httproute-6468f263\": another object has the id \
             \"pay-api-public-httproute-6468f263\" already: rename an API, or list each level once",
        ),
        (
            exposed_by(
                json!({"restPolicy": {}}),
                json!({"rest": {"backend": {"basePath": "/v1/{tenant}"}}}),
            ),
            PAY,
            "InvalidConfiguration: API \"api\": rest.backend.basePath is \"/v1/{tenant}\": use letters, digits and any of \
             -._~!$&'()*+,;=:@/, write others as % and two hexadecimal digits, and no slash as %2F",
        ),
        (
            vec![(Kind::ServiceBinding, "pay", json!({}))],
            PAY,
            "InvalidConfiguration: ServiceBinding acme/pay cannot be read; correct it with kubectl edit: spec: missing \
             field `owner`",
        ),
        (
            vec![(Kind::WebApplicationBinding, "web", json!({"environment": 7}))],
            WEB,
            "InvalidConfiguration: WebApplicationBinding acme/web cannot be read; correct it with kubectl edit: \
             spec.environment: invalid type: integer `7`, expected a string",
        ),
        (
            vec![(Kind::ScheduledTaskBinding, "task", json!({"owner": 7}))],
            TASK,
            "InvalidConfiguration: ScheduledTaskBinding acme/task cannot be read; correct it with kubectl edit: \
             spec.owner: invalid type: integer `7`, expected struct ComponentOwner",
        ),
        (
            vec![(Kind::ApiBinding, "open", json!({}))],
            OPEN,
            "InvalidConfiguration: APIBinding acme/open cannot be read; correct it with kubectl edit: spec: missing \
             field `apiName`",
        ),
    ]
}

/// Names that are made into others.
fn of_names() -> Vec<Case> {
    let long = "n".repeat(64);
    let owned = |project: &str, component: &str| json!({"projectName": project, "componentName": component});
    let service_of = |owner: Value| {
        let service = json!({"owner": owner, "workloadName": "cart", "className": "default"});
        vec![(Kind::Service, "pay", service)]
    };
    let named = |letters: usize| -> &'static str { "n".repeat(letters).leak() };
    let too_long = |object: String, what: String| {
        format!("{object}: {what}: shorten or correct the names it is made of")
    };
    let (of_service, of_task) = (named(60), named(50));
    let id = |kind: &str, part: &str| {
        let what = format!("its id \"{of_service}-{part}\" cannot be a label of at most 63 characters");
        too_long(format!("{kind} \"{of_service}-fb886b45\""), what)
    };
    let of_task_name = format!("{of_task}-7dd60b1d");
    let cron_job = format!("{of_task_name:?} is no valid name of at most 52 characters");
    let container = json!({"Main_1": {"image": "registry.example/app:1"}});
    vec![
        (
            service_of(owned("shop", &long)),
            (Kind::Service, "pay"),
            format!(
                "InvalidConfiguration: spec.owner.componentName {long:?} cannot be the value of a label: use at most 63 \
                 letters, digits, '-', '_' and '.'"
            )
            .leak(),
        ),
        (
            service_of(owned(&long, "pay")),
            (Kind::Service, "pay"),
            format!(
                "InvalidConfiguration: spec.owner.projectName {long:?} cannot be the value of a label: use at most 63 \
                 letters, digits, '-', '_' and '.'"
            )
            .leak(),
        ),
        (
            service_of(owned("shop", "my cart")),
            (Kind::Service, "pay"),
            "InvalidConfiguration: spec.owner.componentName \"my cart\" cannot be the value of a label: use at most 63 \
             letters, digits, '-', '_' and '.'",
        ),
        (
            vec![(
                Kind::Service,
                of_service,
                json!({"owner": owner("cart"), "workloadName": "cart", "className": "default"}),
            )],
            (Kind::ServiceBinding, of_service),
            format!("InvalidConfiguration: {}; {}", id("Deployment", "deployment"), id("Service", "service")).leak(),
        ),
        (
            vec![(Kind::WebApplicationClass, "odd", json!({})), (Kind::WebApplication, of_service, by("odd", "cart"))],
            (Kind::WebApplicationBinding, of_service),
            format!(
                "InvalidConfiguration: {}; {}; {}",
                id("Deployment", "deployment"),
                id("Service", "service"),
                too_long(
                    format!("HTTPRoute \"{of_service}-api-httproute-35cd59b2\""),
                    format!("its id \"{of_service}-api-httproute-35cd59b2\" cannot be a label of at most 63 characters"),
                ),
            )
            .leak(),
        ),
        (
            vec![
                (Kind::ScheduledTaskClass, "odd", json!({"cronJobTemplate": {"schedule": "@daily"}})),
                (
                    Kind::ScheduledTask,
                    of_task,
                    json!({"owner": owner("task"), "workloadName": "cart", "className": "odd"}),
                ),
            ],
            (Kind::ScheduledTaskBinding, of_task),
            format!("InvalidConfiguration: {}", too_long(format!("CronJob {of_task_name:?}"), cron_job)).leak(),
        ),
        (
            pay(workload_with("containers", container)),
            PAY,
            "InvalidConfiguration: Deployment \"pay-9350872d\": container \"Main_1\" has no valid name: use at most 63 \
             lower-case letters, digits and '-'",
        ),
        (
            vec![
                (Kind::WebApplicationClass, "default", json!({})),
                (
                    Kind::WebApplication,
                    "web",
                    json!({"owner": owned("shop", "Web_1"), "workloadName": "cart", "className": "default"}),
                ),
            ],
            WEB,
            "InvalidConfiguration: HTTPRoute \"web-api-httproute-d06b7cea\": \
             \"Web_1-development.choreoapps.localhost\" is no valid host: use lower-case letters, digits and '-' in \
             spec.owner.componentName",
        ),
    ]
}

/// What is larger than a Release may be.
fn of_sizes() -> Vec<Case> {
    let mut many = service("pay");
    let api = many["apis"]["api"].clone();
    many["apis"] = (0..400)
        .map(|index| (format!("api-{index}"), api.clone()))
        .collect();
    let too_long = |bytes: usize, class: &str| -> &'static str {
        format!(
            "InvalidConfiguration: the Release would be {bytes} bytes long, and may be 1048576: shorten the Workload, or \
             {class} \"odd\""
        )
        .leak()
    };
    vec![
        (
            vec![
                (Kind::Workload, "pay", workload("pay")),
                (Kind::Service, "pay", many),
            ],
            PAY,
            "InvalidConfiguration: the Release would have 1202 objects, and may have 1000: expose fewer APIs, or fewer levels \
             of them",
        ),
        (
            pay_by(large("deploymentTemplate")),
            PAY,
            too_long(2_203_328, "ServiceClass"),
        ),
        (
            web_by(large("deploymentTemplate")),
            WEB,
            too_long(2_202_289, "WebApplicationClass"),
        ),
        (
            task_by(large("cronJobTemplate")),
            TASK,
            too_long(2_200_984, "ScheduledTaskClass"),
        ),
    ]
}

/// The platform, and commits.
fn of_the_platform() -> Vec<Case> {
    let unreadable = [
        (
            Kind::DataPlane,
            json!({"registry": 7}),
            "spec.registry: invalid type: integer `7`, expected struct ImageRegistry",
        ),
        (
            Kind::BuildPlane,
            json!({"planeID": 7}),
            "spec.planeID: invalid type: integer `7`, expected a string",
        ),
        (
            Kind::Environment,
            json!({"dataPlaneRef": 7}),
            "spec.dataPlaneRef: invalid type: integer `7`, expected a string",
        ),
        (
            Kind::DeploymentPipeline,
            json!({"promotionPaths": 7}),
            "spec.promotionPaths: invalid type: integer `7`, expected a sequence",
        ),
        (
            Kind::Project,
            json!({"deploymentPipelineRef": 7}),
            "spec.deploymentPipelineRef: invalid type: integer `7`, expected a string",
        ),
        (
            Kind::GitCommitRequest,
            json!({"files": 7}),
            "spec.files: invalid type: integer `7`, expected a sequence",
        ),
        (
            Kind::ConfigurationGroup,
            json!({"configurations": 7}),
            "spec.configurations: invalid type: integer `7`, expected a sequence",
        ),
        (
            Kind::Component,
            json!({"owner": 7}),
            "spec.owner: invalid type: integer `7`, expected struct ProjectOwner",
        ),
        (
            Kind::Organization,
            json!(7),
            "spec: invalid type: integer `7`, expected struct OrganizationSpec",
        ),
    ];
    let case = |(kind, spec, what): (Kind, Value, &str)| -> Case {
        let of = if kind == Kind::Organization { "" } else { "acme/" };
        let says = format!(
            "InvalidConfiguration: {kind} {of}odd cannot be read; correct it with kubectl edit: {what}"
        );
        (vec![(kind, "odd", spec)], (kind, "odd"), says.leak())
    };
    unreadable.into_iter().map(case).collect()
}

#[test]
fn whatever_is_wrong_is_said_where_it_is_with_what_to_do() {
    let cases = [
        of_components(),
        of_classes(),
        of_connections(),
        of_apis(),
        of_names(),
        of_sizes(),
        of_the_platform(),
    ]
    .concat();
    let mut found = Vec::new();
    for (inputs, (kind, name), says) in cases {
        let mut server = shop();
        for (kind, name, spec) in inputs {
            server.put(kind, name, spec);
        }
        server.settle();
        let said = ready(&server, kind, name);
        if said != format!("False {says}") {
            found.push(format!("{kind} {name}:\n{said}\nFalse {says}"));
        }
        let object = server.get(kind, name);
        assert_eq!(
            object["status"]["observedGeneration"], object["metadata"]["generation"],
            "{kind} {name}"
        );
        let told = server.events.iter().filter(|event| **event == says).count();
        if told != 1 {
            found.push(format!(
                "{kind} {name}: told {told} times: {says}\n{:?}",
                server.events
            ));
        }
        // It is said once, also by another hub, and the neighbour is served.
        server.writes.clear();
        server.restart();
        server.settle();
        assert!(server.writes.is_empty(), "{kind} {name}: {:?}", server.writes);
        assert!(server.has(Kind::Release, "cart"));
    }
    assert!(found.is_empty(), "{}", found.join("\n\n"));
}

#[test]
fn a_release_that_no_plane_can_have_is_told_on_its_binding_once() {
    for (reason, message) in [
        ("InvalidSpec", "spec has 1048577 bytes, and may have 1048576"),
        ("NoPlane", "Environment development does not exist"),
        ("NotAdmitted", "Plane eu does not admit DataPlane acme/eu"),
    ] {
        let mut server = running();
        let ready = json!({
            "type": "Ready", "status": "False", "reason": reason, "message": message,
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        });
        server.merge(Kind::Release, "cart", json!({"status": {"conditions": [ready]}}));
        server.settle();
        let says = format!("ResourceHealthDegraded: Release: {reason}: {message}");
        assert_eq!(cart(&server), format!("False {says}"));
        assert_eq!(server.events, [says]);
        server.writes.clear();
        server.restart();
        server.settle();
        assert!(server.writes.is_empty() && server.events.len() == 1);
    }
}

#[test]
fn objects_that_fail_one_by_one_are_no_event() {
    let mut server = running();
    server.report("cart", "Degraded");
    server.settle();
    assert!(cart(&server).starts_with("False ResourceHealthDegraded"));
    assert!(server.events.is_empty(), "{:?}", server.events);
}

#[test]
fn two_that_run_one_component_are_told_of_each_other() {
    let twin = |name: &str| {
        format!(
            "RenderedOtherwise: ServiceBinding {name:?} runs the same component in the same environment, and each gets the \
             requests of the other: undeploy one, or correct spec.owner"
        )
    };
    let mut server = running();
    server.put(Kind::Service, "till", service("cart"));
    server.put(Kind::WebApplicationClass, "default", json!({}));
    let web = json!({"owner": owner("cart"), "workloadName": "cart", "className": "default"});
    server.put(Kind::WebApplication, "web", web);
    server.settle();
    let binding = Kind::ServiceBinding;
    for (name, other) in [("cart", "till"), ("till", "cart")] {
        let said = warned(&server, binding, name);
        assert!(
            said.starts_with(&twin(other)) && said.contains(r#"; WebApplicationBinding "web""#),
            "{said}"
        );
    }
    let both = warned(&server, Kind::WebApplicationBinding, "web");
    assert!(both.contains(r#"ServiceBinding "cart""#) && both.contains(r#"ServiceBinding "till""#));
    server.writes.clear();
    server.restart_in_order(Kind::ALL.iter().rev().copied());
    server.settle();
    assert!(server.writes.is_empty(), "{:?}", server.writes);

    let undeployed = json!({"spec": {"releaseState": "Undeploy"}});
    server.merge(binding, "till", undeployed);
    server.settle();
    assert!(!warned(&server, binding, "cart").contains("till"));
    assert_eq!(warned(&server, Kind::WebApplicationBinding, "web"), twin("cart"));
    server.delete(Kind::Service, "cart");
    server.settle();
    assert_eq!(warned(&server, Kind::WebApplicationBinding, "web"), "");
}

#[test]
fn a_task_and_a_web_application_of_a_service_are_told_too() {
    let mut server = running();
    let schedule = json!({"cronJobTemplate": {"schedule": "@daily"}});
    server.put(Kind::ScheduledTaskClass, "default", schedule);
    let same = json!({"owner": owner("cart"), "workloadName": "cart", "className": "default"});
    server.put(Kind::ScheduledTask, "bill", same.clone());
    server.settle();
    let (binding, task) = (Kind::ServiceBinding, Kind::ScheduledTaskBinding);
    assert_eq!(
        warned(&server, binding, "cart"),
        "RenderedOtherwise: ScheduledTaskBinding \"bill\" runs the same component in the same environment, and its pods get \
         requests that are for this one: undeploy one, or correct spec.owner"
    );
    assert_eq!(
        warned(&server, task, "bill"),
        "RenderedOtherwise: ServiceBinding \"cart\" runs the same component in the same environment, and the pods of this \
         one get requests that are for it: undeploy one, or correct spec.owner"
    );
    // Tasks have no Service.
    server.put(Kind::ScheduledTask, "clean", same.clone());
    server.settle();
    assert!(!warned(&server, task, "bill").contains("clean"));

    server.put(Kind::WebApplicationClass, "default", json!({}));
    server.put(Kind::WebApplication, "web", same);
    server.settle();
    assert!(warned(&server, binding, "cart").contains(r#"WebApplicationBinding "web""#));
    server.writes.clear();
    for kinds in [Kind::ALL.to_vec(), Kind::ALL.into_iter().rev().collect()] {
        server.restart_in_order(kinds);
        server.settle();
        assert!(server.writes.is_empty(), "{:?}", server.writes);
    }

    // What went while no hub ran is forgotten, whatever is listed last.
    server.stop();
    for (kind, name) in [
        (Kind::WebApplication, "web"),
        (Kind::ScheduledTask, "bill"),
        (Kind::ScheduledTask, "clean"),
    ] {
        server.delete(kind, name);
    }
    server.restart();
    server.settle();
    assert_eq!(warned(&server, binding, "cart"), "");
}

#[test]
fn a_kind_of_twins_that_cannot_be_listed_holds_nobody_up() {
    let mut server = shop();
    let tasks = [Kind::ScheduledTaskBinding, Kind::WebApplicationBinding];
    server.restart_in_order(Kind::ALL.into_iter().filter(|kind| !tasks.contains(kind)));
    server.run_for(Duration::from_secs(60));
    assert!(server.has(Kind::Release, "cart"));
}

#[test]
fn what_is_corrected_is_made_and_nothing_is_said_of_it_any_more() {
    let mut server = shop();
    server.put(Kind::Service, "pay", json!({}));
    server.settle();
    for (kind, name, spec) in pay(workload("pay")) {
        server.put(kind, name, spec);
    }
    server.settle();
    assert!(server.has(Kind::Release, "pay"));
    assert_eq!(ready(&server, Kind::Service, "pay"), " : ");
}

#[test]
fn a_list_that_never_comes_holds_up_only_what_is_decided_from_it() {
    let mut server = shop();
    for (kind, name, spec) in web_by(json!({})) {
        server.put(kind, name, spec);
    }
    let lists = Kind::ALL.into_iter().filter(|kind| {
        let broken = [Kind::Organization, Kind::Api, Kind::WebApplicationClass];
        !broken.contains(kind)
    });
    server.restart_in_order(lists);
    server.run_for(Duration::from_secs(60));
    assert!(server.has(Kind::Release, "cart"));
    assert!(server.has(Kind::WebApplicationBinding, "web"));
    assert!(!server.has(Kind::Release, "web"), "its class may be there");
    server.restart();
    server.settle();
    assert!(server.has(Kind::Release, "web"));
}

#[test]
fn approvals_are_told_to_have_no_effect() {
    let mut server = shop();
    let target = json!({"name": "live", "requiresApproval": true});
    let path = json!({"sourceEnvironmentRef": "live", "targetEnvironmentRefs": []});
    server.put(Kind::Environment, "live", json!({}));
    server.put(
        Kind::DeploymentPipeline,
        "default",
        json!({"promotionPaths": [path, {"sourceEnvironmentRef": "test", "targetEnvironmentRefs": [target]}]}),
    );
    server.put(Kind::Environment, "test", json!({}));
    server.settle();
    let said = ready(&server, Kind::DeploymentPipeline, "default");
    assert!(
        said.ends_with("nobody is asked for the approvals of spec.promotionPaths"),
        "{said}"
    );
}

#[test]
fn fields_without_effect_are_named_where_people_look() {
    let api_class = |security: Value| json!({"restPolicy": {"defaults": {"security": security}}});
    let data_plane = |prefix: &str, public: &str, internal: &str| {
        json!({
            "registry": {"prefix": prefix},
            "gateway": {"publicVirtualHost": public, "organizationVirtualHost": internal},
        })
    };
    for (changed, spec, (kind, name), expected) in [
        (
            (Kind::Service, "cart"),
            service_with("cart", "overrides", json!({"replicas": true})),
            (Kind::Service, "cart"),
            "FieldsWithoutEffect: spec.overrides has no effect: leave it out, and set what it is for in class or workload",
        ),
        (
            (Kind::Workload, "cart"),
            workload("till"),
            (Kind::Service, "cart"),
            "FieldsWithoutEffect: spec.owner of Workload \"cart\" has no effect: it names component \"till\" of project \
             \"shop\", and this is \"cart\" of \"shop\"; correct one of the two",
        ),
        (
            (Kind::ApiClass, "default"),
            api_class(json!({"requireTLS": true, "minTLSVersion": "1.3"})),
            (Kind::ServiceBinding, "cart"),
            "RenderedOtherwise: APIClass \"default\": without effect, leave it out: \
             spec.restPolicy.defaults.security.requireTLS, spec.restPolicy.defaults.security.minTLSVersion",
        ),
        (
            (Kind::ApiBinding, "open"),
            json!({"apiName": "open", "apiClassName": "default", "environmentName": "development"}),
            (Kind::ApiBinding, "open"),
            "RenderedOtherwise: API \"open\" is not exposed, whatever it and its class say: expose an endpoint in spec.apis \
             of a Service instead",
        ),
        (
            (Kind::DataPlane, "dp"),
            data_plane("registry.example/", "apps.example", "apps.internal"),
            (Kind::DataPlane, "dp"),
            "FieldsWithoutEffect: spec.registry: images are pulled as their names are written; \
             spec.gateway.publicVirtualHost: hosts end in choreoapis.localhost; spec.gateway.organizationVirtualHost: \
             hosts end in choreoapis.internal",
        ),
        (
            (Kind::DataPlane, "dp"),
            data_plane("", "choreoapis.localhost", "choreoapis.internal"),
            (Kind::DataPlane, "dp"),
            "",
        ),
        (
            (Kind::ConfigurationGroup, "db"),
            json!({"configurations": [{"key": "url", "values": [{"environment": "live", "value": "postgres://db"}]}]}),
            (Kind::ConfigurationGroup, "db"),
            "FieldsWithoutEffect: spec: nothing reads a ConfigurationGroup, since valueFrom is not supported; write values \
             into the workload, or sources into the class",
        ),
        (
            (Kind::Environment, "live"),
            json!({
                "isProduction": true,
                "gateway": {"dnsPrefix": "prod", "security": {"remoteJwks": {"uri": "https://idp.example"}}},
            }),
            (Kind::Environment, "live"),
            "FieldsWithoutEffect: spec.isProduction: it is there for people to read; spec.gateway.dnsPrefix: hosts begin \
             with the name of the Environment; spec.gateway.security: an APIClass says where keys of tokens are",
        ),
        (
            (Kind::Environment, "live"),
            json!({"gateway": {"dnsPrefix": "live", "security": {"remoteJwks": {"uri": ""}}}}),
            (Kind::Environment, "live"),
            "",
        ),
    ] {
        let mut server = shop();
        let api = json!({"owner": owner("open"), "environmentName": "development", "type": "REST", "className": "default"});
        server.put(Kind::Api, "open", api);
        server.put(changed.0, changed.1, spec);
        server.settle();
        assert_eq!(warned(&server, kind, name), expected);
        let object = server.get(kind, name);
        assert_eq!(
            object["status"]["observedGeneration"], object["metadata"]["generation"],
            "{kind}"
        );
        assert!(!format!("{:?}", server.controllers).contains("postgres://db"));
    }
}

pub(super) fn warned(server: &Server, kind: Kind, name: &str) -> String {
    let conditions = server.get(kind, name).pointer("/status/conditions");
    let mut all = conditions.and_then(Value::as_array).into_iter().flatten();
    let said = all.find(|one| one["type"] == "Warnings");
    said.map_or_else(String::new, |said| {
        format!(
            "{}: {}",
            said["reason"].as_str().unwrap(),
            said["message"].as_str().unwrap()
        )
    })
}

fn told(server: &Server, reason: &str) -> usize {
    server.notes.iter().filter(|note| *note == reason).count()
}

#[test]
fn a_warning_lasts_as_long_as_its_cause_and_is_told_once() {
    let mut server = running();
    let twice = json!([{"key": "MODE", "value": "a"}, {"key": "MODE", "value": "b"}]);
    let mut repeated = workload("cart");
    repeated["containers"]["main"]["env"] = twice;
    server.put(Kind::Workload, "cart", repeated);
    server.settle();
    let warning = "RenderedOtherwise: variable \"MODE\" is given more than once: the last value counts";
    let binding = Kind::ServiceBinding;
    assert_eq!(warned(&server, binding, "cart"), warning);
    assert_eq!(told(&server, "RenderedOtherwise"), 1);
    server.report("cart", "Healthy");
    server.settle();
    assert!(ready(&server, binding, "cart").starts_with("True ResourcesActive"));
    let last = server.get(binding, "cart").pointer("/status/conditions/1/type");
    assert_eq!(last, Some(&json!("Ready")), "clients read the last one");

    // Another hub finds it said.
    server.writes.clear();
    server.restart();
    server.settle();
    assert!(server.writes.is_empty(), "{:?}", server.writes);

    // While nothing can be rendered, it is not known to be mended.
    server.delete(Kind::ServiceClass, "default");
    server.settle();
    assert!(ready(&server, binding, "cart").starts_with("False ServiceClassNotFound"));
    assert_eq!(warned(&server, binding, "cart"), warning);
    server.put(
        Kind::ServiceClass,
        "default",
        json!({"deploymentTemplate": {"replicas": 1}}),
    );
    server.settle();
    assert_eq!(told(&server, "RenderedOtherwise"), 1);

    server.put(Kind::Workload, "cart", workload("cart"));
    server.settle();
    assert_eq!(warned(&server, binding, "cart"), "");
}

#[test]
fn a_warning_on_a_component_goes_with_its_cause_and_leaves_nothing() {
    let mut server = running();
    server.put(
        Kind::Service,
        "cart",
        service_with("cart", "overrides", json!({"replicas": true})),
    );
    server.settle();
    assert_eq!(told(&server, "FieldsWithoutEffect"), 1);
    server.restart();
    server.settle();
    assert_eq!(told(&server, "FieldsWithoutEffect"), 1);
    server.put(Kind::Service, "cart", service("cart"));
    server.settle();
    let service = server.get(Kind::Service, "cart");
    assert_eq!(service["status"], json!({"conditions": []}));
}
