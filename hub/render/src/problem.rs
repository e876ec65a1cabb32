//! What is wrong with a binding, its class or its connections. Each says what it is about and what to do.

use std::fmt;

use crate::{change::NotOurs, class::Malformed, duration::NotADuration, reason, template::Unsupported};

/// The kinds of classes that bindings name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassKind {
    /// `ServiceClass`.
    Service,
    /// `WebApplicationClass`.
    WebApplication,
    /// `ScheduledTaskClass`.
    ScheduledTask,
}

impl fmt::Display for ClassKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Service => "ServiceClass",
            Self::WebApplication => "WebApplicationClass",
            Self::ScheduledTask => "ScheduledTaskClass",
        })
    }
}

/// Why nothing can be rendered. The Release stays as it is: an error takes nothing away.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The class that the binding names does not exist.
    #[error("{kind} {name:?} not found: create it in namespace {namespace:?}, or correct spec.className")]
    ClassNotFound {
        /// Kind of the class.
        kind: ClassKind,
        /// Its name.
        name: String,
        /// Where it has to be.
        namespace: String,
    },
    /// The class that an API names does not exist.
    #[error(
        "APIClass {class:?} not found for API {api:?}: create it in namespace {namespace:?}, or correct {field}"
    )]
    ApiClassNotFound {
        /// Name of the class.
        class: String,
        /// Name of the API.
        api: String,
        /// Where it has to be.
        namespace: String,
        /// The field that names it.
        field: String,
    },
    /// The API that the binding names does not exist.
    #[error("API {name:?} not found: create it in namespace {namespace:?}, or correct spec.apiName")]
    ApiNotFound {
        /// Its name.
        name: String,
        /// Where it has to be.
        namespace: String,
    },
    /// The class has a template that is not what it should be.
    #[error("{kind} {name:?}: correct {template}")]
    Class {
        /// Kind of the class.
        kind: ClassKind,
        /// Its name.
        name: String,
        /// The field that holds the template.
        template: &'static str,
        /// What is wrong there.
        #[source]
        source: Malformed,
    },
    /// A connection leads nowhere.
    #[error(
        "failed to find target binding for connection {connection}: no service binding found for component {component} \
         in environment {environment}; deploy it there as a Service, whose binding can be read, or correct \
         params.componentName"
    )]
    NoTarget {
        /// Name of the connection.
        connection: String,
        /// Component that it names.
        component: String,
        /// Environment of the binding.
        environment: String,
    },
    /// The component that a connection leads to has no such endpoint.
    #[error(
        "connection {connection}: endpoint {endpoint} not found in target binding {component}; give its workload one, or \
         correct params.endpoint"
    )]
    NoTargetEndpoint {
        /// Name of the connection.
        connection: String,
        /// Endpoint that it names.
        endpoint: String,
        /// Component that it names.
        component: String,
    },
    /// A connection lacks what it needs to lead anywhere.
    #[error("connection {connection}: params.{parameter} is missing: set it to a name")]
    NoParameter {
        /// Name of the connection.
        connection: String,
        /// The parameter.
        parameter: &'static str,
    },
    /// A variable of a connection cannot be worked out.
    #[error("connection {connection}, variable {variable}")]
    Template {
        /// Name of the connection.
        connection: String,
        /// Name of the variable.
        variable: String,
        /// What is not supported.
        #[source]
        source: Unsupported,
    },
    /// A name would be a label of every object, and Kubernetes takes none like it.
    #[error(
        "{what} {value:?} cannot be the value of a label: use at most 63 letters, digits, '-', '_' and '.'"
    )]
    Label {
        /// Whose name it is.
        what: &'static str,
        /// The name.
        value: String,
    },
    /// The namespace for the objects has a name that Kubernetes does not take.
    #[error(
        "namespace {0:?} in the plane has no valid name: use lower-case letters, digits and '-' in the names of project and environment"
    )]
    Namespace(String),
    /// The Release, or the parent, is another's.
    #[error(transparent)]
    NotOurs(#[from] NotOurs),
}

