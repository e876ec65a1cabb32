//! The flags of each program: lean, and everything on loopback.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::With;
use super::ports::Ports;

/// What a workload of ours can notice. Leaving out volumes and clouds saves 15 MiB and 0.2 s.
const CONTROLLERS: [&str; 22] = [
    "certificatesigningrequest-approving-controller",
    "certificatesigningrequest-signing-controller",
    "clusterrole-aggregation-controller",
    "cronjob-controller",
    "daemonset-controller",
    "deployment-controller",
    "disruption-controller",
    "endpoints-controller",
    "endpointslice-controller",
    "garbage-collector-controller",
    "horizontal-pod-autoscaler-controller",
    "job-controller",
    "namespace-controller",
    // Takes the not-ready taint, which admission puts on every new node, off again.
    "node-lifecycle-controller",
    "pod-garbage-collector-controller",
    "replicaset-controller",
    "resourcequota-controller",
    "root-ca-certificate-publisher-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "statefulset-controller",
    "ttl-after-finished-controller",
];

/// The fates of pods that kwok's own stages do not know.
const OUR_STAGES: &str = include_str!("../../stages/pod-fates.yaml");

/// Where one cluster is: its folder and its ports.
#[derive(Debug)]
pub(super) struct Setup {
    pub(super) folder: PathBuf,
    pub(super) ports: Ports,
}

impl Setup {
    pub(super) fn server_url(&self) -> String {
        format!("https://127.0.0.1:{}", self.ports.api_server)
    }

    pub(super) fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(super) fn etcd(&self) -> Vec<String> {
        let client = format!("http://127.0.0.1:{}", self.ports.etcd);
        let peer = format!("http://127.0.0.1:{}", self.ports.etcd_peer);
        vec![
            "--name=etcd".into(),
            flag("data-dir", self.file("etcd")),
            format!("--listen-client-urls={client}"),
            format!("--advertise-client-urls={client}"),
            format!("--listen-peer-urls={peer}"),
            format!("--initial-advertise-peer-urls={peer}"),
            format!("--initial-cluster=etcd={peer}"),
            // Nothing here has to survive a power failure.
            "--unsafe-no-fsync".into(),
            "--snapshot-count=1000".into(),
            "--logger=zap".into(),
            "--log-level=warn".into(),
        ]
    }

    pub(super) fn api_server(&self, with: With) -> Vec<String> {
        let mut flags = vec![
            "--bind-address=127.0.0.1".into(),
            format!("--secure-port={}", self.ports.api_server),
            "--advertise-address=127.0.0.1".into(),
            // A loopback address is not valid in the Endpoints of the kubernetes Service.
            "--endpoint-reconciler-type=none".into(),
            format!("--etcd-servers=http://127.0.0.1:{}", self.ports.etcd),
            "--service-cluster-ip-range=10.0.0.0/16".into(),
            flag("cert-dir", self.folder.clone()),
            flag("tls-cert-file", self.file("server.crt")),
            flag("tls-private-key-file", self.file("server.key")),
            flag("client-ca-file", self.file("ca.crt")),
            "--authorization-mode=Node,RBAC".into(),
            "--allow-privileged=true".into(),
            "--service-account-issuer=https://kubernetes.default.svc".into(),
            flag("service-account-key-file", self.file("service-accounts.pub")),
            flag(
                "service-account-signing-key-file",
                self.file("service-accounts.key"),
            ),
            "--profiling=false".into(),
            "--event-ttl=10m".into(),
            // No 429 unless a test asks for it.
            "--enable-priority-and-fairness=false".into(),
        ];
        if with == With::ApiOnly {
            // Nobody makes the service accounts that it would insist on.
            flags.push("--disable-admission-plugins=ServiceAccount".into());
        }
        flags
    }

    pub(super) fn controller_manager(&self) -> Vec<String> {
        vec![
            flag("kubeconfig", self.file("controller-manager.kubeconfig")),
            "--leader-elect=false".into(),
            "--secure-port=0".into(),
            "--profiling=false".into(),
            flag("root-ca-file", self.file("ca.crt")),
            flag(
                "service-account-private-key-file",
                self.file("service-accounts.key"),
            ),
            flag("cluster-signing-cert-file", self.file("ca.crt")),
            flag("cluster-signing-key-file", self.file("ca.key")),
            // Without it RBAC forbids the controllers nearly everything.
            "--use-service-account-credentials=true".into(),
            // With the default of 20 a second it throttles its own start to 7 s.
            "--kube-api-qps=1000".into(),
            "--kube-api-burst=2000".into(),
            format!("--controllers={}", CONTROLLERS.join(",")),
        ]
    }

    pub(super) fn scheduler(&self) -> Vec<String> {
        vec![
            flag("kubeconfig", self.file("scheduler.kubeconfig")),
            "--leader-elect=false".into(),
            "--secure-port=0".into(),
            "--profiling=false".into(),
        ]
    }

    /// Also writes our stages, which kwok reads from a file.
    pub(super) fn kwok(&self, stages: &Path) -> io::Result<Vec<String>> {
        let ours = self.file("pod-fates.yaml");
        fs::write(&ours, OUR_STAGES)?;
        let mut flags = vec![
            flag("kubeconfig", self.kubeconfig()),
            "--manage-all-nodes=true".into(),
            "--node-ip=127.0.0.1".into(),
            "--cidr=10.1.0.0/16".into(),
            // It renews the leases, or the nodes would be marked not ready.
            "--node-lease-duration-seconds=40".into(),
            flag("config", ours),
        ];
        for entry in fs::read_dir(stages)? {
            flags.push(flag("config", entry?.path()));
        }
        Ok(flags)
    }
}

fn flag(name: &str, path: PathBuf) -> String {
    format!("--{name}={}", path.display())
}
