//! What can be asked on the command line.

use core::fmt;
use core::str::FromStr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use http::Uri;

use crate::text::parse_duration;

/// Talks to an Outhaul hub: brings planes to it, and says how far everything is and what holds it.
#[derive(Debug, Parser)]
#[command(
    name = "outhaul",
    version,
    after_help = "Exit codes: 0 done, 1 error, 2 wrong usage.",
    arg_required_else_help = true
)]
pub struct Arguments {
    /// REST address of the hub.
    #[arg(
        long,
        global = true,
        env = "OUTHAUL_HUB",
        value_name = "URL",
        default_value = "http://127.0.0.1:8080"
    )]
    pub(crate) hub: Uri,

    #[command(flatten)]
    pub(crate) token: TokenArguments,

    /// How to answer.
    #[arg(long, short, global = true, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Who asks. Inside a pod, its service account does where nothing is given.
#[derive(Debug, Default, Args)]
pub(crate) struct TokenArguments {
    /// Bearer token of the control plane, for example from `kubectl create token`.
    #[arg(
        long,
        global = true,
        env = "OUTHAUL_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    pub(crate) token: Option<String>,

    /// File with the bearer token; it counts more than a token.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Table,
    /// The hub's own answer, for programs.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Planes and who may join as one.
    #[command(subcommand)]
    Plane(PlaneCommand),
    /// What planes hold and the hub does not know.
    #[command(subcommand)]
    Orphans(OrphansCommand),
    /// The hub itself.
    #[command(subcommand)]
    Hub(HubCommand),
    /// How far it is, and what holds it: all planes, one, or one Release or Bundle on it.
    Status(StatusArguments),
    /// Says why something is stuck, since when, and what resolves it.
    Explain(ExplainArguments),
    /// Says what is to become of objects that a plane holds instead of letting them go.
    Confirm(ConfirmArguments),
}

#[derive(Debug, Subcommand)]
pub(crate) enum OrphansCommand {
    /// Lists the Releases and Bundles that planes hold although nothing in the control plane stands for them any more.
    /// They run on as they are.
    List(OrphansListArguments),
    /// Lets what has the name of an orphan now take its objects over as they are: none is deleted or made again. For
    /// control planes that were rebuilt, whose resources have new uids.
    Adopt(OrphansAdoptArguments),
    /// Deletes the objects of an orphan.
    Remove(OrphansRemoveArguments),
}

#[derive(Debug, Args)]
pub(crate) struct OrphansAdoptArguments {
    /// Name of the plane that keeps it.
    pub(crate) plane: String,

    /// The Release or Bundle that it was, like release/shop/cart.
    #[arg(value_name = "KIND/NAMESPACE/NAME", required_unless_present = "all")]
    pub(crate) bundle: Option<BundleName>,

    /// The uid that it had, where the plane keeps several of this name.
    #[arg(long, requires = "bundle")]
    pub(crate) uid: Option<String>,

    /// Every orphan of the plane that has a successor there.
    #[arg(long, conflicts_with = "bundle")]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct OrphansRemoveArguments {
    /// Name of the plane that keeps it.
    pub(crate) plane: String,

    /// The Release or Bundle that it was, like release/shop/cart.
    #[arg(value_name = "KIND/NAMESPACE/NAME")]
    pub(crate) bundle: BundleName,

