//! Which plane a resource goes to, and whether it may.
//!
//! A Release names an Environment, that a DataPlane, that a Plane; a Bundle names its Plane. Who may use a plane,
//! and for what, the Plane itself says.

use std::collections::{BTreeMap, BTreeSet};

use outhaul_hub_resources::{Admission, AdmittedKind, names};
use outhaul_protocol_wire::head::Key;
use outhaul_protocol_wire::ids::PlaneName;
use outhaul_protocol_wire::pattern;

use crate::resource::{Scope, Target};

/// A namespaced name.
pub type Name = (String, String);

/// What resources say about ways to planes.
#[derive(Debug, Default)]
pub struct Routing {
    fallback: bool,
    environments: BTreeMap<Name, Option<String>>,
    users: BTreeMap<(AdmittedKind, Name), Option<String>>,
    admissions: BTreeMap<PlaneName, Vec<Admission>>,
    /// The planes that admit a DataPlane or BuildPlane: a fleet has many planes, and each resource asks.
    admitting: BTreeMap<(AdmittedKind, Name), BTreeSet<PlaneName>>,
    /// Planes that nothing new goes to.
    going: BTreeMap<PlaneName, Going>,
    /// Planes that stay while something is on them: they have our finalizer.
    kept: BTreeSet<PlaneName>,
}

/// Why nothing new goes to a plane that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Going {
    /// It is being deleted. What is there is still served.
    Deleted,
    /// It will never return.
    Forgotten,
}

/// A way to a plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The plane.
    pub plane: PlaneName,
    user: User,
}

/// Whose admission counts.
#[derive(Debug, Clone, PartialEq, Eq)]
enum User {
    /// That of one DataPlane.
    DataPlane(Name),
    /// That of any DataPlane or BuildPlane of the namespace.
    Namespace(String),
}

/// Why a resource has no plane.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPlane {
    /// The Environment does not exist.
    #[error("Environment {0} does not exist in namespace {1}: create it, or name another one")]
    NoEnvironment(String, String),
    /// The Environment names no DataPlane.
    #[error("Environment {0} has no spec.dataPlaneRef: name the DataPlane that serves it")]
    NoDataPlaneRef(String),
    /// The DataPlane does not exist.
    #[error(
        "DataPlane {name} does not exist in namespace {namespace}: create it, or correct spec.dataPlaneRef of Environment \
         {environment}"
    )]
    NoDataPlane {
        /// Its name.
        name: String,
        /// Where it has to be.
        namespace: String,
        /// The Environment that names it.
        environment: String,
    },
    /// The DataPlane or BuildPlane names no Plane, and not exactly one admits it.
    #[error(
        "{} {name} has no spec.planeID, and {admitting} Planes admit it: name one, or make a token with \
         `outhaul plane token --for {}/{namespace}/{name}`", kind.as_str(), kind.as_str().to_lowercase()
    )]
    Ambiguous {
        /// Its kind.
        kind: AdmittedKind,
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// Planes that admit it.
        admitting: usize,
    },
    /// The Plane does not exist.
    #[error("Plane {0} does not exist; `outhaul plane token {0}` makes it")]
    NoSuchPlane(String),
    /// The Plane is being deleted, and what asks is not there yet.
    #[error("Plane {0} is being deleted, so nothing new goes there: name another one")]
    Deleted(PlaneName),
    /// The Plane was forgotten.
    #[error(
        "Plane {0} was forgotten, since it will never return: name another one, or set spec.forgotten of it to false"
    )]
    Forgotten(PlaneName),
}

/// The plane does not admit what the resource wants there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    /// Nobody in the namespace is admitted.
    #[error("Plane {plane} does not admit {user}: add it to spec.admits")]
    User {
        /// The plane.
        plane: PlaneName,
        /// Who.
        user: String,
    },
    /// A namespace of the plane.
    #[error(
        "Plane {plane} does not admit {user} to namespace {namespace}: add it to targetNamespaces in spec.admits"
    )]
    Namespace {
        /// The plane.
        plane: PlaneName,
        /// Who.
        user: String,
        /// Which namespace.
        namespace: String,
    },
    /// A cluster-scoped kind.
    #[error(
        "Plane {plane} does not admit {user} to {kind} without a namespace: name a namespace, or add the kind to clusterScopedKinds in spec.admits"
    )]
    ClusterScoped {
        /// The plane.
        plane: PlaneName,
        /// Who.
        user: String,
        /// Which kind.
        kind: String,
    },
}

