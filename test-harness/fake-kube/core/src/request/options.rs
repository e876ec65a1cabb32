//! The options of a request, from its query and from a `DeleteOptions` body.

use serde_json::Value;

use super::path::percent_decode;
use super::{LogParameters, PatchKind, Unreadable};
use crate::refusal::Refusal;
use crate::schema::go::json_type;
use crate::schema::{FieldError, FieldPath, Problem};
use crate::selector::{FieldSelector, LabelSelector};

/// Everything that queries say.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Answer as if, change nothing.
    pub dry_run: bool,
    /// Who owns the fields that this request sets.
    pub field_manager: String,
    /// The manager that follows from the user agent.
    pub user_manager: String,
    /// Server-side apply takes fields from others.
    pub force: Option<bool>,
    /// What happens to unknown and duplicate fields.
    pub field_validation: FieldValidation,
    /// Fields that the body has more than once.
    pub duplicates: Vec<String>,
    /// Why the body could not be read.
    pub unreadable: Option<Unreadable>,
    /// Which labels.
    pub labels: LabelSelector,
    /// Which fields.
    pub fields: FieldSelector,
    /// At most so many in one answer.
    pub limit: Option<usize>,
    /// Where the answer before stopped.
    pub continues: Option<Continue>,
    /// Not older than this; 0 is any.
    pub resource_version: Option<u64>,
    /// A version that is no number.
    pub unparsed_version: Option<String>,
    /// How `resource_version` is meant.
    pub version_match: Option<VersionMatch>,
    /// Watch instead of list.
    pub watch: bool,
    /// Bookmarks are welcome.
    pub bookmarks: bool,
    /// Whether a watch starts with what is there; absent, that depends on its version.
    pub send_initial_events: Option<bool>,
    /// A watch ends after so many seconds; none is as many as the server likes.
    pub timeout: Option<u64>,
    /// How to delete.
    pub delete: DeleteOptions,
    /// Tables carry whole objects, their metadata, or none.
    pub include_object: Option<String>,
    /// What is wanted of a log.
    pub log: LogParameters,
}

/// What happens to fields that the schema does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FieldValidation {
    /// Dropped silently.
    Ignore,
    /// Dropped with a warning.
    #[default]
    Warn,
    /// Refused.
    Strict,
}

/// How a resourceVersion on a list is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionMatch {
    /// The state at exactly that version.
    Exact,
    /// That state or a later one.
    NotOlderThan,
    /// None of these: what was sent.
    Unknown(String),
}

/// Where a limited list goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Continue {
    /// The version that the first part had; none where that is forgotten, and the rest is as it is now.
    pub version: Option<u64>,
    /// Namespace and name of the last object delivered.
    pub after: (String, String),
}

/// How dependents fare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    /// They go after their owner.
    Background,
    /// They go first.
    Foreground,
    /// They stay.
    Orphan,
}

/// What must be true of the object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preconditions {
    /// Its uid.
    pub uid: Option<String>,
    /// Its resourceVersion.
    pub resource_version: Option<String>,
}

/// How to delete.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeleteOptions {
    /// What becomes of dependents.
    pub propagation: Option<Propagation>,
    /// Whether dependents stay, as it was said before there was `propagation`.
    pub orphans: Option<bool>,
    /// Seconds to wait.
    pub grace_period: Option<i64>,
    /// What must be true of the object.
    pub preconditions: Preconditions,
}

impl Options {
    /// Parses a query; unknown parameters are ignored, as the real server does.
    ///
    /// # Errors
    /// When a parameter that we know does not parse.
    pub fn parse(method: &str, query: &str) -> Result<Self, Refusal> {
        let kind = options_kind(method);
        let mut options = Self::default();
        for (key, value) in pairs(query) {
            options.take(kind, &key, &value)?;
        }
        options.delete.check()?;
        Ok(options)
    }

