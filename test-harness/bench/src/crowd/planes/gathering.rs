//! Counts what happens to planes, and knows when the owner's order is fulfilled.

use super::{News, Order, Told};

pub(super) struct Gathering {
    told: Told,
    /// Which planes were welcomed.
    back: Vec<bool>,
    order: Option<Order>,
}

impl Gathering {
    pub(super) fn new(planes: usize) -> Self {
        Self {
            told: Told::default(),
            back: vec![false; planes],
            order: None,
        }
    }

    pub(super) fn order(&mut self, order: Order) {
        if let Order::Gather | Order::Redial = order {
            *self = Self::new(self.back.len());
        }
        self.order = Some(order);
    }

    pub(super) fn hear(&mut self, news: News) {
        match news {
            News::Welcomed { plane, converged } => {
                let was_back = std::mem::replace(&mut self.back[plane], true);
                if !was_back {
                    self.told.welcomed += 1;
                    self.told.converged += usize::from(converged);
                }
            }
            News::Heads(count) => self.told.heads += count,
            News::Reports(count) => self.told.reports += count,
            News::Failed => self.told.failures += 1,
        }
    }

    /// What to answer, once.
    pub(super) fn answer(&mut self) -> Option<Told> {
        let fulfilled = match self.order? {
            Order::Gather | Order::Redial => self.told.welcomed == self.back.len(),
            Order::Reported(count) => self.told.reports >= count,
            Order::Tell => true,
        };
        fulfilled.then(|| {
            self.order = None;
            self.told
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn welcomed(plane: usize, converged: bool) -> News {
        News::Welcomed { plane, converged }
    }

    #[test]
    fn all_are_back_when_each_was_welcomed_and_none_counts_twice() {
        let mut gathering = Gathering::new(2);
        gathering.order(Order::Gather);
        gathering.hear(welcomed(0, true));
        gathering.hear(welcomed(0, true));
        assert_eq!(gathering.answer(), None);
        gathering.hear(News::Heads(3));
        gathering.hear(welcomed(1, false));
        let told = gathering.answer().unwrap();
        assert_eq!((told.welcomed, told.converged, told.heads), (2, 1, 3));
        assert_eq!(gathering.answer(), None);
    }

    #[test]
    fn a_new_gathering_begins_at_nothing() {
        let mut gathering = Gathering::new(1);
        gathering.hear(welcomed(0, true));
        gathering.hear(News::Reports(2));
        gathering.order(Order::Reported(2));
        assert!(gathering.answer().is_some());
        gathering.order(Order::Gather);
        assert_eq!(gathering.answer(), None);
        gathering.order(Order::Tell);
        assert_eq!(gathering.answer(), Some(Told::default()));
    }
}