impl Routing {
    /// No ways yet. With `fallback` an Environment or DataPlane that the Release's namespace lacks is looked for in
    /// `default`.
    pub fn new(fallback: bool) -> Self {
        Self {
            fallback,
            environments: BTreeMap::new(),
            users: BTreeMap::new(),
            admissions: BTreeMap::new(),
            admitting: BTreeMap::new(),
            going: BTreeMap::new(),
            kept: BTreeSet::new(),
        }
    }

    /// Sets what an Environment says, or forgets it. Returns whether that is news.
    pub fn set_environment(&mut self, name: Name, data_plane: Option<Option<String>>) -> bool {
        set(&mut self.environments, name, data_plane)
    }

    /// Sets what a DataPlane or BuildPlane says, or forgets it. Returns whether that is news.
    pub fn set_user(&mut self, kind: AdmittedKind, name: Name, plane: Option<Option<String>>) -> bool {
        set(&mut self.users, (kind, name), plane)
    }

    /// How many Planes exist.
    pub fn planes(&self) -> usize {
        self.admissions.len()
    }

    /// Sets what a Plane admits, or forgets it.
    pub fn set_plane(&mut self, plane: PlaneName, admits: Option<Vec<Admission>>) {
        for admission in self.admissions.get(&plane).into_iter().flatten() {
            let user = user(admission);
            if let Some(planes) = self.admitting.get_mut(&user) {
                planes.remove(&plane);
                if planes.is_empty() {
                    self.admitting.remove(&user);
                }
            }
        }
        for admission in admits.iter().flatten() {
            let planes = self.admitting.entry(user(admission)).or_default();
            planes.insert(plane.clone());
        }
        set(&mut self.admissions, plane, admits);
    }

    /// Sets why nothing new goes to a plane, or that it may.
    pub fn set_going(&mut self, plane: PlaneName, going: Option<Going>) {
        set(&mut self.going, plane, going);
    }

    /// Sets whether a Plane has our finalizer. Returns whether that is new.
    pub fn set_kept(&mut self, plane: &PlaneName, kept: bool) -> bool {
        match kept {
            true => self.kept.insert(plane.clone()),
            false => self.kept.remove(plane),
        }
    }

    /// Whether a Plane stays while something is on it.
    pub fn keeps(&self, plane: &PlaneName) -> bool {
        self.kept.contains(plane)
    }

    /// Whether a plane will never return.
    pub fn is_forgotten(&self, plane: &PlaneName) -> bool {
        self.going.get(plane) == Some(&Going::Forgotten)
    }

    /// Checks that a resource, which is on plane `there` if on any, may go to a plane.
    ///
    /// # Errors
    /// Nothing new may.
    pub fn check_going(&self, plane: &PlaneName, there: Option<&PlaneName>) -> Result<(), NoPlane> {
        match self.going.get(plane) {
            Some(Going::Forgotten) => Err(NoPlane::Forgotten(plane.clone())),
            Some(Going::Deleted) if there != Some(plane) => Err(NoPlane::Deleted(plane.clone())),
            Some(Going::Deleted) | None => Ok(()),
        }
    }

    /// The plane of a resource.
    ///
    /// # Errors
    /// There is none; the error says which link is missing.
    pub fn route(&self, key: &Key, target: &Target) -> Result<Route, NoPlane> {
        match target {
            Target::Plane(name) => Ok(Route {
                plane: self.existing(name)?,
                user: User::Namespace(key.namespace.clone()),
            }),
            Target::Environment(name) => {
                let data_plane = self.data_plane(&key.namespace, name)?;
                Ok(Route {
                    plane: self.plane_of(AdmittedKind::DataPlane, &data_plane)?,
                    user: User::DataPlane(data_plane),
                })
            }
        }
    }