    /// The uid that it had, where the plane keeps several of this name.
    #[arg(long)]
    pub(crate) uid: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct OrphansListArguments {
    /// Name of a plane; without it all are listed.
    pub(crate) plane: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum HubCommand {
    /// Says that the control plane was restored from a backup. Planes then take what it says now, also where they hold
    /// something newer; without it they keep that, and say HubBehind. Run it once, after the restore is complete.
    Restored,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PlaneCommand {
    /// Makes a one-time token with which an agent enrols as this plane. Creates the Plane where there is none.
    Token(PlaneTokenArguments),
    /// Says that this plane will never return. Releases and Bundles wait for it no longer, its agent is refused, and
    /// nothing is removed there: should it return after all, its workloads run on as they are. Refused while it is
    /// connected.
    Forget(PlaneForgetArguments),
    /// Says that this control plane is the right one, to a plane that knew another one with the same hub id: one that was
    /// rebuilt or cloned, or whose Plane was made again. Until then the plane holds what it would let go or take over.
    Confirm(PlaneConfirmArguments),
}

#[derive(Debug, Args)]
pub(crate) struct PlaneConfirmArguments {
    /// Name of the plane.
    pub(crate) plane: String,
}

#[derive(Debug, Args)]
pub(crate) struct PlaneForgetArguments {
    /// Name of the plane. Its Plane may be gone already.
    pub(crate) plane: String,
}

#[derive(Debug, Args)]
pub(crate) struct PlaneTokenArguments {
    /// Name of the plane.
    pub(crate) plane: String,

    /// The resource that may use the plane: dataplane/NAMESPACE/NAME or buildplane/NAMESPACE/NAME.
    #[arg(long = "for", value_name = "KIND/NAMESPACE/NAME")]
    pub(crate) user: Option<PlaneUser>,

    /// How long the token can be redeemed, like 30m, 1h or 2d; by default as long as the hub says.
    #[arg(long, value_parser = parse_duration)]
    pub(crate) ttl: Option<Duration>,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArguments {
    /// Name of a plane.
    pub(crate) plane: Option<String>,

    /// A Release or Bundle on that plane, like release/shop/cart.
    #[arg(requires = "plane", value_name = "KIND/NAMESPACE/NAME")]
    pub(crate) bundle: Option<BundleName>,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// A Release or Bundle, like release/shop/cart, or a plane, like plane/eu.
    #[arg(value_name = "release/NAMESPACE/NAME|bundle/NAMESPACE/NAME|plane/NAME")]
    pub(crate) what: Explained,

    /// One object of it, like deployment/shop/web, or namespace/shop where its kind is in no namespace.
    #[arg(value_name = "KIND/NAMESPACE/NAME")]
    pub(crate) object: Option<ObjectPath>,
}

/// What is explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Explained {
    Plane(String),
    Bundle(BundleName),
}

/// An object of a plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObjectPath {
    pub(crate) kind: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct ConfirmArguments {
    /// Name of the plane.
    pub(crate) plane: String,

    /// The Release or Bundle on that plane, like release/shop/cart.
    #[arg(value_name = "KIND/NAMESPACE/NAME")]
    pub(crate) bundle: BundleName,

    /// What is to become of what the plane holds of it now.
    #[arg(value_enum)]
    pub(crate) verdict: Verdict,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Verdict {
    /// The plane lets it go.
    Remove,
    /// It stays where it is, and the plane forgets it.
    Leave,
}

impl Verdict {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Remove => "remove",
            Self::Leave => "leave",
        }
    }
}

/// A DataPlane or BuildPlane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlaneUser {
    pub(crate) kind: &'static str,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// A Release or Bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BundleName {
    pub(crate) kind: &'static str,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl FromStr for PlaneUser {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, namespace, name) = three_parts(text)?;
        let kind = match kind.to_ascii_lowercase().as_str() {
            "dataplane" => "DataPlane",
            "buildplane" => "BuildPlane",
            _ => return Err(format!("{kind:?} is neither dataplane nor buildplane")),
        };
        Ok(Self {
            kind,
            namespace,
            name,
        })
    }
}

impl FromStr for BundleName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, namespace, name) = three_parts(text)?;
        let kind = match kind.to_ascii_lowercase().as_str() {
            "release" => "Release",
            "bundle" => "Bundle",
            _ => return Err(format!("{kind:?} is neither release nor bundle")),
        };
        Ok(Self {
            kind,
            namespace,
            name,
        })
    }
}

