//! How deep JSON nests, without reading it: readers that call themselves for each level fail or crash where it is deep.

/// How many lists and maps of `json` are in each other at most; zero for a scalar. Text that is no JSON has some depth
/// too.
pub fn of(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut bytes = json.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => skip_string(&mut bytes),
            _ => {}
        }
    }
    deepest
}

fn skip_string(bytes: &mut core::str::Bytes<'_>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_maps_count_and_what_is_in_strings_does_not() {
        let cases = [
            ("7", 0),
            ("{}", 1),
            (r#"{"a":[{"b":[]}],"c":{}}"#, 4),
            (r#"{"a":"[[[\\","b":"\"{{{"}"#, 1),
            (r#"["]",[1]]"#, 2),
        ];
        for (json, depth) in cases {
            assert_eq!(of(json), depth, "{json}");
        }
        assert_eq!(of(&"[".repeat(1_000_000)), 1_000_000);
    }
}
