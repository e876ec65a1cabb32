//! Names that the control plane and the planes agree on.

/// API group of [`Plane`](crate::Plane) and [`Bundle`](crate::Bundle).
pub const GROUP: &str = "outhaul.dev";

/// API group of the kinds that OpenChoreo defined.
pub const OPENCHOREO_GROUP: &str = "openchoreo.dev";

/// The only API version of both groups.
pub const VERSION: &str = "v1alpha1";

/// Keeps a Release until its objects are gone from the plane.
pub const RELEASE_FINALIZER: &str = "openchoreo.dev/dataplane-cleanup";

/// Keeps a Bundle until its objects are gone from the plane, and a Plane while something is on it.
pub const FINALIZER: &str = "outhaul.dev/cleanup";

/// Namespace in which an Environment or DataPlane is looked for when the Release's own has none and the
/// compatible fallback is switched on.
pub const FALLBACK_NAMESPACE: &str = "default";
