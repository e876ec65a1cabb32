//! Names of what a Build makes in its build plane.

use crate::name::{self, LABEL};

/// The tag that every image is built under; build templates append the revision.
pub const IMAGE_TAG: &str = "default";

/// What the pods of a build run as.
pub const SERVICE_ACCOUNT: &str = "workflow-sa";

/// What they may do.
pub const ROLE: &str = "workflow-role";

/// That they may.
pub const ROLE_BINDING: &str = "workflow-role-binding";

/// The Workflow of a Build.
pub fn workflow(build: &str) -> String {
    name::generate(LABEL, &[build])
}

/// The namespace in which all Builds of an organization run.
///
/// Only what follows the prefix is kept within 63 bytes, so the name of a long organization is one that no API server
/// takes.
pub fn namespace(organization: &str) -> String {
    let lower = organization.replace(['_', '.'], "-").to_lowercase();
    format!("openchoreo-ci-{}", shortened(lower.trim_matches('-')))
}

/// The repository of a component's images, below the registry.
pub fn image(project: &str, component: &str) -> String {
    let name = format!("{}-{}", image_part(project), image_part(component));
    shortened(&name).to_owned()
}

fn image_part(text: &str) -> String {
    let mut part = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        let c = match c {
            'a'..='z' | '0'..='9' | '_' => c,
            _ => '-',
        };
        if c != '-' || !part.ends_with('-') {
            part.push(c);
        }
    }
    part.trim_matches('-').to_owned()
}

/// At most 63 bytes, without one `-` that the cut may leave at the end.
fn shortened(name: &str) -> &str {
    let kept = &name[..name.floor_char_boundary(LABEL)];
    kept.strip_suffix('-').unwrap_or(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_installations_have() {
        let (o, p, c) = (|n| "o".repeat(n), |n| "p".repeat(n), |n| "c".repeat(n));
        for (organization, project, component, expected_namespace, expected_image) in [
            (
                "default",
                "default",
                "greeting-service",
                "openchoreo-ci-default",
                "default-greeting-service",
            ),
            (
                "acme_Corp.io",
                "My_Project.X",
                "Comp--Name-",
                "openchoreo-ci-acme-corp-io",
                "my_project-x-comp-name",
            ),
            ("-org-", "a", "b", "openchoreo-ci-org", "a-b"),
            (
                &o(70),
                &p(40),
                &c(40),
                &format!("openchoreo-ci-{}", o(63)),
                &format!("{}-{}", p(40), c(22)),
            ),
            ("x", &p(62), "c", "openchoreo-ci-x", &p(62)),
            ("x", "!!!", "Ünï", "openchoreo-ci-x", "-n"),
        ] {
            assert_eq!(namespace(organization), expected_namespace);
            assert_eq!(image(project, component), expected_image);
        }
        assert_eq!(
            workflow("greeting-service-build-01"),
            "greeting-service-build-01-4be21d7a"
        );
    }
}