impl RenderError {
    /// The reason of the condition that says it.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::ClassNotFound { kind, .. } => match kind {
                ClassKind::Service => reason::SERVICE_CLASS_NOT_FOUND,
                ClassKind::WebApplication => reason::WEB_APPLICATION_CLASS_NOT_FOUND,
                ClassKind::ScheduledTask => reason::SCHEDULED_TASK_CLASS_NOT_FOUND,
            },
            Self::ApiClassNotFound { .. } => reason::API_CLASS_NOT_FOUND,
            Self::ApiNotFound { .. }
            | Self::Class { .. }
            | Self::NoTarget { .. }
            | Self::NoTargetEndpoint { .. }
            | Self::NoParameter { .. }
            | Self::Template { .. }
            | Self::Label { .. }
            | Self::Namespace(_)
            | Self::NotOurs(_) => reason::INVALID_CONFIGURATION,
        }
    }
}

/// What is wrong with one object. The others are rendered; of this one the stored form stays, where there is one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The workload has nothing to run.
    #[error("{object}: the workload has no container: give it one with an image")]
    NoContainer {
        /// Which object.
        object: String,
    },
    /// Kubernetes takes no container without image.
    #[error(
        "{object}: container {container:?} has no image: it comes from the class, and the workload's container is named \
         {workload:?}; give both one name"
    )]
    NoImage {
        /// Which object.
        object: String,
        /// The container.
        container: String,
        /// The one of the workload.
        workload: String,
    },
    /// Kubernetes takes no container of such a name.
    #[error(
        "{object}: container {container:?} has no valid name: use at most 63 lower-case letters, digits and '-'"
    )]
    ContainerName {
        /// Which object.
        object: String,
        /// The container.
        container: String,
    },
    /// A host that gateways do not take.
    #[error(
        "{object}: {host:?} is no valid host: use lower-case letters, digits and '-' in spec.owner.componentName"
    )]
    Host {
        /// Which object.
        object: String,
        /// The host.
        host: String,
    },
    /// Kubernetes takes no variable of such a name.
    #[error("{object}: variable {variable:?} has no valid name: use printable characters of ASCII, but '='")]
    VariableName {
        /// Which object.
        object: String,
        /// The variable.
        variable: String,
    },
    /// Kubernetes takes no variable with two values.
    #[error(
        "{object}: variable {variable:?} has a value in the workload and a source in the class; keep one"
    )]
    TwoValues {
        /// Which object.
        object: String,
        /// The variable.
        variable: String,
    },
    /// Kubernetes lets nobody change how a Deployment finds its pods.
    #[error(
        "{object}: its pods are found by labels that cannot be changed while it is there: say releaseState Undeploy and then \
         Active again, which stops it in between, or take back what was changed of spec.owner or of the selector of the \
         class"
    )]
    Selector {
        /// Which object.
        object: String,
    },
    /// A CronJob without time.
    #[error("{object}: ScheduledTaskClass {class:?} has no schedule: set spec.cronJobTemplate.schedule")]
    NoSchedule {
        /// Which object.
        object: String,
        /// The class.
        class: String,
    },
    /// A name that Kubernetes does not take.
    #[error(
        "{object}: {name:?} is no valid name of at most {limit} characters: shorten or correct the names it is made of"
    )]
    Name {
        /// Which object.
        object: String,
        /// The name.
        name: String,
        /// The longest that there may be.
        limit: usize,
    },
    /// An id that Kubernetes does not take as a label.
    #[error(
        "{object}: its id {id:?} cannot be a label of at most 63 characters: shorten or correct the names it is made of"
    )]
    Id {
        /// Which object.
        object: String,
        /// The id.
        id: String,
    },
    /// Two objects of one id: the first stays.
    #[error("{object}: another object has the id {id:?} already: rename an API, or list each level once")]
    SameId {
        /// Which object.
        object: String,
        /// The id.
        id: String,
    },
    /// A REST API that says nothing about itself.
    #[error("API {api:?} is of type REST and has no rest part: set rest.backend.port")]
    NoRest {
        /// The API.
        api: String,
    },
    /// A port that there cannot be.
    #[error("API {api:?}: rest.backend.port is {port}: set a port from 1 to 65535")]
    Port {
        /// The API.
        api: String,
        /// The port.
        port: i32,
    },
    /// A path that gateways do not take.
    #[error(
        "API {api:?}: rest.backend.basePath is {path:?}: use letters, digits and any of -._~!$&'()*+,;=:@/, write others as \
         % and two hexadecimal digits, and no slash as %2F"
    )]
    BasePath {
        /// The API.
        api: String,
        /// The path.
        path: String,
    },
    /// A route without anything behind it.
    #[error(
        "API {api:?} leads to a Service that has no port: give the workload an endpoint with port {port}"
    )]
    NoService {
        /// The API.
        api: String,
        /// The port.
        port: i32,
    },
    /// A class that says nothing about REST.
    #[error(
        "API {api:?}: APIClass {class:?} has no restPolicy: set it, to {{}} where there is to be no policy"
    )]
    NoRestPolicy {
        /// The API.
        api: String,
        /// The class.
        class: String,
    },
    /// A rate limit in a time that is none.
    #[error("API {api:?}, level {level}: rateLimit.window of APIClass {class:?}: {wrong}")]
    Window {
        /// The API.
        api: String,
        /// The level.
        level: String,
        /// The class.
        class: String,
        /// What stands there.
        wrong: NotADuration,
    },
    /// A rate limit below nothing, or above what gateways count.
    #[error(
        "API {api:?}, level {level}: rateLimit.requests of APIClass {class:?} is {requests}: set 0 to 4294967295"
    )]
    Requests {
        /// The API.
        api: String,
        /// The level.
        level: String,
        /// The class.
        class: String,
        /// What stands there.
        requests: i64,
    },
    /// A limit below nothing.
    #[error(
        "API {api:?}, level {level}: circuitBreaker.{field} of APIClass {class:?} is {limit}: set 0 or more"
    )]
    Breaker {
        /// The API.
        api: String,
        /// The level.
        level: String,
        /// The class.
        class: String,
        /// Which limit.
        field: &'static str,
        /// What stands there.
        limit: i32,
    },
    /// Something in a SecurityPolicy that gateways do not take.
    #[error("API {api:?}, level {level}: {field} of APIClass {class:?}: {wrong}")]
    Guard {
        /// The API.
        api: String,
        /// The level.
        level: String,
        /// The class.
        class: String,
        /// The field of the policy.
        field: &'static str,
        /// What is wrong there, and what to write.
        wrong: String,
    },
    /// A route that nothing would guard.
    #[error("{object}: it is not opened before its SecurityPolicy can be made: correct what is said of that")]
    NotOpened {
        /// Which object.
        object: String,
    },
    /// A route that nothing guards, and that is there.
    #[error(
        "{object}: it stays open as it is stored, without a SecurityPolicy that asks enough, which cannot be made: correct what \
         is said of that"
    )]
    StaysUnguarded {
        /// Which object.
        object: String,
    },
    /// Callers that nobody asks who they are, though the class wants it.
    #[error(
        "API {api:?}, level {level}: anybody may call it, since APIClass {class:?} asks for authentication {kind:?}; only \
         \"jwt\" with its jwt part is supported"
    )]
    Authentication {
        /// The API.
        api: String,
        /// The level.
        level: String,
        /// The class.
        class: String,
        /// What the class asks for.
        kind: String,
    },
    /// The same, where callers were asked for a token before.
    #[error("the stored SecurityPolicy stays, which asks for a token; without it, {0}")]
    StillAsked(Box<Problem>),
}

