//! Names of generated objects: readable parts and a hash, within a limit.
//!
//! The form is a contract: a name that changes is another object. Objects of an existing installation are taken over
//! in place only because their names come out the same.

use sha2::{Digest as _, Sha256};
use unicode_general_category::{GeneralCategory, get_general_category};

/// The longest name of most kinds.
pub(crate) const RESOURCE: usize = 253;

/// The longest label value, and the longest name of a Namespace, Service, Job or container.
pub(crate) const LABEL: usize = 63;

/// The longest name of a CronJob: the Jobs that it makes append eleven characters.
pub(crate) const CRON_JOB: usize = 52;

/// Hex digits of the hash.
const HASH: usize = 8;

/// Joins `parts` and a hash over all of them into a name of at most `limit` bytes.
///
/// Each part is cut by itself, at its share of the room; room that a short part leaves goes to nobody. A part is cut
/// at a byte and not trimmed again, so `--` may appear.
///
/// Letters outside ASCII are kept, though Kubernetes refuses the name then: so does the original. The hash is over the
/// parts joined by `-`, so `a-b, c` and `a, b-c` are one name.
pub(crate) fn generate(limit: usize, parts: &[&str]) -> String {
    let hash = hash(parts);
    let room = limit.saturating_sub(HASH + parts.len());
    let (share, rest) = match parts.len() {
        0 => (0, 0),
        count => (room / count, room % count),
    };
    let mut name = String::with_capacity(limit.min(RESOURCE));
    for (index, part) in parts.iter().enumerate() {
        name.push_str(&cut(&sanitized(part), share + usize::from(index < rest)));
        name.push('-');
    }
    name.push_str(&hash);
    match name.find(stays) {
        Some(0) | None => name,
        Some(first) => name.split_off(first),
    }
}

/// The namespace in a plane that holds the objects of one project in one environment.
pub(crate) fn namespace(organization: &str, project: &str, environment: &str) -> String {
    generate(LABEL, &["dp", organization, project, environment])
}

/// The Deployment, Service or CronJob of a binding.
pub(crate) fn workload(binding: &str) -> String {
    generate(RESOURCE, &[binding])
}

/// The HTTPRoute of one API of a Service at one expose level.
pub(crate) fn api_route(binding: &str, api: &str, level: &str) -> String {
    generate(LABEL, &[binding, api, &level.to_lowercase(), "httproute"])
}

/// The SecurityPolicy of one API of a Service at one expose level.
pub(crate) fn security_policy(binding: &str, api: &str, level: &str) -> String {
    generate(LABEL, &[binding, api, &level.to_lowercase()])
}

/// The BackendTrafficPolicy of one API of a Service at one expose level.
pub(crate) fn traffic_policy(binding: &str, api: &str, level: &str) -> String {
    generate(LABEL, &[binding, api, &level.to_lowercase(), "btp"])
}

/// The HTTPRoute of one endpoint of a web application.
pub(crate) fn web_route(binding: &str, endpoint: &str) -> String {
    generate(RESOURCE, &[binding, endpoint, "httproute"])
}

/// Whether Kubernetes takes `name` as the name of a Namespace or Service: one label of DNS.
pub fn is_label(name: &str) -> bool {
    name.len() <= LABEL && is_part(name)
}

/// Whether Kubernetes takes `name` as the name of most kinds: labels with dots between.
pub(crate) fn is_subdomain(name: &str) -> bool {
    name.len() <= RESOURCE && name.split('.').all(is_part)
}

fn is_part(part: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !part.is_empty() && !part.starts_with('-') && !part.ends_with('-') && part.bytes().all(inner)
}

