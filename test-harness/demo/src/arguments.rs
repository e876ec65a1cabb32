//! What can be asked on the command line.

use anyhow::Result;
use clap::Parser;
use outhaul_scenarios::Ground;

/// Shows Outhaul at work, in one process and within a minute.
///
/// Starts three Kubernetes clusters, a hub beside the first and an agent beside each of the others, and a web shop
/// of eleven components goes to development and is promoted to production. Then production's network is cut, the hub
/// and the plane both change meanwhile, and the network heals. In the end one component is suspended and undeployed. A
/// table shows what the hub's REST interface says; it ends with a summary.
#[derive(Debug, Parser)]
#[command(
    name = "outhaul-demo",
    version,
    after_help = "Exit codes: 0 the story was told to its end, 1 a step failed, 2 wrong usage, 130 stopped by \
                  Ctrl-C before its end. Whichever it is, everything that was started has been stopped, and no \
                  file is left behind.\n\
                  RUST_LOG=info, say, shows what hub and agents log, on standard error."
)]
pub struct Arguments {
    /// Leave everything running at the end, print how kubectl, curl and outhaul reach it, and wait for Ctrl-C.
    #[arg(long)]
    pub keep: bool,

    /// Use real API servers (etcd, kube-apiserver, controllers, and kwok for pods) instead of embedded clusters.
    /// `cargo run -p outhaul-kubernetes -- build` builds them once; KUBEBUILDER_ASSETS may name others.
    #[arg(long)]
    pub kubernetes: bool,
}

impl Arguments {
    /// Where the clusters come from.
    ///
    /// # Errors
    /// Real API servers are asked for and not there; the error says how to get them.
    pub fn ground(&self) -> Result<Ground> {
        if self.kubernetes {
            Ground::kubernetes()
        } else {
            Ok(Ground::Embedded)
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn help_is_well_formed_and_names_every_exit_code() {
        let mut command = Arguments::command();
        command.clone().debug_assert();
        let help = command.render_long_help().to_string();
        for code in ["0 the story", "1 a step", "2 wrong", "130 stopped"] {
            assert!(help.contains(code), "{code}: {help}");
        }
    }

    #[test]
    fn without_arguments_it_needs_nothing_installed() {
        let arguments = Arguments::try_parse_from(["outhaul-demo"]).unwrap();
        assert!(matches!(arguments.ground(), Ok(Ground::Embedded)));
    }
}
