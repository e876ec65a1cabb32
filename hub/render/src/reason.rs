//! Reasons of the condition `Ready` of a binding: words that REST and scripts match.

/// Every object is in its plane and healthy, or there is none.
pub const RESOURCES_ACTIVE: &str = "ResourcesActive";
/// Nothing runs, as the binding says.
pub const RESOURCES_SUSPENDED: &str = "ResourcesSuspended";
/// The objects are removed, or on their way out, as the binding says.
pub const RESOURCES_UNDEPLOYED: &str = "ResourcesUndeployed";
/// Some object is not done.
pub const HEALTH_PROGRESSING: &str = "ResourceHealthProgressing";
/// Some object is failing, or the Release is.
pub const HEALTH_DEGRADED: &str = "ResourceHealthDegraded";
/// The class of the service is missing.
pub const SERVICE_CLASS_NOT_FOUND: &str = "ServiceClassNotFound";
/// The class of the web application is missing.
pub const WEB_APPLICATION_CLASS_NOT_FOUND: &str = "WebApplicationClassNotFound";
/// The class of the scheduled task is missing.
pub const SCHEDULED_TASK_CLASS_NOT_FOUND: &str = "ScheduledTaskClassNotFound";
/// The class of an API is missing.
pub const API_CLASS_NOT_FOUND: &str = "APIClassNotFound";
/// Something in the binding, its class or its connections has to be corrected.
pub const INVALID_CONFIGURATION: &str = "InvalidConfiguration";
/// The API server did not take the Release.
pub const RELEASE_CREATION_FAILED: &str = "ReleaseCreationFailed";
/// The API server did not take the change of the Release.
pub const RELEASE_UPDATE_FAILED: &str = "ReleaseUpdateFailed";
/// The API server did not delete the Release.
pub const RELEASE_DELETION_FAILED: &str = "ReleaseDeletionFailed";