fn hash(parts: &[&str]) -> String {
    let digest = Sha256::digest(parts.join("-"));
    digest[..HASH / 2]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Lower case, with what is neither letter, number, `-` nor `.` replaced.
fn sanitized(part: &str) -> String {
    let kept: String = part
        .chars()
        .map(lower)
        .map(|c| match c {
            '-' | '.' => c,
            _ if stays(c) => c,
            _ => '-',
        })
        .collect();
    kept.trim_matches(['-', '.']).to_owned()
}

/// Whether it is a letter or a number to Go, which goes by its category alone: to Rust, marks and letters in circles are
/// letters too.
fn stays(c: char) -> bool {
    use GeneralCategory::{
        DecimalNumber, LetterNumber, LowercaseLetter, ModifierLetter, OtherLetter, OtherNumber,
        TitlecaseLetter, UppercaseLetter,
    };
    c.is_ascii_alphanumeric()
        || !c.is_ascii()
            && matches!(
                get_general_category(c),
                UppercaseLetter
                    | LowercaseLetter
                    | TitlecaseLetter
                    | ModifierLetter
                    | OtherLetter
                    | DecimalNumber
                    | LetterNumber
                    | OtherNumber
            )
}

/// One character for one, as Go has it: its letters do not grow, and a final sigma is a sigma.
fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

fn cut(part: &str, bytes: usize) -> String {
    let kept = part.as_bytes().get(..bytes).unwrap_or(part.as_bytes());
    String::from_utf8_lossy(kept).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cases: &[(usize, &[&str], &str)]) {
        for (limit, parts, expected) in cases {
            assert_eq!(generate(*limit, parts), *expected, "{limit} {parts:?}");
        }
    }

    #[test]
    fn names_are_those_that_installations_have() {
        check(&[
            (253, &["greeter-service"], "greeter-service-483f44a4"),
            (253, &["react-starter"], "react-starter-5d6e572c"),
            (
                253,
                &["react-starter", "webapp", "httproute"],
                "react-starter-webapp-httproute-e7a4133f",
            ),
            (
                63,
                &["greeting-service-build-01"],
                "greeting-service-build-01-4be21d7a",
            ),
            (
                52,
                &["my-component", "main-track"],
                "my-component-main-track-b7a69d72",
            ),
            (63, &["redis-config", "cm"], "redis-config-cm-8fab4c1b"),
            (63, &["redis-config", "csi"], "redis-config-csi-88e850a4"),
            (63, &["redis-config", "csi-env"], "redis-config-csi-env-433265c0"),
            (
                253,
                &["gateway-external", "ep", "GET", "/books/{id}"],
                "gateway-external-ep-get-books--id-107290df",
            ),
        ]);
    }

    #[test]
    fn long_parts_are_cut_at_their_share_of_the_room() {
        let long = |letter: &str, count: usize| letter.repeat(count);
        check(&[
            (
                63,
                &["dp", "default", "gcp-microservice-demo", "development"],
                "dp-default-gcp-microserv-development-4b8b4fdc",
            ),
            (
                63,
                &[
                    "dp",
                    "acme-corporation",
                    "a-rather-long-project-name",
                    "pre-production",
                ],
                "dp-acme-corporat-a-rather-long-pre-producti-308bfdcd",
            ),
            (
                63,
                &[
                    "dp",
                    "my-very-long-organization-name",
                    "my-very-long-project-name-number-1",
                    "development-environment",
                ],
                "dp-my-very-long--my-very-long--development--0cbf240a",
            ),
            (
                63,
                &[
                    "reading-list-service-circuit-breaker",
                    "reading-list-api",
                    "public",
                    "httproute",
                ],
                "reading-list--reading-list--public-httproute-f7e13fbc",
            ),
            (
                63,
                &[
                    "a-very-long-component-name-indeed-yes",
                    "another-very-long-api-name",
                    "organization",
                    "httproute",
                ],
                "a-very-long-c-another-very--organization-httproute-8e6c6398",
            ),
            (
                52,
                &[
                    "a-very-long-component-name-for-cron",
                    "a-very-long-deployment-track",
                ],
                "a-very-long-component-a-very-long-deploymen-68325b01",
            ),
            (63, &[&long("a", 300)], &format!("{}-9835fa6b", long("a", 54))),
            (253, &[&long("a", 300)], &format!("{}-9835fa6b", long("a", 244))),
            (
                253,
                &[&long("a", 300), "component"],
                &format!("{}-component-a250aee3", long("a", 122)),
            ),
            (
                253,
                &[&long("a", 260), &long("b", 260)],
                &format!("{}-{}-654ba7cd", long("a", 122), long("b", 121)),
            ),
            (20, &["abcdefghijk", "c"], "abcde-c-62dc9db2"),
            (21, &["abcdefghijk", "c"], "abcdef-c-62dc9db2"),
            (24, &["abcde-ghijk", "c"], "abcde-g-c-aa17cb8f"),
        ]);
    }

    #[test]
    fn what_kubernetes_does_not_take_is_replaced_or_left_to_it() {
        check(&[
            (
                253,
                &["My_Project$", "Component@Name"],
                "my-project-component-name-40314333",
            ),
            (253, &["My_App.", "-Env/1"], "my-app-env-1-35756323"),
            (
                253,
                &["-invalid-start", "invalid-end-"],
                "invalid-start-invalid-end-f124257d",
            ),
            (253, &["", ""], "3973e022"),
            (253, &["default", ""], "default--6926999b"),
            (253, &["!!!", "###"], "606b424e"),
            (253, &["ab-", "c"], "ab-c-b4327ff7"),
            (253, &["Ünïcode", "日本"], "ünïcode-日本-cc91a5cc"),
            (
                63,
                &["books", "ⓐpi", "public", "httproute"],
                "books-pi-public-httproute-94da74fe",
            ),
            (
                253,
                &["project.name", "component.name"],
                "project.name-component.name-851db5b2",
            ),
        ]);
    }

    #[test]
    fn parts_that_join_alike_are_one_name() {
        assert_eq!(generate(253, &["a-b", "c"]), generate(253, &["a", "b-c"]));
    }

    #[test]
    fn a_name_is_never_longer_than_its_limit() {
        for limit in 9..70 {
            for parts in [
                &["日本語日本語日本語日本語"; 1][..],
                &["dp"; 4],
                &["abcdefghijklmnop"; 3],
            ] {
                let name = generate(limit, parts);
                let replaced = name.matches('\u{fffd}').count() * 2;
                let least = HASH + parts.len();
                assert!(name.len() <= limit.max(least) + replaced, "{limit} {name}");
            }
        }
    }

    #[test]
    fn names_are_judged_as_kubernetes_judges_them() {
        let (fits, long) = ("a".repeat(63), "a".repeat(64));
        for (name, label, subdomain) in [
            ("web-1", true, true),
            ("1", true, true),
            (&fits, true, true),
            (&long, false, true),
            ("a.b", false, true),
            (&"a".repeat(254), false, false),
            ("", false, false),
            ("a..b", false, false),
            ("-a", false, false),
            ("a-", false, false),
            ("a-.b", false, false),
            ("A", false, false),
            ("ü", false, false),
        ] {
            assert_eq!((is_label(name), is_subdomain(name)), (label, subdomain), "{name}");
        }
    }

    #[test]
    fn each_object_of_a_binding_has_its_form() {
        for (name, expected) in [
            (
                namespace("default", "default", "development"),
                "dp-default-default-development-f8e58905",
            ),
            (
                namespace("default", "default", "production"),
                "dp-default-default-production-86697425",
            ),
            (
                namespace("default", "shop", "development"),
                "dp-default-shop-development-276893d5",
            ),
            (workload("books"), "books-6e317bcd"),
            (workload("web"), "web-4b5e57f6"),
            (
                api_route("greeter-service", "greeter-api", "Public"),
                "greeter-servi-greeter-api-public-httproute-7c8cbc62",
            ),
            (
                api_route("greeter-service", "greeter-api", "Organization"),
                "greeter-servi-greeter-api-organization-httproute-54724069",
            ),
            (
                api_route("books", "api", "Organization"),
                "books-api-organization-httproute-6f8ef815",
            ),
            (
                api_route("books", "api", "Public"),
                "books-api-public-httproute-36cb4e3f",
            ),
            (
                security_policy("greeter-service", "greeter-api", "Public"),
                "greeter-service-greeter-api-public-17e9931f",
            ),
            (
                security_policy("books", "api", "Organization"),
                "books-api-organization-09ecbbea",
            ),
            (
                security_policy("books", "api", "Public"),
                "books-api-public-dfb7ef55",
            ),
            (
                traffic_policy("greeter-service", "greeter-api", "Public"),
                "greeter-servi-greeter-api-public-btp-a816b04c",
            ),
            (
                traffic_policy("books", "api", "Organization"),
                "books-api-organization-btp-959c77bf",
            ),
            (
                traffic_policy("books", "api", "Public"),
                "books-api-public-btp-c7c56583",
            ),
            (web_route("web", "site"), "web-site-httproute-2a04f19f"),
        ] {
            assert_eq!(name, expected);
        }
    }
}