    fn take(&mut self, kind: &str, key: &str, value: &str) -> Result<(), Refusal> {
        match key {
            "dryRun" => self.dry_run = dry_run(kind, value)?,
            "fieldManager" => self.field_manager = field_manager(kind, value)?,
            "force" => self.force = Some(boolean(value)),
            "fieldValidation" => self.field_validation = field_validation(kind, value)?,
            "labelSelector" => self.labels = LabelSelector::parse(value)?,
            "fieldSelector" => self.fields = FieldSelector::parse(value)?,
            "limit" => self.limit = limit(value)?,
            "continue" if !value.is_empty() => self.continues = Some(Continue::decode(value)?),
            "resourceVersion" if !value.is_empty() => match value.parse() {
                Ok(version) => self.resource_version = Some(version),
                Err(_) => self.unparsed_version = Some(value.to_owned()),
            },
            "resourceVersionMatch" => self.version_match = version_match(value),
            "watch" => self.watch = boolean(value),
            "allowWatchBookmarks" => self.bookmarks = boolean(value),
            "sendInitialEvents" => self.send_initial_events = Some(boolean(value)),
            "timeoutSeconds" => self.timeout = lifetime(value)?,
            "propagationPolicy" => self.delete.propagation = Some(propagation(kind, value)?),
            "gracePeriodSeconds" => self.delete.grace_period = Some(number(value)?),
            "orphanDependents" => self.delete.orphans = Some(boolean(value)),
            "includeObject" => self.include_object = Some(value.to_owned()),
            _ => self.log.take(key, value),
        }
        Ok(())
    }
}

impl Options {
    /// Refuses options that do not go with a kind of patch.
    pub(super) fn check_patch(&self, kind: PatchKind) -> Result<(), Refusal> {
        if kind == PatchKind::Apply {
            let detail = "is required for apply patch".to_owned();
            return match self.field_manager.as_str() {
                "" => Err(refuse(
                    "PatchOptions",
                    "fieldManager",
                    Problem::Required { detail },
                )),
                _ => Ok(()),
            };
        }
        let detail = "may not be specified for non-apply patch".to_owned();
        match self.force {
            Some(_) => Err(refuse("PatchOptions", "force", Problem::Forbidden { detail })),
            None => Ok(()),
        }
    }
}

impl DeleteOptions {
    /// What a `DeleteOptions` body says, and whether it asks for a dry run.
    ///
    /// # Errors
    /// When it is none, or a field does not parse.
    pub fn of_body(body: &Value) -> Result<(Self, bool), Refusal> {
        check_delete_options(body)?;
        let text = |value: &Value, key: &str| value[key].as_str().map(str::to_owned);
        let mut options = Self {
            grace_period: body["gracePeriodSeconds"].as_i64(),
            preconditions: Preconditions {
                uid: text(&body["preconditions"], "uid"),
                resource_version: text(&body["preconditions"], "resourceVersion"),
            },
            ..Self::default()
        };
        if let Some(policy) = text(body, "propagationPolicy") {
            options.propagation = Some(propagation(DELETE_OPTIONS, &policy)?);
        }
        options.orphans = body["orphanDependents"].as_bool();
        options.check()?;
        let wishes = body["dryRun"].as_array().map(Vec::as_slice).unwrap_or_default();
        if wishes.iter().any(|wish| wish != "All") {
            return Err(unsupported(DELETE_OPTIONS, "dryRun", wishes, &["All"]));
        }
        Ok((options, !wishes.is_empty()))
    }

    /// What becomes of dependents, in whichever of the two ways it is said.
    pub(crate) fn fate(&self) -> Option<Propagation> {
        let said = self.orphans.map(|orphans| match orphans {
            true => Propagation::Orphan,
            false => Propagation::Background,
        });
        said.or(self.propagation)
    }

    fn check(&self) -> Result<(), Refusal> {
        match (self.propagation, self.orphans) {
            (Some(policy), Some(_)) => {
                let detail = "orphanDependents and deletionPropagation cannot be both set".to_owned();
                let value = policy.as_str().into();
                Err(refuse(
                    DELETE_OPTIONS,
                    "propagationPolicy",
                    Problem::Invalid { value, detail },
                ))
            }
            _ => Ok(()),
        }
    }
}