    /// Checks that the plane admits everything that a resource wants there.
    ///
    /// # Errors
    /// It does not; the error names the first thing.
    pub fn check<'a>(
        &self,
        route: &Route,
        scopes: impl IntoIterator<Item = &'a Scope>,
    ) -> Result<(), NotAdmitted> {
        let admissions = self.admissions.get(&route.plane).map_or(&[][..], Vec::as_slice);
        let mine: Vec<_> = admissions
            .iter()
            .filter(|admission| route.user.is(admission))
            .collect();
        let (plane, user) = (route.plane.clone(), route.user.describe());
        if mine.is_empty() {
            return Err(NotAdmitted::User { plane, user });
        }
        let refused = scopes
            .into_iter()
            .find(|scope| !mine.iter().any(|admission| admits(admission, scope)));
        match refused.cloned() {
            None => Ok(()),
            Some(Scope::Namespace(namespace)) => Err(NotAdmitted::Namespace {
                plane,
                user,
                namespace,
            }),
            Some(Scope::Cluster(kind)) => Err(NotAdmitted::ClusterScoped { plane, user, kind }),
        }
    }

    fn data_plane(&self, namespace: &str, environment: &str) -> Result<Name, NoPlane> {
        let (found, data_plane) = self
            .lookup(&self.environments, namespace, environment, |name| name)
            .ok_or_else(|| NoPlane::NoEnvironment(environment.to_owned(), namespace.to_owned()))?;
        let data_plane = data_plane
            .filter(|name| !name.is_empty())
            .ok_or_else(|| NoPlane::NoDataPlaneRef(environment.to_owned()))?;
        let in_data_planes = |name| (AdmittedKind::DataPlane, name);
        let (found, _) = self
            .lookup(&self.users, &found.0, &data_plane, in_data_planes)
            .ok_or_else(|| NoPlane::NoDataPlane {
                name: data_plane.clone(),
                namespace: found.0.clone(),
                environment: environment.to_owned(),
            })?;
        Ok(found)
    }

    /// The plane of a DataPlane or BuildPlane.
    ///
    /// # Errors
    /// There is none; the error says why.
    pub fn plane_of(&self, kind: AdmittedKind, user: &Name) -> Result<PlaneName, NoPlane> {
        match self.users.get(&(kind, user.clone())) {
            Some(Some(plane)) if !plane.is_empty() => self.existing(plane),
            _ => self.the_one_that_admits(kind, user),
        }
    }

    fn the_one_that_admits(&self, kind: AdmittedKind, user: &Name) -> Result<PlaneName, NoPlane> {
        let admitting = self.admitting.get(&(kind, user.clone()));
        let mut planes = admitting.into_iter().flatten();
        match (planes.next(), planes.next()) {
            (Some(plane), None) => Ok(plane.clone()),
            (None | Some(_), _) => Err(NoPlane::Ambiguous {
                kind,
                namespace: user.0.clone(),
                name: user.1.clone(),
                admitting: admitting.map_or(0, BTreeSet::len),
            }),
        }
    }

    fn existing(&self, plane: &str) -> Result<PlaneName, NoPlane> {
        PlaneName::new(plane)
            .ok()
            .filter(|name| self.admissions.contains_key(name))
            .ok_or_else(|| NoPlane::NoSuchPlane(plane.to_owned()))
    }

    /// Checks that a plane admits a DataPlane or BuildPlane.
    ///
    /// # Errors
    /// It does not.
    pub fn check_user(&self, plane: &PlaneName, kind: AdmittedKind, user: &Name) -> Result<(), NotAdmitted> {
        let admitting = self.admitting.get(&(kind, user.clone()));
        match admitting.is_some_and(|planes| planes.contains(plane)) {
            true => Ok(()),
            false => Err(NotAdmitted::User {
                plane: plane.clone(),
                user: format!("{} {}/{}", kind.as_str(), user.0, user.1),
            }),
        }
    }

    /// The namespaces in which names of this one are looked for, in this order.
    pub fn namespaces<'a>(&self, namespace: &'a str) -> impl Iterator<Item = &'a str> + use<'a> {
        let fallback = self.fallback && namespace != names::FALLBACK_NAMESPACE;
        let fallback = fallback.then_some(names::FALLBACK_NAMESPACE);
        core::iter::once(namespace).chain(fallback)
    }

    /// Finds a name in a namespace, else in `default` where the compatible fallback is on.
    fn lookup<K: Ord>(
        &self,
        map: &BTreeMap<K, Option<String>>,
        namespace: &str,
        name: &str,
        key: impl Fn(Name) -> K,
    ) -> Option<(Name, Option<String>)> {
        self.namespaces(namespace).find_map(|namespace| {
            let name = (namespace.to_owned(), name.to_owned());
            let value = map.get(&key(name.clone()))?;
            Some((name, value.clone()))
        })
    }
}

