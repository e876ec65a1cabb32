//! Names with an optional domain in front: of labels, annotations and finalizers.

use super::names::{SUBDOMAIN, is_subdomain};

const NAME: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
     alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
     '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and \
     must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for \
     validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const MAX: usize = 63;

/// What is wrong with a name such as `example.com/part-of`.
pub(crate) fn complaints_of_name(text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let parts: Vec<&str> = text.split('/').collect();
    let name = match parts.as_slice() {
        [name] => name,
        [prefix, name] => {
            complaints.extend(complaint_of_prefix(prefix));
            name
        }
        _ => {
            return vec![format!(
                "a valid label key {NAME} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
    };
    if name.is_empty() {
        complaints.push("name part must be non-empty".to_owned());
    } else if name.len() > MAX {
        complaints.push(format!("name part must be no more than {MAX} bytes"));
    }
    if !is_name(name) {
        complaints.push(format!("name part {NAME}"));
    }
    complaints
}

fn complaint_of_prefix(prefix: &str) -> Option<String> {
    if prefix.is_empty() {
        return Some("prefix part must be non-empty".to_owned());
    }
    if prefix.len() > 253 {
        return Some("prefix part must be no more than 253 bytes".to_owned());
    }
    (!is_subdomain(prefix)).then(|| format!("prefix part {SUBDOMAIN}"))
}

/// What is wrong with the value of a label.
pub(crate) fn complaints_of_value(text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    if text.len() > MAX {
        complaints.push(format!("must be no more than {MAX} bytes"));
    }
    if !text.is_empty() && !is_name(text) {
        complaints.push(VALUE.to_owned());
    }
    complaints
}

fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    ends(bytes.first())
        && ends(bytes.last())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_qualified_by_a_domain_or_not_at_all() {
        for good in ["a", "A.b_c-1", "example.com/x", "kubernetes.io/a.B"] {
            assert_eq!(complaints_of_name(good), Vec::<String>::new(), "{good}");
        }
        for bad in ["", "-a", "a/b/c", "/x", "x/", "No.Com/a b"] {
            assert!(!complaints_of_name(bad).is_empty(), "{bad}");
        }
    }
}
