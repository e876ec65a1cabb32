use super::*;

fn values() -> BTreeMap<&'static str, String> {
    let uri = "http://rich-7baa68f2:8080";
    let values = [
        ("host", "rich-7baa68f2"),
        ("port", "8080"),
        ("scheme", "http"),
        ("basePath", ""),
        ("uri", uri),
        ("url", uri),
    ];
    values.map(|(name, value)| (name, value.to_owned())).into()
}

fn check(cases: &[(&str, &str)]) {
    for (template, expected) in cases {
        assert_eq!(
            render(template, &values()).as_deref(),
            Ok(*expected),
            "{template}"
        );
    }
}

/// Go finds an error in each, so each is used as it is.
fn check_literal(templates: &[&str]) {
    for template in templates {
        assert_eq!(
            render(template, &values()).as_deref(),
            Ok(*template),
            "{template}"
        );
    }
}

#[test]
fn values_are_put_in_by_name() {
    check(&[
        ("{{ .url }}/v1", "http://rich-7baa68f2:8080/v1"),
        (
            "{{ .scheme }}|{{ .host }}|{{ .port }}|{{ .basePath }}|{{ .uri }}|{{ .nope }}",
            "http|rich-7baa68f2|8080||http://rich-7baa68f2:8080|<no value>",
        ),
        ("", ""),
        ("plain } text {", "plain } text {"),
        ("{{.host}}", "rich-7baa68f2"),
        ("{{$.host}}", "rich-7baa68f2"),
        ("{{ .nope.deeper }}", "<no value>"),
        ("{{\n.port\n}}", "8080"),
    ]);
    let all = "map[basePath: host:rich-7baa68f2 port:8080 scheme:http uri:http://rich-7baa68f2:8080 \
               url:http://rich-7baa68f2:8080]";
    check(&[("{{ . }}", all), ("{{ printf \"%v\" $ }}", all)]);
}

#[test]
fn what_go_does_not_take_is_used_as_it_is() {
    check_literal(&[
        "{{ .host",
        "{{ .host }",
        "{{ }}",
        "{{ .host }} {{ end }}",
        "{{ if .host }}",
        "{{ else }}",
        "{{ unknown .host }}",
        "{{ .host.name }}",
        "{{ .host .port }}",
        "{{ .host, .port }}",
        "{{ (.host }}",
        "{{ .host) }}",
        "{{ $x }}",
        "{{ $x = 1 }}",
        "{{ nil }}",
        "{{ .host | 7 }}",
        "{{ .host | .port }}",
        "{{ \"open }}",
        "{{ \"\\z\" }}",
        "{{ 'ab' }}",
        "{{ len 7 }}",
        "{{ len .nope }}",
        "{{ len .host .port }}",
        "{{ not }}",
        "{{ and }}",
        "{{ index .host 99 }}",
        "{{ index .nope \"a\" }}",
        "{{ index nil }}",
        "{{ slice .host 5 2 }}",
        "{{ eq .port 8080 }}",
        "{{ eq .port }}",
        "{{ eq . . }}",
        "{{ lt true false }}",
        "{{ lt .nope .host }}",
        "{{ printf 7 }}",
        "{{ printf .nope }}",
        "{{ break }}",
        "{{ /* late */ }}",
        "{{/* open }}",
        "{{ ..host }}",
        "{{ .ho$t }}",
        "{{ ! }}",
    ]);
}

#[test]
fn markers_trim_and_comments_vanish() {
    check(&[
        ("a {{- .port -}} b", "a8080b"),
        ("a {{- .port }} b", "a8080 b"),
        ("a\n {{ .port  -}}\n\tb", "a\n 8080b"),
        ("a{{/* note */}}b", "ab"),
        ("a {{- /* note */ -}} b", "ab"),
        ("{{-3}}", "-3"),
    ]);
}

#[test]
fn values_go_through_pipelines_and_variables() {
    check(&[
        ("{{ printf \"%s!\" .host | len }}", "14"),
        ("{{ .host | printf \"%s:%s\" .port }}", "8080:rich-7baa68f2"),
        ("{{ (printf \"%s\" .host) | print \"h=\" }}", "h=rich-7baa68f2"),
        (
            "{{ $h := .host }}{{ $h }}-{{ $h }}",
            "rich-7baa68f2-rich-7baa68f2",
        ),
        ("{{ $h := 1 }}{{ $h = 2 }}{{ $h }}", "2"),
        (
            "{{ $h := 1 }}{{ if true }}{{ $h := 2 }}{{ $h }}{{ end }}{{ $h }}",
            "21",
        ),
        ("{{ $all := . }}{{ $all.port }}", "8080"),
        ("{{ (index . \"host\") }}", "rich-7baa68f2"),
        ("{{ ($).port }}", "8080"),
        ("{{ .port | }}", "8080"),
        ("{{ .nope.deeper 0 }}", "<no value>"),
    ]);
}