impl Propagation {
    fn as_str(self) -> &'static str {
        match self {
            Self::Background => "Background",
            Self::Foreground => "Foreground",
            Self::Orphan => "Orphan",
        }
    }
}

const DELETE_OPTIONS: &str = "DeleteOptions";

fn check_delete_options(body: &Value) -> Result<(), Refusal> {
    let text = |key: &str| body[key].as_str().filter(|text| !text.is_empty());
    if let Some(kind) = text("kind").filter(|kind| *kind != DELETE_OPTIONS) {
        let version = text("apiVersion").unwrap_or("v1");
        return Err(Refusal::bad_request(format!(
            "no kind {kind:?} is registered for version {version:?} in scheme \"pkg/runtime/scheme.go:111\""
        )));
    }
    let grace_period = &body["gracePeriodSeconds"];
    if !grace_period.is_null() && !grace_period.is_i64() {
        return Err(Refusal::bad_request(format!(
            "json: cannot unmarshal {} into Go struct field DeleteOptions.gracePeriodSeconds of type int64",
            json_type(grace_period)
        )));
    }
    Ok(())
}

impl Continue {
    /// The token that a client sends back.
    pub fn encode(&self) -> String {
        use base64::Engine as _;
        let version = self
            .version
            .map_or_else(|| "-1".to_owned(), |version| version.to_string());
        let text = format!("{version}/{}/{}", self.after.0, self.after.1);
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
    }

    fn decode(token: &str) -> Result<Self, Refusal> {
        use base64::Engine as _;
        let parse = || {
            let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
                .decode(token)
                .ok()?;
            let text = String::from_utf8(bytes).ok()?;
            let mut parts = text.splitn(3, '/').map(str::to_owned);
            let version = match &*parts.next()? {
                "-1" => None,
                version => Some(version.parse().ok()?),
            };
            Some(Self {
                version,
                after: (parts.next()?, parts.next()?),
            })
        };
        parse().ok_or_else(|| {
            let decoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(token);
            let why = match decoded.unwrap_or_default().first() {
                Some(byte) => format!(
                    "invalid character '{}' looking for beginning of value",
                    quoted(*byte)
                ),
                None => "illegal base64 data at input byte 0".to_owned(),
            };
            Refusal::bad_request(format!(
                "invalid continue token: continue key is not valid: {why}"
            ))
        })
    }
}

/// What a query says, decoded.
fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (percent_decode(key), percent_decode(&value.replace('+', " ")))
    })
}

/// Whether a query asks for a watch, whatever else it asks.
pub(super) fn asks_to_watch(query: &str) -> bool {
    let said = pairs(query).filter(|(key, _)| key == "watch");
    said.last().is_some_and(|(_, value)| boolean(&value))
}

/// Whatever is not a no is a yes.
pub(super) fn boolean(value: &str) -> bool {
    value != "0" && !value.eq_ignore_ascii_case("false")
}

pub(super) fn number<N: std::str::FromStr>(value: &str) -> Result<N, Refusal> {
    value
        .parse()
        .map_err(|_| Refusal::bad_request(format!("strconv.ParseInt: parsing {value:?}: invalid syntax")))
}

/// A byte as Go quotes it.
fn quoted(byte: u8) -> String {
    match byte {
        b' '..=b'~' => char::from(byte).to_string(),
        other => format!("\\u00{other:02x}"),
    }
}

/// How long a watch lives; what is not above zero says nothing of it.
fn lifetime(value: &str) -> Result<Option<u64>, Refusal> {
    let seconds: i64 = number(value)?;
    Ok(u64::try_from(seconds).ok().filter(|seconds| *seconds > 0))
}

/// None is no limit, as is anything below one.
fn limit(value: &str) -> Result<Option<usize>, Refusal> {
    let limit: i64 = number(value)?;
    Ok(usize::try_from(limit).ok().filter(|limit| *limit > 0))
}

/// The kind whose fields a query sets, as refusals name it.
fn options_kind(method: &str) -> &'static str {
    match method {
        "POST" => "CreateOptions",
        "PUT" => "UpdateOptions",
        "PATCH" => "PatchOptions",
        "DELETE" => "DeleteOptions",
        _ => "ListOptions",
    }
}

