//! What is built, from which versions: the Go module beside this crate, the link flags, and the files that
//! are copied from modules. The digest over all of it names the build.

use sha2::{Digest as _, Sha256};

/// The Go module, as it was when this crate was compiled.
const GO_MODULE: [(&str, &str); 6] = [
    ("go.mod", include_str!("../../programs/go.mod")),
    ("go.sum", include_str!("../../programs/go.sum")),
    ("main.go", include_str!("../../programs/main.go")),
    ("kubectl.go", include_str!("../../programs/kubectl.go")),
    ("kwok.go", include_str!("../../programs/kwok.go")),
    ("tools.go", include_str!("../../programs/tools.go")),
];

/// Helm's command, a main package of its own.
pub(super) const HELM: &str = "helm.sh/helm/v3/cmd/helm";

/// Files that a module has and the build wants.
pub(super) struct Source {
    pub(super) module: &'static str,
    pub(super) version: &'static str,
    /// As in go.sum: the tree's hash, so that these modules are pinned as the compiled ones are.
    pub(super) checksum: &'static str,
    /// Folder in the module, and below the build's folder.
    pub(super) from: &'static str,
    pub(super) to: &'static str,
    pub(super) transform: Transform,
}

/// What is done to the files on the way.
#[derive(Debug)]
pub(super) enum Transform {
    /// Nothing.
    None,
    /// They are Helm templates, each inside one condition: without its lines they are plain YAML.
    DropTemplateLines,
    /// Stages of kwok, made to leave room for ours (see `stages/`).
    LeaveRoomForOurStages,
}

const KWOK: (&str, &str, &str) = (
    "sigs.k8s.io/kwok",
    "v0.8.0",
    "h1:OTIOTwgROqPMovcTwxICx2eYQ4AwLpSx5EpjbDKF4SQ=",
);

/// As OpenChoreo has it in its data planes.
const OPENCHOREO_GATEWAY: (&str, &str, &str) = (
    "github.com/envoyproxy/gateway",
    "v1.3.2",
    "h1:JpCWRIQyVdLOtHEZ0AX/fB2jFL/u6zBKKXu56H16lyw=",
);

pub(super) const COPIED: [Source; 6] = [
    Source {
        module: "sigs.k8s.io/gateway-api",
        version: "v1.6.3",
        checksum: "h1:lKpJa5bGlraC/QeACvCpsHLdmO6y0iKfzVl6gzaFEYc=",
        from: "config/crd/standard",
        to: "definitions/gateway-api",
        transform: Transform::None,
    },
    Source {
        module: "github.com/envoyproxy/gateway",
        version: "v1.9.1",
        checksum: "h1:vAVp6/AlBXJ1aOhp1mxL7fNEzVEfjADUguUhm2wzxQY=",
        from: "charts/gateway-crds-helm/templates/generated",
        to: "definitions/envoy-gateway",
        transform: Transform::DropTemplateLines,
    },
    Source {
        module: OPENCHOREO_GATEWAY.0,
        version: OPENCHOREO_GATEWAY.1,
        checksum: OPENCHOREO_GATEWAY.2,
        from: "charts/gateway-helm/crds",
        to: "definitions/openchoreo-gateways",
        transform: Transform::None,
    },
    Source {
        module: OPENCHOREO_GATEWAY.0,
        version: OPENCHOREO_GATEWAY.1,
        checksum: OPENCHOREO_GATEWAY.2,
        from: "charts/gateway-helm/crds/generated",
        to: "definitions/openchoreo-gateways",
        transform: Transform::None,
    },
    Source {
        module: KWOK.0,
        version: KWOK.1,
        checksum: KWOK.2,
        from: "kustomize/stage/node/fast",
        to: "stages",
        transform: Transform::LeaveRoomForOurStages,
    },
    Source {
        module: KWOK.0,
        version: KWOK.1,
        checksum: KWOK.2,
        from: "kustomize/stage/pod/fast",
        to: "stages",
        transform: Transform::LeaveRoomForOurStages,
    },
];

/// The version of the Kubernetes programs, `1.37.2`.
pub fn kubernetes_version() -> &'static str {
    required("k8s.io/kubernetes").trim_start_matches('v')
}

/// The version of a module in the first `require` block.
fn required(module: &str) -> &'static str {
    let (_, go_mod) = GO_MODULE[0];
    go_mod
        .lines()
        .filter_map(|line| line.trim().split_once(' '))
        .find_map(|(name, version)| (name == module && version.starts_with('v')).then_some(version))
        .expect("go.mod requires every module that is built")
}

/// `1.37.2` is minor version `37`.
fn minor() -> &'static str {
    kubernetes_version()
        .split('.')
        .nth(1)
        .expect("a version has three parts")
}

/// What the API server answers at `/version`.
pub(super) fn control_plane_flags() -> String {
    let (version, minor) = (kubernetes_version(), minor());
    link_flags(
        "k8s.io/component-base/version",
        &[
            ("gitVersion", &format!("v{version}")),
            ("gitMajor", "1"),
            ("gitMinor", minor),
            ("gitTreeState", "clean"),
        ],
    )
}

/// Without these, `helm template` and `helm lint` believe that they face Kubernetes 1.20.
pub(super) fn helm_flags() -> String {
    let minor = minor();
    let mut flags = link_flags(
        "helm.sh/helm/v3/internal/version",
        &[("version", required("helm.sh/helm/v3"))],
    );
    for package in ["helm.sh/helm/v3/pkg/chartutil", "helm.sh/helm/v3/pkg/lint/rules"] {
        flags += " ";
        flags += &link_flags(package, &[("k8sVersionMajor", "1"), ("k8sVersionMinor", minor)]);
    }
    flags
}

fn link_flags(package: &str, values: &[(&str, &str)]) -> String {
    let flags: Vec<_> = values
        .iter()
        .map(|(name, value)| format!("-X {package}.{name}={value}"))
        .collect();
    flags.join(" ")
}

/// Sixteen hexadecimal digits that change with anything that the build is made from.
pub(super) fn digest() -> String {
    let mut hasher = Sha256::new();
    let mut add = |part: &str| {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    };
    for (name, text) in GO_MODULE {
        add(name);
        add(text);
    }
    add(&control_plane_flags());
    add(&helm_flags());
    for source in &COPIED {
        for part in [
            source.module,
            source.checksum,
            source.from,
            source.to,
            &format!("{:?}", source.transform),
        ] {
            add(part);
        }
    }
    hasher
        .finalize()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kwok_stages_come_from_the_version_that_is_compiled() {
        assert_eq!(KWOK.1, required(KWOK.0));
        let (_, go_sum) = GO_MODULE[1];
        assert!(go_sum.contains(&format!("{} {} {}\n", KWOK.0, KWOK.1, KWOK.2)));
    }

    #[test]
    fn link_flags_carry_the_pinned_version() {
        assert!(control_plane_flags().contains(&format!("gitVersion=v{}", kubernetes_version())));
        assert!(helm_flags().contains("chartutil.k8sVersionMinor=37"));
    }
}