#[test]
fn conditions_choose() {
    check(&[
        ("{{ if .basePath }}a{{ else }}b{{ end }}", "b"),
        ("{{ if .host }}a{{ else }}b{{ end }}", "a"),
        ("{{ if .nope }}a{{ end }}", ""),
        (
            "{{ if eq .scheme \"https\" }}s{{ else if eq .port \"8080\" }}p{{ else }}-{{ end }}",
            "p",
        ),
        (
            "{{ with .host }}{{ . }}{{ $.port }}{{ end }}",
            "rich-7baa68f28080",
        ),
        ("{{ with .nope }}a{{ else with .port }}{{ . }}{{ end }}", "8080"),
        ("{{ with $p := .port }}{{ $p }}{{ else }}none{{ end }}", "8080"),
    ]);
}

#[test]
fn functions_are_the_standard_ones() {
    check(&[
        ("{{ len . }}", "6"),
        (
            "{{ and .host .port }}{{ and .basePath .port }}{{ or .basePath .port }}",
            "80808080",
        ),
        ("{{ or .port (index .host 99) }}", "8080"),
        ("{{ not .basePath }}", "true"),
        ("{{ index . \"nope\" }}{{ index .host 0 }}{{ 'r' }}", "114114"),
        (
            "{{ slice .host 0 4 }}{{ slice .host 4 5 }}{{ slice .host 5 }}",
            "rich-7baa68f2",
        ),
        ("{{ print 1 2 \"a\" 3 true nil }}", "1 2a3 true <nil>"),
        ("{{ println .port 1 }}", "8080 1\n"),
        ("{{ html \"<a b='c'>&\" }}", "&lt;a b=&#39;c&#39;&gt;&amp;"),
        (
            "{{ urlquery .uri \" ü\" }}",
            "http%3A%2F%2Frich-7baa68f2%3A8080+%C3%BC",
        ),
        (
            "{{ eq .scheme \"grpc\" \"http\" }}{{ ne .scheme \"http\" }}{{ eq .nope nil }}",
            "truefalsetrue",
        ),
        (
            "{{ eq .nope \"x\" }}{{ eq true true }}{{ eq . nil }}",
            "falsetruefalse",
        ),
        ("{{ html .nope 1 2 }}", "&lt;no value&gt;1 2"),
        (
            "{{ lt 1 2 }}{{ le 2 2 }}{{ gt .port \"9\" }}{{ ge 1 2 }}",
            "truetruefalsefalse",
        ),
    ]);
}

#[test]
fn printf_writes_as_go_does() {
    check(&[
        (
            "{{ printf \"%s|%v|%q|%x\" .port .port .port .port }}",
            "8080|8080|\"8080\"|38303830",
        ),
        (
            "{{ printf \"%6s|%-6s|%.2s|%5d|%-5d|%05d|%+d\" .port .port .port 42 42 42 42 }}",
            "  8080|8080  |80|   42|42   |00042|+42",
        ),
        ("{{ printf \"%d\" .port }}", "%!d(string=8080)"),
        ("{{ printf \"%s %t\" 5 true }}", "%!s(int=5) true"),
        ("{{ printf \"%s\" .nope }}", "%!s(<nil>)"),
        ("{{ printf \"%s %s\" .port }}", "8080 %!s(MISSING)"),
        ("{{ printf \"a\" .port 7 }}", "a%!(EXTRA string=8080, int=7)"),
        (
            "{{ printf \"100%% %T %b %o %X\" .port 5 8 255 }}",
            "100% string 101 10 FF",
        ),
        ("{{ printf \"50%\" }}", "50%!(NOVERB)"),
        ("{{ printf `%s\\n` \"a\\tb\\x41\\u00fc\" }}", "a\tbAü\\n"),
    ]);
}

#[test]
fn what_only_go_does_is_said() {
    let long = "x".repeat(TEXT + 1);
    let deep = format!("{}1{}", "{{ if true }}".repeat(40), "{{ end }}".repeat(40));
    let wide = "{{ $x := printf \"%1024s\" .port }}".to_owned() + &"{{ $x }}".repeat(100);
    let doubled = "{{ $x := `abc` }}".to_owned() + &"{{ $x = print $x $x }}".repeat(20);
    let handed_on = format!(
        "{{{{ $x := `{}` }}}}{{{{ len (print{}) }}}}",
        "x".repeat(8_000),
        " $x".repeat(2_000)
    );
    for template in [
        "{{ range . }}{{ . }}{{ end }}",
        "{{ define \"x\" }}{{ end }}",
        "{{ js .host }}",
        "{{ 1.5 }}",
        "{{ 0x10 }}",
        "{{ printf \"%*s\" 3 .host }}",
        "{{ printf \"%9999s\" .host }}",
        &long,
        &deep,
        &wide,
        &doubled,
        &handed_on,
    ] {
        assert!(render(template, &values()).is_err(), "{template}");
    }
    let error = render("{{ js .host }}", &values()).unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"the template "{{ js .host }}" has the function js, which is not supported here: use fields such as {{ .url }}"#
    );
}