fn unsupported(kind: &str, field: &str, value: impl Into<Value>, allowed: &[&str]) -> Refusal {
    let allowed = allowed.iter().map(|&each| each.to_owned()).collect();
    refuse(
        kind,
        field,
        Problem::Unsupported {
            value: value.into(),
            allowed,
        },
    )
}

fn refuse(kind: &str, field: &str, problem: Problem) -> Refusal {
    Refusal::invalid(
        "meta.k8s.io",
        kind,
        "",
        &[FieldError {
            path: FieldPath::root().field(field),
            problem,
        }],
    )
}

fn dry_run(kind: &str, value: &str) -> Result<bool, Refusal> {
    match value {
        "" => Ok(false),
        "All" => Ok(true),
        other => Err(unsupported(kind, "dryRun", vec![other], &["All"])),
    }
}

/// The most bytes that the name of a manager has.
const LONGEST_MANAGER: u64 = 128;

fn field_manager(kind: &str, value: &str) -> Result<String, Refusal> {
    let problem = if value.len() as u64 > LONGEST_MANAGER {
        Problem::TooLong { max: LONGEST_MANAGER }
    } else if let Some((position, unprintable)) = value.char_indices().find(|(_, c)| !is_printable(*c)) {
        let code = u32::from(unprintable);
        let detail = format!("invalid character U+{code:04X} (at position {position})");
        let value = value.into();
        Problem::Invalid { value, detail }
    } else {
        return Ok(value.to_owned());
    };
    Err(refuse(kind, "fieldManager", problem))
}

/// Letters, marks, numbers, punctuation, symbols and the one space: what text shows as it is, after a letter.
fn is_printable(c: char) -> bool {
    match c.is_ascii() {
        true => c == ' ' || c.is_ascii_graphic(),
        false => !format!("a{c}").escape_debug().any(|shown| shown == '\\'),
    }
}

fn field_validation(kind: &str, value: &str) -> Result<FieldValidation, Refusal> {
    match value {
        "Ignore" => Ok(FieldValidation::Ignore),
        "" | "Warn" => Ok(FieldValidation::Warn),
        "Strict" => Ok(FieldValidation::Strict),
        other => Err(unsupported(
            kind,
            "fieldValidation",
            other,
            &["", "Ignore", "Strict", "Warn"],
        )),
    }
}

fn version_match(value: &str) -> Option<VersionMatch> {
    match value {
        "" => None,
        "Exact" => Some(VersionMatch::Exact),
        "NotOlderThan" => Some(VersionMatch::NotOlderThan),
        other => Some(VersionMatch::Unknown(other.to_owned())),
    }
}

fn propagation(kind: &str, value: &str) -> Result<Propagation, Refusal> {
    match value {
        "Background" => Ok(Propagation::Background),
        "Foreground" => Ok(Propagation::Foreground),
        "Orphan" => Ok(Propagation::Orphan),
        other => {
            let known = ["Foreground", "Background", "Orphan", "nil"];
            Err(unsupported(kind, "propagationPolicy", other, &known))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_continue_token_comes_back_as_it_went() {
        let token = Continue {
            version: Some(12),
            after: ("ns".to_owned(), "na.me".to_owned()),
        };
        assert_eq!(Continue::decode(&token.encode()).unwrap(), token);
        assert!(Continue::decode("!").is_err());
    }

    #[test]
    fn queries_are_decoded_and_checked() {
        let options = Options::parse(
            "GET",
            "labelSelector=a%3Db&limit=5&watch=1&dryRun=All&fieldManager=me",
        )
        .unwrap();
        assert!(options.watch && options.dry_run);
        assert_eq!((options.limit, &*options.field_manager), (Some(5), "me"));
        assert!(!options.labels.is_empty());
        assert!(Options::parse("GET", "dryRun=Some").is_err());
        let unparsed = Options::parse("GET", "resourceVersion=x")
            .unwrap()
            .unparsed_version;
        assert_eq!(unparsed.as_deref(), Some("x"));
    }
}
