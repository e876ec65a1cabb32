//! Paths as Go's `path` package makes them: by text alone.

/// The shortest path that means the same: no doubled or trailing slash, no `.`, and no `..` that could be resolved.
/// Of nothing, `.` is left.
pub(crate) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut kept: Vec<&str> = Vec::new();
    for element in path.split('/') {
        match element {
            "" | "." => {}
            ".." if kept.last().is_some_and(|last| *last != "..") => {
                kept.pop();
            }
            ".." if rooted => {}
            _ => kept.push(element),
        }
    }
    match (rooted, kept.is_empty()) {
        (true, _) => format!("/{}", kept.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => kept.join("/"),
    }
}

/// Joins what is not empty with slashes, and cleans it. Of nothing, nothing is left.
pub(crate) fn join(elements: &[&str]) -> String {
    let present: Vec<_> = elements
        .iter()
        .copied()
        .filter(|element| !element.is_empty())
        .collect();
    match present.is_empty() {
        true => String::new(),
        false => clean(&present.join("/")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_as_go_cleans_them() {
        for (path, expected) in [
            ("", "."),
            ("abc", "abc"),
            ("abc/def", "abc/def"),
            (".", "."),
            ("..", ".."),
            ("../..", "../.."),
            ("../../abc", "../../abc"),
            ("/abc", "/abc"),
            ("/", "/"),
            ("abc/", "abc"),
            ("/abc/", "/abc"),
            ("../../", "../.."),
            ("abc//def//ghi", "abc/def/ghi"),
            ("//abc", "/abc"),
            ("///abc//", "/abc"),
            ("abc/./def", "abc/def"),
            ("/./abc/def", "/abc/def"),
            ("abc/.", "abc"),
            ("abc/def/ghi/../jkl", "abc/def/jkl"),
            ("abc/def/../..", "."),
            ("/abc/def/../..", "/"),
            ("/abc/def/../../..", "/"),
            ("abc/def/../../..", ".."),
            ("abc/def/../../../ghi/jkl/../../../mno", "../../mno"),
            ("abc/./../def", "def"),
            ("abc//./../def", "def"),
        ] {
            assert_eq!(clean(path), expected, "{path}");
        }
    }

    #[test]
    fn joining_leaves_out_what_is_empty() {
        for (elements, expected) in [
            (&["/", "shop", "books", "/api/v1"][..], "/shop/books/api/v1"),
            (&["/", "shop", "nopolicy", "foo/../bar/"], "/shop/nopolicy/bar"),
            (&["/", "shop", "nolevels", ""], "/shop/nolevels"),
            (&["/", "shop", "books", "../../../etc"], "/etc"),
            (&["a", "", "b"], "a/b"),
            (&["", ""], ""),
            (&[], ""),
        ] {
            assert_eq!(join(elements), expected, "{elements:?}");
        }
    }
}
