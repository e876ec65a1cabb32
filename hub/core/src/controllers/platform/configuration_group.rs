//! ConfigurationGroups: kept for whoever writes them. Nothing reads their values, and each says so.

use outhaul_hub_resources::ConfigurationGroup;

use crate::controllers::look::{Look, Plan};
use crate::controllers::saying::{self, Former, Saying, WITHOUT_EFFECT};

const UNREAD: &str = "spec: nothing reads a ConfigurationGroup, since valueFrom is not supported; write values into the \
                      workload, or sources into the class";

/// What is to be said of a ConfigurationGroup.
pub(in crate::controllers) fn plan(look: &Look<'_>, group: &ConfigurationGroup) -> Plan {
    if group.metadata.deletion_timestamp.is_some() {
        return Plan::Nothing;
    }
    let saying = Saying {
        beside: Some(saying::warnings(WITHOUT_EFFECT, &[UNREAD])),
        ..Saying::default()
    };
    saying::say(look, Former::of(group.status.as_ref()), saying)
}
