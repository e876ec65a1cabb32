//! Logs of pods. Pods here have no output but what an annotation says, all of it at their start.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::cluster::{Cluster, key_of};
use crate::kind::Served;
use crate::meta;
use crate::moment::Moment;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::request::{LogOptions, Request, Target};
use crate::schema::{FieldError, FieldPath};

/// What `kubectl logs` shows of a pod.
pub const LOG_ANNOTATION: &str = "outhaul.dev/test-log";

impl Cluster {
    pub(super) fn log(
        &self,
        served: &Served,
        target: &Target,
        request: &Request,
        moment: &Moment,
    ) -> Result<Reply, Refusal> {
        let options = LogOptions::parse(&request.options.log)?;
        let errors = complaints(&options);
        if !errors.is_empty() {
            let name = target.name.as_deref().unwrap_or_default();
            return Err(Refusal::invalid("", "PodLogOptions", name, &errors));
        }
        let pod = self.existing(served, &key_of(target))?;
        let pod = pod.value();
        let container = container(pod, options.container.as_deref())?;
        let said = meta::metadata(pod).and_then(|m| m.get("annotations")?.get(LOG_ANNOTATION)?.as_str());
        if said.is_none() && pod["spec"]["nodeName"].as_str().is_none_or(str::is_empty) {
            // Nobody who could have a log.
            return Ok(Reply::nothing());
        }
        if options.previous && !has_ended(pod, container) {
            let name = meta::name(pod);
            return Err(Refusal::bad_request(format!(
                "previous terminated container {container:?} in pod {name:?} not found"
            )));
        }
        Ok(Reply::text(shown(
            said.unwrap_or_default(),
            start(pod),
            &options,
            moment,
        )))
    }
}

/// What is wrong with options that could be read.
fn complaints(options: &LogOptions) -> Vec<FieldError> {
    let field = |name: &str| FieldPath::root().field(name);
    let below = |name: &str, value: Option<i64>, least: i64, detail: &str| {
        let value = value.filter(|value| *value < least)?;
        Some(FieldError::invalid(field(name), value, detail))
    };
    let tail = below(
        "tailLines",
        options.tail_lines,
        0,
        "must be greater than or equal to 0",
    );
    let limit = below("limitBytes", options.limit_bytes, 1, "must be greater than 0");
    let since = match (options.since_seconds, options.since_time) {
        // Of no field: this is how the real server writes that.
        (Some(_), Some(_)) => Some(FieldError::forbidden(
            field("[]"),
            "at most one of `sinceTime` or `sinceSeconds` may be specified",
        )),
        (seconds, _) => below("sinceSeconds", seconds, 1, "must be greater than 0"),
    };
    let stream = options
        .has_stream
        .then(|| FieldError::forbidden(field("stream"), "may not be specified"));
    [tail, limit, since, stream].into_iter().flatten().collect()
}

/// The container that is meant: the one of that name, or the only one.
fn container<'a>(pod: &'a Value, wanted: Option<&str>) -> Result<&'a str, Refusal> {
    let of = |list: &str| {
        let all = pod["spec"][list].as_array().into_iter().flatten();
        all.filter_map(|container| container["name"].as_str())
            .collect::<Vec<_>>()
    };
    let (first, main) = (of("initContainers"), of("containers"));
    let name = meta::name(pod);
    let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) else {
        return match main[..] {
            [only] => Ok(only),
            _ => Err(Refusal::bad_request(format!(
                "a container name must be specified for pod {name}, choose one of: [{}]",
                [first, main].concat().join(" ")
            ))),
        };
    };
    let found = main.into_iter().chain(first).find(|known| *known == wanted);
    found.ok_or_else(|| Refusal::bad_request(format!("container {wanted} is not valid for pod {name}")))
}

/// Whether a container ran before as it runs now.
fn has_ended(pod: &Value, container: &str) -> bool {
    let all = ["containerStatuses", "initContainerStatuses"].map(|list| pod["status"][list].as_array());
    let mut all = all.into_iter().flatten().flatten();
    all.any(|status| status["name"] == container && status["lastState"]["terminated"].is_object())
}

fn start(pod: &Value) -> Option<Timestamp> {
    let created = meta::text(pod, "creationTimestamp");
    pod["status"]["startTime"]
        .as_str()
        .unwrap_or(created)
        .parse()
        .ok()
}

/// Of what a pod said the part that is wanted.
fn shown(said: &str, at: Option<Timestamp>, options: &LogOptions, moment: &Moment) -> String {
    let since = options.since_time.or_else(|| {
        let ago = options.since_seconds.map(SignedDuration::from_secs)?;
        moment.now.checked_sub(ago).ok()
    });
    if at.zip(since).is_some_and(|(at, since)| at < since) {
        return String::new();
    }
    let lines: Vec<&str> = said.lines().collect();
    let tail = options.tail_lines.and_then(|tail| usize::try_from(tail).ok());
    let from = lines.len().saturating_sub(tail.unwrap_or(usize::MAX));
    let stamp = match at.filter(|_| options.timestamps) {
        Some(at) => format!("{} ", at.strftime("%Y-%m-%dT%H:%M:%S.%9fZ")),
        None => String::new(),
    };
    let mut text: String = lines[from..]
        .iter()
        .flat_map(|line| [&stamp, *line, "\n"])
        .collect();
    if let Some(limit) = options.limit_bytes.and_then(|limit| usize::try_from(limit).ok()) {
        text.truncate(text.floor_char_boundary(limit));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_log_the_part_is_shown_that_is_wanted() {
        let at: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let moment = Moment::new(at + SignedDuration::from_secs(60), 0);
        let check = |options: LogOptions, expected: &str| {
            assert_eq!(
                shown("one\ntwo\nthr\u{e9}e", Some(at), &options, &moment),
                expected,
                "{options:?}"
            );
        };
        let all = LogOptions::default;
        check(all(), "one\ntwo\nthr\u{e9}e\n");
        check(
            LogOptions {
                tail_lines: Some(1),
                ..all()
            },
            "thr\u{e9}e\n",
        );
        check(
            LogOptions {
                tail_lines: Some(0),
                ..all()
            },
            "",
        );
        check(
            LogOptions {
                limit_bytes: Some(5),
                ..all()
            },
            "one\nt",
        );
        check(
            LogOptions {
                limit_bytes: Some(12),
                ..all()
            },
            "one\ntwo\nthr",
        );
        check(
            LogOptions {
                since_seconds: Some(60),
                tail_lines: Some(1),
                ..all()
            },
            "thr\u{e9}e\n",
        );
        check(
            LogOptions {
                since_seconds: Some(59),
                ..all()
            },
            "",
        );
        check(
            LogOptions {
                since_time: Some(moment.now),
                ..all()
            },
            "",
        );
        let stamped = "2026-01-01T00:00:00.000000000Z one\n2026";
        check(
            LogOptions {
                timestamps: true,
                limit_bytes: Some(39),
                ..all()
            },
            stamped,
        );
    }

    #[test]
    fn only_what_was_restarted_has_a_previous_log() {
        let ended = serde_json::json!({"status": {"containerStatuses": [
            {"name": "a", "lastState": {}}, {"name": "b", "lastState": {"terminated": {"exitCode": 1}}},
        ]}});
        assert_eq!(
            ["a", "b", "c"].map(|name| has_ended(&ended, name)),
            [false, true, false]
        );
    }
}
