//! DataPlanes and BuildPlanes: each is a Plane, as an organization sees it.

use kube::core::ObjectMeta;
use outhaul_hub_render::{ORGANIZATION_DOMAIN, PUBLIC_DOMAIN};
use outhaul_hub_resources::conditions::{CONNECTED, CREATED, CREDENTIALS_PRESENT, status};
use outhaul_hub_resources::{AdmittedKind, BuildPlane, ConditionStatus, DataPlane, KubernetesCluster, Plane};

use super::{Verdict, say, there, unreadable};
use crate::condition::{self, Said};
use crate::controllers::look::{Look, Plan};
use crate::controllers::saying::{self, Former, WITHOUT_EFFECT};
use crate::controllers::{Kind, credentials};
use crate::reason::{NO_PLANE, NOT_ADMITTED};

/// As OpenChoreo says it.
const DATA_PLANE_CREATED: &str = "DataPlaneCreated";
/// The agent of the plane has a session.
const PLANE_CONNECTED: &str = "PlaneConnected";
/// It has none, or never had one.
pub(in crate::controllers) const NOT_CONNECTED: &str = "PlaneNotConnected";
/// The agent of the plane is refused.
const PLANE_REVOKED: &str = "PlaneRevoked";
/// The resource holds how a cluster was dialled.
const KUBERNETES_CLUSTER_SET: &str = "KubernetesClusterSet";

/// A DataPlane or BuildPlane.
pub(in crate::controllers) trait User {
    const KIND: AdmittedKind;

    fn metadata(&self) -> &ObjectMeta;
    fn cluster(&self) -> Option<&KubernetesCluster>;
    fn status(&self) -> Option<&ConditionStatus>;
    /// What OpenChoreo says of it.
    fn there() -> Option<Said>;
    /// Fields that change nothing, and why. Hosts change something where `plane_hosts` says so.
    fn without_effect(&self, plane_hosts: bool) -> Vec<String>;
}

/// What is to be said of one.
pub(in crate::controllers) fn plan<U: User>(look: &Look<'_>, user: &U) -> Plan {
    if user.metadata().deletion_timestamp.is_some() {
        return Plan::Nothing;
    }
    let beside = U::there().into_iter().chain(stored_credentials(user));
    let beside = beside.chain(saying::warnings(
        WITHOUT_EFFECT,
        &user.without_effect(look.plane_hosts),
    ));
    say(
        look,
        Former::of(user.status()),
        beside.collect(),
        verdict::<U>(look),
    )
}

fn verdict<U: User>(look: &Look<'_>) -> Verdict {
    let name = (look.key.namespace.clone(), look.key.name.clone());
    let plane = look.routing.plane_of(U::KIND, &name);
    let plane = plane.map_err(|error| (NO_PLANE, error.to_string()))?;
    let admitted = look.routing.check_user(&plane, U::KIND, &name);
    admitted.map_err(|error| (NOT_ADMITTED, error.to_string()))?;
    match look.stores.get::<Plane>("", plane.as_str()) {
        Some(Ok(plane)) => connected(plane, &look.key.name),
        Some(Err(why)) => Err(unreadable(Kind::Plane, plane.as_str(), why.0)),
        None => Err((NO_PLANE, format!("Plane {plane} does not exist"))),
    }
}

fn connected(plane: &Plane, user: &str) -> Verdict {
    let name = plane.metadata.name.as_deref().unwrap_or(user);
    if plane.spec.revoked {
        let message =
            format!("Plane {name:?} is revoked: its agent is refused until spec.revoked is false again");
        return Err((PLANE_REVOKED, message));
    }
    let conditions = plane.status.as_ref().map(|status| status.conditions.as_slice());
    match condition::get(conditions.unwrap_or_default(), CONNECTED) {
        Some(connected) if connected.status == status::TRUE => {
            Ok((PLANE_CONNECTED, format!("Plane {name:?} is connected")))
        }
        Some(connected) => Err((
            NOT_CONNECTED,
            format!("Plane {name:?} is not connected: {}", connected.message),
        )),
        None => Err((
            NOT_CONNECTED,
            format!(
                "Plane {name:?} was never connected: start an agent in the cluster with what 'outhaul plane token \
                 {name}' prints"
            ),
        )),
    }
}

fn stored_credentials<U: User>(user: &U) -> Option<Said> {
    let places = credentials::places(user.metadata(), user.cluster())?;
    Some(Said {
        r#type: CREDENTIALS_PRESENT,
        status: status::TRUE,
        reason: KUBERNETES_CLUSTER_SET.to_owned(),
        message: format!(
            "how this cluster was dialled is still stored, and nobody needs it: take out {places}, and revoke the \
             credentials in the cluster"
        ),
        generation: None,
    })
}

impl User for DataPlane {
    const KIND: AdmittedKind = AdmittedKind::DataPlane;

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn cluster(&self) -> Option<&KubernetesCluster> {
        self.spec.kubernetes_cluster.as_ref()
    }

    fn status(&self) -> Option<&ConditionStatus> {
        self.status.as_ref()
    }

    fn there() -> Option<Said> {
        Some(there(CREATED, DATA_PLANE_CREATED, "Dataplane is created"))
    }

    fn without_effect(&self, plane_hosts: bool) -> Vec<String> {
        let (registry, gateway) = (&self.spec.registry, &self.spec.gateway);
        let secret = registry.secret_ref.as_deref().unwrap_or_default();
        let is_set = !(registry.prefix.is_empty() && secret.is_empty());
        let registry =
            is_set.then(|| "spec.registry: images are pulled as their names are written".to_owned());
        let hosts = [
            ("publicVirtualHost", &gateway.public_virtual_host, PUBLIC_DOMAIN),
            (
                "organizationVirtualHost",
                &gateway.organization_virtual_host,
                ORGANIZATION_DOMAIN,
            ),
        ];
        let hosts = hosts
            .into_iter()
            .filter(|(_, host, domain)| !plane_hosts && !host.is_empty() && host != domain);
        let hosts = hosts.map(|(field, _, domain)| format!("spec.gateway.{field}: hosts end in {domain}"));
        registry.into_iter().chain(hosts).collect()
    }
}

impl User for BuildPlane {
    const KIND: AdmittedKind = AdmittedKind::BuildPlane;

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn cluster(&self) -> Option<&KubernetesCluster> {
        self.spec.kubernetes_cluster.as_ref()
    }

    fn status(&self) -> Option<&ConditionStatus> {
        self.status.as_ref()
    }

    fn there() -> Option<Said> {
        None
    }

    fn without_effect(&self, _plane_hosts: bool) -> Vec<String> {
        Vec::new()
    }
}