/// What is rendered otherwise than its author may expect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// A variable that is left out.
    #[error("variable {0:?} has no literal value and is left out: valueFrom is not supported")]
    ValueFrom(String),
    /// A variable without a value.
    #[error(
        "variable {0:?} has an empty value and is left out: set it in the class, if it has to be there and empty"
    )]
    EmptyValue(String),
    /// A value without a variable.
    #[error("a variable without a key is left out: name it, or take it out of the workload")]
    NoKey,
    /// A value of a connection without a variable.
    #[error("a variable of connection {0} without a name is left out: name it, or take it out of inject.env")]
    NoVariableName(String),
    /// A connection that leads to another project than it names.
    #[error(
        "connection {connection}: component {component} of project {project} is not in environment {environment}, so it \
         leads to the one of project {instead}: deploy it there, or correct params.projectName"
    )]
    OtherProject {
        /// Name of the connection.
        connection: String,
        /// Component that it names.
        component: String,
        /// Project that it names.
        project: String,
        /// Environment of the binding.
        environment: String,
        /// Project that it leads to.
        instead: String,
    },
    /// A connection to what is not there.
    #[error(
        "connection {connection}: ServiceBinding {target}, which it leads to, is undeployed: there is nothing under the \
         address until it is active"
    )]
    TargetUndeployed {
        /// Name of the connection.
        connection: String,
        /// Name of the binding that it leads to.
        target: String,
    },
    /// A variable that is given more than once.
    #[error("variable {0:?} is given more than once: the last value counts")]
    Repeated(String),
    /// Containers that are left out.
    #[error("of several containers only {0:?}, the first by name, is used")]
    SeveralContainers(String),
    /// Policies for a route that is not there.
    #[error(
        "API {0:?} has no exposeLevels: its route is public and without policies, as in OpenChoreo; name the levels, or \
         leave level-policies out of the hub's --as-openchoreo"
    )]
    Unguarded(String),
    /// Routes without policies, for want of a class.
    #[error(
        "API {0:?} names no APIClass: anybody may call it, since its routes are without policies; name one in \
         spec.apis.{0}.className"
    )]
    NoApiClass(String),
    /// A host that no resolver takes.
    #[error(
        "the host {0:?} begins with more than 63 characters, so it cannot be looked up: shorten the name of the component \
         or of the environment"
    )]
    LongHost(String),
    /// Several routes of one host and path.
    #[error(
        "endpoints {endpoints} are all at {host}/, where gateways lead to one of them only: keep one endpoint"
    )]
    OneAddress {
        /// Their names, with commas between.
        endpoints: String,
        /// The host.
        host: String,
    },
    /// A task that runs on.
    #[error(
        "spec.releaseState has no effect, as in OpenChoreo: say Active, or leave task-states out of the hub's --as-openchoreo"
    )]
    StateIgnored,
    /// A route to where nothing listens.
    #[error(
        "API {api:?} leads to port {port}, which the component's Service does not have: give the workload an endpoint with \
         it, or correct rest.backend.port"
    )]
    NoSuchPort {
        /// The API.
        api: String,
        /// The port.
        port: i32,
    },
    /// A level that nobody knows.
    #[error(
        "API {api:?}: level {level:?} is not known, so it is as narrow as Organization: say Public, Organization or Project"
    )]
    UnknownLevel {
        /// The API.
        api: String,
        /// The level.
        level: String,
    },
    /// An API that no gateway leads to.
    #[error("API {api:?} is of type {kind:?} and has no route: only REST is routed")]
    NotRouted {
        /// The API.
        api: String,
        /// What it is.
        kind: String,
    },
    /// Connections of what has none.
    #[error(
        "a scheduled task gets no variables of its connections: write them into env, or take the connections out"
    )]
    TaskConnections,
    /// Requests go where they went.
    #[error("the stored Deployment runs on, so its Service and routes stay as they are stored too")]
    DeploymentKept,
    /// A port that is left out.
    #[error(
        "{what}: port {port} is there for {stays} alone and not for {lost}, since the class has ports of its own: give the \
         endpoints different ports, or take the ports out of the class"
    )]
    PortLost {
        /// Where it is not.
        what: &'static str,
        /// Its number.
        port: i32,
        /// The protocol that has none.
        lost: &'static str,
        /// The protocol that has it.
        stays: String,
    },
    /// A Service that is left out.
    #[error("neither workload nor class has a port: there is no Service")]
    NoPorts,
    /// Fields of a class that nothing is done about.
    #[error("APIClass {class:?}: without effect, leave it out: {}", fields.join(", "))]
    WithoutEffect {
        /// The class.
        class: String,
        /// The fields.
        fields: Vec<String>,
    },
    /// Fields of a class that nothing is done about, though a newer Kubernetes may know them.
    #[error(
        "{class}: Kubernetes 1.32 does not know these fields, so they have no effect, as in OpenChoreo: {}: correct them, or \
         leave class-fields out of the hub's --as-openchoreo", fields.join(", ")
    )]
    FieldsLost {
        /// The class.
        class: String,
        /// The fields.
        fields: Vec<String>,
    },
    /// An API that is no part of a component.
    #[error(
        "API {0:?} is not exposed, whatever it and its class say: expose an endpoint in spec.apis of a Service instead"
    )]
    NotExposed(String),
    /// A rate limit over another time.
    #[error("API {api:?}, level {level}: the rate limit counts per {unit}, not per {window}")]
    Window {
        /// The API.
        api: String,
        /// The level.
        level: String,
        /// The time that is written.
        window: String,
        /// The time that counts.
        unit: &'static str,
    },
}