impl FromStr for Explained {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('/') {
            Some(("plane", name)) if !name.is_empty() && !name.contains('/') => {
                Ok(Self::Plane(name.to_owned()))
            }
            Some(("plane", _)) => Err("write plane/NAME".to_owned()),
            _ => text.parse().map(Self::Bundle),
        }
    }
}

impl FromStr for ObjectPath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split('/').collect();
        let (kind, namespace, name) = match parts[..] {
            [kind, name] => (kind, "", name),
            [kind, namespace, name] if !namespace.is_empty() => (kind, namespace, name),
            _ => return Err("write KIND/NAMESPACE/NAME, or KIND/NAME".to_owned()),
        };
        match kind.is_empty() || name.is_empty() {
            true => Err("write KIND/NAMESPACE/NAME, or KIND/NAME".to_owned()),
            false => Ok(Self {
                kind: kind.to_owned(),
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            }),
        }
    }
}

impl fmt::Display for BundleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
    }
}

fn three_parts(text: &str) -> Result<(String, String, String), String> {
    let parts: Vec<&str> = text.split('/').collect();
    match parts[..] {
        [kind, namespace, name] if ![kind, namespace, name].contains(&"") => {
            Ok((kind.to_owned(), namespace.to_owned(), name.to_owned()))
        }
        _ => Err("write KIND/NAMESPACE/NAME".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use clap::error::ErrorKind;

    use super::*;

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_definition_holds_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn global_flags_stand_before_or_after_the_command() {
        for line in [
            "outhaul --hub http://hub:1 -o json status",
            "outhaul status --hub http://hub:1 -o json",
        ] {
            let arguments = parse(line).unwrap();
            assert_eq!(
                (arguments.hub.to_string().as_str(), arguments.output),
                ("http://hub:1/", Output::Json)
            );
        }
    }

    #[test]
    fn a_token_is_asked_for_by_plane_user_and_lifetime() {
        let arguments = parse("outhaul plane token eu --for dataplane/default/eu-1 --ttl 90m").unwrap();
        let Command::Plane(PlaneCommand::Token(wanted)) = arguments.command else {
            panic!("another command: {arguments:?}");
        };
        let user = PlaneUser {
            kind: "DataPlane",
            namespace: "default".to_owned(),
            name: "eu-1".to_owned(),
        };
        assert_eq!(
            (wanted.plane.as_str(), wanted.user, wanted.ttl),
            ("eu", Some(user), Some(Duration::from_secs(5400)))
        );
    }

    #[test]
    fn wrong_usage_is_said_at_once() {
        let lines = [
            "outhaul plane token eu --for pod/default/eu",
            "outhaul plane token eu --for dataplane/eu",
            "outhaul plane token eu --ttl soon",
            "outhaul status eu cart",
            "outhaul status eu pod/shop/cart",
            "outhaul explain cart",
            "outhaul explain plane/eu/west",
            "outhaul explain plane/eu web",
            "outhaul orphans adopt eu cart",
            "outhaul orphans remove eu pod/shop/cart",
        ];
        for line in lines {
            let error = parse(line).unwrap_err();
            assert_eq!(
                (error.kind(), error.exit_code()),
                (ErrorKind::ValueValidation, 2),
                "{line}"
            );
        }
    }

    #[test]
    fn orphans_are_decided_about_by_name_and_adopted_all_at_once() {
        for line in [
            "outhaul orphans adopt eu release/shop/cart --uid u-1",
            "outhaul orphans adopt eu --all",
            "outhaul orphans remove eu bundle/shop/cart",
        ] {
            assert!(parse(line).is_ok(), "{line}");
        }
        for line in [
            "outhaul orphans adopt eu",
            "outhaul orphans adopt eu release/shop/cart --all",
            "outhaul orphans remove eu",
            "outhaul orphans remove eu --all",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn help_names_the_exit_codes_and_never_shows_a_token() {
        let help = Arguments::command().render_long_help().to_string();
        assert!(help.contains("0 done, 1 error, 2 wrong usage"), "{help}");
        assert!(help.contains("[env: OUTHAUL_TOKEN]"), "{help}");
    }
}
