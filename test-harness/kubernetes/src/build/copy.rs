//! Copies files out of Go modules: custom resource definitions of others, and kwok's stages.
//!
//! They are taken from the module cache at build time, where their checksum is known, so that no copy of
//! them has to be kept true here.

use std::fs;
use std::path::Path;

use serde_yaml_ng::{Value, from_str, to_string};

use super::pins::{Source, Transform};
use super::{BuildError, doing, go};

/// Copies the YAML files of one source below `folder`.
pub(super) fn copy(source: &Source, folder: &Path) -> Result<(), BuildError> {
    let module = go::download(source.module, source.version)?;
    if module.sum != source.checksum {
        return Err(BuildError::Checksum {
            module: source.module,
            found: module.sum,
            pinned: source.checksum,
        });
    }
    let (from, to) = (module.dir.join(source.from), folder.join(source.to));
    doing("creating", &to, fs::create_dir_all(&to))?;
    for entry in doing("reading", &from, fs::read_dir(&from))? {
        let file = doing("reading", &from, entry)?.path();
        let Some(name) = file
            .file_name()
            .filter(|_| file.extension().is_some_and(|e| e == "yaml"))
        else {
            continue;
        };
        let text = doing("reading", &file, fs::read_to_string(&file))?;
        let text = transform(&source.transform, &text).map_err(|problem| BuildError::Unexpected {
            file: file.clone(),
            problem,
        })?;
        if let Some(text) = text {
            doing("writing", &to, fs::write(to.join(name), text))?;
        }
    }
    Ok(())
}

/// The text as it is wanted; `None` when it is not wanted at all.
fn transform(transform: &Transform, text: &str) -> Result<Option<String>, String> {
    match transform {
        Transform::None => Ok(Some(text.to_owned())),
        Transform::DropTemplateLines => drop_template_lines(text).map(Some),
        Transform::LeaveRoomForOurStages => leave_room(text),
    }
}

fn drop_template_lines(text: &str) -> Result<String, String> {
    let opens = |line: &str| ["if ", "end ", "end}"].iter().any(|word| line.starts_with(word));
    let is_template = |line: &str| {
        line.strip_prefix("{{")
            .is_some_and(|rest| opens(rest.trim_start_matches('-').trim_start()))
    };
    let plain: String = text
        .lines()
        .filter(|line| !is_template(line))
        .map(|line| format!("{line}\n"))
        .collect();
    match plain.lines().find(|line| line.starts_with("{{")) {
        Some(line) => Err(format!("a template line that is no condition: {line}")),
        None => Ok(plain),
    }
}

/// kwok's `pod-ready` must leave pods alone that ours keep stuck, and its `pod-complete`, which only finishes
/// the pods of Jobs, is replaced by one of ours.
fn leave_room(text: &str) -> Result<Option<String>, String> {
    let mut stage: Value = from_str(text).map_err(|error| error.to_string())?;
    match (stage["kind"].as_str(), stage["metadata"]["name"].as_str()) {
        (Some("Stage"), Some("pod-ready")) => {}
        (Some("Stage"), Some("pod-complete")) | (Some("Kustomization"), _) => return Ok(None),
        (Some("Stage"), Some("node-initialize" | "pod-delete")) => return Ok(Some(text.to_owned())),
        (kind, name) => {
            return Err(format!(
                "{kind:?} {name:?}: kwok had no such stage when it was pinned"
            ));
        }
    }
    let not_stuck = r#"
        key: '.metadata.annotations["outhaul.dev/test-result"]'
        operator: NotIn
        values: [stuck]
    "#;
    let expression = from_str(not_stuck).map_err(|error| error.to_string())?;
    stage["spec"]["selector"]["matchExpressions"]
        .as_sequence_mut()
        .ok_or("the stage has no matchExpressions")?
        .push(expression);
    to_string(&stage).map(Some).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_around_a_definition_are_dropped() {
        let template = "{{- if .Values.crds.enabled }}\nkind: CustomResourceDefinition\n{{- end }}\n";
        assert_eq!(
            drop_template_lines(template).unwrap(),
            "kind: CustomResourceDefinition\n"
        );
    }

    #[test]
    fn any_other_template_line_is_an_error() {
        assert!(drop_template_lines("{{ include \"labels\" . }}\nkind: A\n").is_err());
    }

    #[test]
    fn ready_stage_leaves_stuck_pods_alone() {
        let stage = "kind: Stage\nmetadata: {name: pod-ready}\nspec: {selector: {matchExpressions: []}}\n";
        let changed = leave_room(stage).unwrap().unwrap();
        assert!(changed.contains("outhaul.dev/test-result"), "{changed}");
        assert!(changed.contains("stuck"), "{changed}");
    }

    #[test]
    fn stage_that_is_not_known_is_an_error() {
        assert!(leave_room("kind: Stage\nmetadata: {name: pod-explodes}\n").is_err());
    }
}