impl User {
    fn is(&self, admission: &Admission) -> bool {
        match self {
            Self::DataPlane(name) => names_user(admission, AdmittedKind::DataPlane, name),
            Self::Namespace(namespace) => admission.namespace == *namespace,
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::DataPlane((namespace, name)) => format!("DataPlane {namespace}/{name}"),
            Self::Namespace(namespace) => format!("namespace {namespace}"),
        }
    }
}

fn set<K: Ord, V: PartialEq>(map: &mut BTreeMap<K, V>, key: K, value: Option<V>) -> bool {
    let news = map.get(&key) != value.as_ref();
    match value {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    };
    news
}

fn user(admission: &Admission) -> (AdmittedKind, Name) {
    let Admission {
        kind,
        namespace,
        name,
        ..
    } = admission;
    (*kind, (namespace.clone(), name.clone()))
}

fn names_user(admission: &Admission, kind: AdmittedKind, (namespace, name): &Name) -> bool {
    admission.kind == kind && admission.namespace == *namespace && admission.name == *name
}

fn admits(admission: &Admission, scope: &Scope) -> bool {
    match scope {
        Scope::Namespace(namespace) => admission
            .target_namespaces
            .iter()
            .any(|pattern| pattern::matches(pattern, namespace)),
        Scope::Cluster(kind) => admission.cluster_scoped_kinds.contains(kind),
    }
}

#[cfg(test)]
mod tests {
    use outhaul_protocol_wire::head::BundleKind;
    use outhaul_protocol_wire::ids::Uid;

    use super::*;

    fn name(namespace: &str, name: &str) -> Name {
        (namespace.to_owned(), name.to_owned())
    }

    fn plane(text: &str) -> PlaneName {
        PlaneName::new(text).unwrap()
    }

    fn release(namespace: &str) -> Key {
        Key {
            kind: BundleKind::Release,
            namespace: namespace.into(),
            name: "cart".into(),
            uid: Uid::new("u").unwrap(),
        }
    }

    fn admission(namespace: &str, data_plane: &str, targets: &[&str], kinds: &[&str]) -> Admission {
        let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        Admission {
            kind: AdmittedKind::DataPlane,
            namespace: namespace.into(),
            name: data_plane.into(),
            target_namespaces: owned(targets),
            cluster_scoped_kinds: owned(kinds),
        }
    }

    fn routing(fallback: bool) -> Routing {
        let mut routing = Routing::new(fallback);
        routing.set_environment(name("acme", "dev"), Some(Some("dp".into())));
        routing.set_environment(name("default", "shared"), Some(Some("dp".into())));
        routing.set_environment(name("acme", "bare"), Some(None));
        routing.set_environment(name("acme", "dangling"), Some(Some("nowhere".into())));
        routing.set_user(AdmittedKind::DataPlane, name("acme", "dp"), Some(None));
        routing.set_user(
            AdmittedKind::DataPlane,
            name("default", "dp"),
            Some(Some("two".into())),
        );
        routing.set_plane(
            plane("one"),
            Some(vec![admission("acme", "dp", &["shop-*"], &["Namespace"])]),
        );
        routing.set_plane(plane("two"), Some(Vec::new()));
        routing
    }

    #[test]
    fn what_says_the_same_as_before_is_no_news() {
        let mut routing = routing(false);
        let data_plane = |name: &str| Some(Some(name.to_owned()));
        assert!(!routing.set_environment(name("acme", "dev"), data_plane("dp")));
        assert!(routing.set_environment(name("acme", "dev"), data_plane("other")));
        assert!(routing.set_environment(name("acme", "dev"), None));
        assert!(!routing.set_environment(name("acme", "dev"), None));
        assert!(!routing.set_user(AdmittedKind::DataPlane, name("acme", "dp"), Some(None)));
        assert!(routing.set_user(AdmittedKind::BuildPlane, name("acme", "dp"), Some(None)));
    }

    fn route(routing: &Routing, namespace: &str, environment: &str) -> Result<String, NoPlane> {
        let target = Target::Environment(environment.to_owned());
        Ok(routing
            .route(&release(namespace), &target)?
            .plane
            .as_str()
            .to_owned())
    }

