//! `outhaul plane token`: the token for a new agent, and what to do with it.

use serde_json::{Value, json};

use crate::answers::Token;
use crate::arguments::{Output, PlaneTokenArguments};
use crate::client::{Client, segment};
use crate::status::{json as pretty, parse};
use crate::text::printable;

pub(crate) async fn make(
    client: &Client,
    wanted: &PlaneTokenArguments,
    output: Output,
) -> anyhow::Result<String> {
    let path = format!("/api/v1/planes/{}/tokens", segment(&wanted.plane));
    let answer = client.post(&path, &body(wanted)).await?;
    match output {
        Output::Json => pretty(&answer),
        Output::Table => Ok(render(&parse(&answer)?)),
    }
}

fn body(wanted: &PlaneTokenArguments) -> Value {
    let mut body = json!({});
    if let Some(user) = &wanted.user {
        body["for"] = json!({"kind": user.kind, "namespace": user.namespace, "name": user.name});
    }
    if let Some(ttl) = wanted.ttl {
        body["ttlSeconds"] = json!(ttl.as_secs());
    }
    body
}

fn render(token: &Token) -> String {
    let [plane, expires, text] = [&token.plane, &token.expires, &token.token].map(|text| printable(text));
    format!(
        "\
One agent may enrol as plane {plane} with this token until {expires}. It is shown this once:

{text}

Start the agent where it reaches the plane's API server. It uses the cluster of kubectl's current context, or the
one of its pod:

outhaul-agent --token {text}
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::PlaneUser;

    #[test]
    fn only_what_was_given_is_asked_for() {
        let mut wanted = PlaneTokenArguments {
            plane: "eu".to_owned(),
            user: None,
            ttl: None,
        };
        assert_eq!(body(&wanted), json!({}));
        wanted.user = Some(PlaneUser {
            kind: "DataPlane",
            namespace: "default".to_owned(),
            name: "eu-1".to_owned(),
        });
        wanted.ttl = Some(std::time::Duration::from_secs(60));
        let expected = json!({
            "for": {"kind": "DataPlane", "namespace": "default", "name": "eu-1"},
            "ttlSeconds": 60,
        });
        assert_eq!(body(&wanted), expected);
    }

    #[test]
    fn the_next_command_stands_on_a_line_of_its_own() {
        let token = Token {
            plane: "eu".to_owned(),
            token: "outhaul1.abc".to_owned(),
            expires: "2026-01-02T03:04:05Z".to_owned(),
        };
        let text = render(&token);
        assert!(text.lines().any(|line| line == "outhaul1.abc"));
        assert!(
            text.lines()
                .any(|line| line == "outhaul-agent --token outhaul1.abc")
        );
    }
}
