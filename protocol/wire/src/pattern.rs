//! Patterns over names, in which `*` stands for any run of characters.

/// Whether `text` follows `pattern`.
pub fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(text) = text.strip_prefix(head) else {
        return false;
    };
    let Some((middle, tail)) = rest.rsplit_once('*') else {
        return text.ends_with(rest);
    };
    let Some(mut text) = text.strip_suffix(tail) else {
        return false;
    };
    // What a part takes early leaves the more for the parts after it.
    middle.split('*').all(|part| match text.split_once(part) {
        Some((_, after)) => {
            text = after;
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Tries every run that a star can stand for.
    fn tries_all(pattern: &str, text: &str) -> bool {
        match pattern.split_once('*') {
            None => pattern == text,
            Some((head, rest)) => text.strip_prefix(head).is_some_and(|text| {
                (0..=text.len()).any(|end| text.is_char_boundary(end) && tries_all(rest, &text[end..]))
            }),
        }
    }

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        let cases = [
            ("*", "anything", true),
            ("acme", "acme", true),
            ("acme", "acme-dev", false),
            ("acme-*", "acme-dev", true),
            ("acme-*", "acme", false),
            ("*-dev", "acme-dev", true),
            ("a*a", "a", false),
            ("a*b*c", "a-b-b-c", true),
            ("a**c", "ac", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    proptest! {
        #[test]
        fn it_finds_what_trying_everything_finds(pattern in "[ab*]{0,8}", text in "[abé]{0,10}") {
            prop_assert_eq!(matches(&pattern, &text), tries_all(&pattern, &text));
        }
    }
}