    #[test]
    fn a_release_follows_environment_and_data_plane_to_its_plane() {
        let routing = routing(true);
        assert_eq!(route(&routing, "acme", "dev").unwrap(), "one");
        assert_eq!(route(&routing, "acme", "shared").unwrap(), "two");
        assert_eq!(
            route(&routing, "acme", "bare"),
            Err(NoPlane::NoDataPlaneRef("bare".into()))
        );
        assert_eq!(
            route(&routing, "acme", "dangling"),
            Err(NoPlane::NoDataPlane {
                name: "nowhere".into(),
                namespace: "acme".into(),
                environment: "dangling".into(),
            })
        );
        assert_eq!(
            route(&routing, "acme", "typo"),
            Err(NoPlane::NoEnvironment("typo".into(), "acme".into()))
        );
    }

    #[test]
    fn a_missing_link_is_named_with_what_to_do_about_it() {
        let routing = routing(true);
        for (environment, says) in [
            (
                "bare",
                "Environment bare has no spec.dataPlaneRef: name the DataPlane that serves it",
            ),
            (
                "dangling",
                "DataPlane nowhere does not exist in namespace acme: create it, or correct spec.dataPlaneRef of \
                 Environment dangling",
            ),
            (
                "typo",
                "Environment typo does not exist in namespace acme: create it, or name another one",
            ),
        ] {
            let refused = route(&routing, "acme", environment).unwrap_err();
            assert_eq!(refused.to_string(), says);
        }
    }

    #[test]
    fn the_namespace_default_is_read_only_where_the_fallback_is_on() {
        let routing = routing(false);
        assert!(matches!(
            route(&routing, "acme", "shared"),
            Err(NoPlane::NoEnvironment(..))
        ));
    }

    #[test]
    fn a_data_plane_that_two_planes_admit_has_none_until_it_names_one() {
        let mut routing = routing(true);
        routing.set_plane(plane("two"), Some(vec![admission("acme", "dp", &["*"], &[])]));
        let error = route(&routing, "acme", "dev").unwrap_err();
        assert!(matches!(error, NoPlane::Ambiguous { admitting: 2, .. }));
        routing.set_plane(plane("two"), Some(Vec::new()));
        assert_eq!(route(&routing, "acme", "dev").unwrap(), "one");
        routing.set_plane(plane("one"), Some(Vec::new()));
        let error = route(&routing, "acme", "dev").unwrap_err();
        assert!(matches!(error, NoPlane::Ambiguous { admitting: 0, .. }));
        routing.set_user(
            AdmittedKind::DataPlane,
            name("acme", "dp"),
            Some(Some("two".into())),
        );
        assert_eq!(route(&routing, "acme", "dev").unwrap(), "two");
        routing.set_plane(plane("two"), None);
        assert_eq!(
            route(&routing, "acme", "dev"),
            Err(NoPlane::NoSuchPlane("two".into()))
        );
    }

    #[test]
    fn a_bundle_names_its_plane_and_needs_an_admission_of_its_namespace() {
        let routing = routing(true);
        let go = |namespace: &str, to: &str| routing.route(&release(namespace), &Target::Plane(to.into()));
        let route = go("acme", "one").unwrap();
        assert!(
            routing
                .check(&route, &[Scope::Namespace("shop-dev".into())])
                .is_ok()
        );
        let route = go("other", "one").unwrap();
        assert!(matches!(
            routing.check(&route, &[]),
            Err(NotAdmitted::User { .. })
        ));
        assert_eq!(go("acme", "gone"), Err(NoPlane::NoSuchPlane("gone".into())));
        assert_eq!(
            go("acme", "Not A Name"),
            Err(NoPlane::NoSuchPlane("Not A Name".into()))
        );
    }

    #[test]
    fn what_the_plane_does_not_admit_is_named() {
        let routing = routing(true);
        let route = routing
            .route(&release("acme"), &Target::Environment("dev".into()))
            .unwrap();
        let check = |scope: Scope| routing.check(&route, &[scope]).map_err(|error| error.to_string());
        assert_eq!(check(Scope::Cluster("Namespace".into())), Ok(()));
        assert_eq!(check(Scope::Namespace("shop-a".into())), Ok(()));
        assert!(
            check(Scope::Namespace("kube-system".into()))
                .unwrap_err()
                .contains("kube-system")
        );
        let role = Scope::Cluster("rbac.authorization.k8s.io/ClusterRole".into());
        assert!(check(role).unwrap_err().contains("ClusterRole"));
    }
}
