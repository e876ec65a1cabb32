//! A cluster with one kind as it was some writes ago, for as long as somebody looks.

use std::ops::{Deref, DerefMut};

use super::Cluster;
use crate::kind::GroupResource;
use crate::store::Present;

/// A look at the past. It ends when this is dropped, also where whoever looks panics.
pub(crate) struct Past<'a> {
    cluster: &'a mut Cluster,
    present: Option<Present>,
}

impl Cluster {
    /// The cluster with a kind as it was at a version, or as far back as is known. Nothing may be written to it.
    pub(crate) fn as_of(&mut self, resource: &GroupResource, version: u64) -> Past<'_> {
        let present = self.store.go_back(resource, version);
        Past {
            cluster: self,
            present,
        }
    }
}

impl Deref for Past<'_> {
    type Target = Cluster;

    fn deref(&self) -> &Cluster {
        self.cluster
    }
}

impl DerefMut for Past<'_> {
    fn deref_mut(&mut self) -> &mut Cluster {
        self.cluster
    }
}

impl Drop for Past<'_> {
    fn drop(&mut self) {
        if let Some(present) = self.present.take() {
            self.cluster.store.come_back(present);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::moment::Moment;

    #[test]
    fn the_present_comes_back_after_a_panic_in_the_past() {
        let mut cluster = Cluster::new(&mut Moment::new(Timestamp::UNIX_EPOCH, 1));
        let maps = GroupResource::new("", "configmaps");
        let before = cluster.version();
        cluster
            .store
            .put(&maps, json!({"metadata": {"name": "a", "namespace": "default"}}));
        let looked = catch_unwind(AssertUnwindSafe(|| {
            let past = cluster.as_of(&maps, before);
            assert_eq!(past.objects(&maps, None).count(), 1, "it was not there yet");
        }));
        assert!(looked.is_err());
        assert_eq!(cluster.version(), before + 1);
        assert_eq!(cluster.objects(&maps, None).count(), 1);
    }
}
