//! Output without what differs from run to run: ids, times, addresses, generated names, the width of columns.

use std::sync::LazyLock;

use regex::Regex;

/// Patterns and what stands for them, applied in this order.
static PATTERNS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let letters = "[bcdfghjklmnpqrstvwxz2456789]";
    [
        (
            r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}".to_owned(),
            "<uid>",
        ),
        (
            r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?[Z+][^\s,}]*)?( UTC)?".to_owned(),
            "<time>",
        ),
        (
            r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}".to_owned(),
            "<time>",
        ),
        (r"\w{3} \w{3} +\d+ \d\d:\d\d:\d\d \d{4}".to_owned(), "<time>"),
        (r"\b\d+\.\d+\.\d+\.\d+\b".to_owned(), "<ip>"),
        (r"\bnode-\d\b".to_owned(), "<node>"),
        (r"/(LIVE|MERGED)-\d+/".to_owned(), "/$1/"),
        // A template's hash is as the real one is in kind, not in value.
        (format!(r"-{letters}{{8,10}}-{letters}{{5}}\b"), "-<hash>-<id>"),
        (
            r"\b(web|db|log)-(web-)?[0-9a-z]{8,10}\b".to_owned(),
            "$1-$2<hash>",
        ),
        (r"(hash[:=] ?)[0-9a-z]{8,10}\b".to_owned(), "$1<hash>"),
        (format!(r"-{letters}{{5}}\b"), "-<id>"),
        (r"(resourceVersion: )\S+".to_owned(), "$1<version>"),
        (r"(^|\s)<?(\d+[smhd])+>?(\s|$)".to_owned(), "$1<age>$3"),
        (r"[ \t]+".to_owned(), " "),
    ]
    .map(|(pattern, stands)| (Regex::new(&pattern).expect("these patterns compile"), stands))
    .into()
});

/// What the embedded cluster has on purpose and a real one with kwok has not, or the other way round: kubelets speak,
/// and there is no admission that mounts tokens into pods.
const LEFT_OUT: [&str; 11] = [
    " kubelet ",
    "Service Account:",
    "serviceAccount",
    "Mounts:",
    "/var/run/secrets/kubernetes.io/serviceaccount",
    "Volumes:",
    "kube-api-access",
    "Type: Projected",
    "TokenExpirationSeconds:",
    "ConfigMapName: kube-root-ca.crt",
    "DownwardAPI:",
];

pub(crate) fn lines(text: &str) -> Vec<String> {
    let normal = |line: &str| {
        PATTERNS
            .iter()
            .fold(line.to_owned(), |line, (pattern, stands)| {
                pattern.replace_all(&line, *stands).into_owned()
            })
            .trim()
            .to_owned()
    };
    let mut lines: Vec<String> = without_descriptions(text)
        .map(normal)
        .filter(|line| !line.is_empty() && !line.starts_with("Optional: "))
        .filter(|line| !LEFT_OUT.iter().any(|part| format!(" {line} ").contains(part)))
        .filter(|line| !line.contains("kube-root-ca.crt"))
        .collect();
    // Events of one second come in any order.
    if let Some(at) = lines.iter().position(|line| line == "Events:") {
        lines[at..].sort();
    }
    lines
}

/// The embedded API does not keep what built-in fields are for, which is most of what `explain` prints.
fn without_descriptions(text: &str) -> impl Iterator<Item = &str> {
    let mut described = false;
    text.lines().filter(move |line| {
        described = (described || line.starts_with("DESCRIPTION:")) && !line.starts_with("FIELDS:");
        !described
    })
}

#[test]
fn what_varies_is_taken_out_and_the_rest_is_kept() {
    for (line, expected) in [
        (
            "web-5b8d7bdc87-6xkc5   1/1  Running  0  12s",
            "web-<hash>-<id> 1/1 Running 0 <age>",
        ),
        (
            "Start Time:  Tue, 24 Nov 2026 18:49:16 +0000",
            "Start Time: <time>",
        ),
        ("Endpoints: 10.1.0.1:80,10.1.0.2:80", "Endpoints: <ip>:80,<ip>:80"),
        ("configmap/settings unchanged", "configmap/settings unchanged"),
    ] {
        assert_eq!(lines(line), [expected]);
    }
}
