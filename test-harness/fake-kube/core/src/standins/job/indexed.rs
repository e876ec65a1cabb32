//! Which pods a Job lacks: so many, or one for each index that has not succeeded.

use serde_json::Value;

use super::View;

/// On pods of an indexed Job: which index they are for.
pub(super) const INDEX: &str = "batch.kubernetes.io/job-completion-index";

/// What to start now: an entry for each pod, with its index where the Job counts those.
pub(super) fn missing(view: &View<'_>) -> Vec<Option<usize>> {
    let room = view.parallelism().saturating_sub(view.active.len());
    if is_indexed(view) {
        let taken = |at: &usize| {
            let pods = view.active.iter().chain(&view.succeeded);
            pods.filter_map(|pod| index(pod)).any(|index| index == *at)
        };
        let all = 0..view.completions().unwrap_or(0);
        return all.filter(|at| !taken(at)).take(room).map(Some).collect();
    }
    let wanted = match view.completions() {
        Some(completions) => completions
            .saturating_sub(view.succeeded.len())
            .saturating_sub(view.active.len()),
        None if view.succeeded.is_empty() => usize::MAX,
        None => 0,
    };
    vec![None; wanted.min(room)]
}

/// `0-2,4`: the indexes that have succeeded, if the Job counts them.
pub(super) fn completed(view: &View<'_>) -> Option<String> {
    if !is_indexed(view) || view.succeeded.is_empty() {
        return None;
    }
    let mut done: Vec<usize> = view.succeeded.iter().filter_map(|pod| index(pod)).collect();
    done.sort_unstable();
    done.dedup();
    let runs = done.chunk_by(|a, b| a + 1 == *b).map(|run| match run {
        [first, .., last] if last - first > 1 => format!("{first}-{last}"),
        run => run.iter().map(usize::to_string).collect::<Vec<_>>().join(","),
    });
    Some(runs.collect::<Vec<_>>().join(","))
}

fn is_indexed(view: &View<'_>) -> bool {
    view.job["spec"]["completionMode"] == "Indexed"
}

fn index(pod: &Value) -> Option<usize> {
    pod["metadata"]["annotations"][INDEX].as_str()?.parse().ok()
}
