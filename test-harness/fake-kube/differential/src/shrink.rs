//! A sequence that makes a difference, made short enough to understand.

use anyhow::Result;
use serde_json::Value;

use crate::pair::Pair;
use crate::step::Step;

/// Leaves out requests and parts of bodies as long as the last request still makes a difference of this signature, in so
/// many tries at most: each is a whole sequence, some 50 ms.
///
/// # Errors
/// When a server does not answer.
pub async fn shrink(pair: &mut Pair, steps: Vec<Step>, signature: &str, tries: usize) -> Result<Vec<Step>> {
    let mut shrinking = Shrinking {
        pair,
        signature,
        tries,
    };
    let steps = shrinking.without_steps(steps).await?;
    let mut steps = shrinking.without_fields(steps).await?;
    forget_unused_names(&mut steps);
    Ok(steps)
}

struct Shrinking<'a> {
    pair: &'a mut Pair,
    signature: &'a str,
    /// How many are left.
    tries: usize,
}

impl Shrinking<'_> {
    /// Whether these requests make the same difference, and the last of them makes it.
    async fn holds(&mut self, steps: &[Step]) -> Result<bool> {
        if self.tries == 0 {
            return Ok(false);
        }
        self.tries -= 1;
        let found = self.pair.replay(steps).await?;
        Ok(found.is_some_and(|(index, difference)| {
            index + 1 == steps.len() && difference.signature() == self.signature
        }))
    }

    async fn without_steps(&mut self, mut steps: Vec<Step>) -> Result<Vec<Step>> {
        let mut size = steps.len() / 2;
        while size > 0 {
            let mut start = 0;
            while start + size < steps.len() {
                let mut fewer = steps.clone();
                fewer.drain(start..start + size);
                if self.holds(&fewer).await? {
                    steps = fewer;
                } else {
                    start += size;
                }
            }
            size /= 2;
        }
        Ok(steps)
    }

    async fn without_fields(&mut self, mut steps: Vec<Step>) -> Result<Vec<Step>> {
        for index in (0..steps.len()).rev() {
            let mut pointers = Vec::new();
            collect(&steps[index].body, "", &mut pointers);
            // Outside in: a whole subtree goes before its parts.
            pointers.sort_by_key(|pointer| pointer.matches('/').count());
            for pointer in pointers {
                let mut fewer = steps.clone();
                if take_out(&mut fewer[index].body, &pointer) && self.holds(&fewer).await? {
                    steps = fewer;
                }
            }
        }
        Ok(steps)
    }
}

fn collect(value: &Value, path: &str, pointers: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let path = format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
                collect(field, &path, pointers);
                pointers.push(path);
            }
        }
        Value::Array(items) => {
            // The last first, so that the places of the others stay.
            for (index, item) in items.iter().enumerate().rev() {
                let path = format!("{path}/{index}");
                collect(item, &path, pointers);
                pointers.push(path);
            }
        }
        _ => {}
    }
}

fn take_out(value: &mut Value, pointer: &str) -> bool {
    let Some((parent, last)) = pointer.rsplit_once('/') else {
        return false;
    };
    match value.pointer_mut(parent) {
        Some(Value::Object(fields)) => fields
            .remove(&last.replace("~1", "/").replace("~0", "~"))
            .is_some(),
        Some(Value::Array(items)) => {
            let index = last.parse().unwrap_or(usize::MAX);
            let is_there = index < items.len();
            if is_there {
                items.remove(index);
            }
            is_there
        }
        _ => false,
    }
}

fn forget_unused_names(steps: &mut [Step]) {
    for index in 0..steps.len() {
        let (before, after) = steps.split_at_mut(index + 1);
        before[index]
            .keep
            .retain(|name, _| after.iter().any(|step| step.mentions(name)));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_part_of_a_body_can_go() {
        let body = json!({"a/b": [1, {"c": 2}]});
        let mut pointers = Vec::new();
        collect(&body, "", &mut pointers);
        assert_eq!(pointers, ["/a~1b/1/c", "/a~1b/1", "/a~1b/0", "/a~1b"]);
        for pointer in pointers {
            assert!(take_out(&mut body.clone(), &pointer), "{pointer}");
        }
    }
}
