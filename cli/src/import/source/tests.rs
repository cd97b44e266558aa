use std::io::Read as _;

use super::bounded::LONGEST_ROW;
use super::*;

/// The rows that a text has.
type Rows<'a> = &'a [(u64, &'a str)];

/// The rows' numbers, each with its member `id`, `-` when it has none, and `!`
/// when the row cannot be read.
fn rows(layout: Layout, text: &[u8]) -> Result<Vec<(u64, String)>, String> {
    let mut rows = Vec::new();
    let id = |fields: Fields| fields.identifier("id").unwrap_or_else(|| "-".to_owned());
    cut(text, layout, &mut |row| {
        rows.push((row.number, row.fields.map_or_else(|| "!".to_owned(), id)));
        ControlFlow::Continue(())
    })?;
    Ok(rows)
}

fn expected(rows: Rows<'_>) -> Vec<(u64, String)> {
    rows.iter().map(|(number, id)| (*number, (*id).to_owned())).collect()
}

#[test]
fn rows_are_cut_and_numbered() {
    use Layout::{Csv, Document, Lines};
    let table: &[(&str, Layout, &[u8], Rows<'_>)] = &[
        ("CSV", Csv, b"id,x\n7,a\n8,b\n", &[(2, "7"), (3, "8")]),
        ("CSV without an end", Csv, b"id,x\r\n7,a\r\n8,b", &[(2, "7"), (3, "8")]),
        ("CSV with a mark", Csv, b"\xef\xbb\xbfid,x\n7,a\n", &[(2, "7")]),
        ("CSV with quotes", Csv, b"id,x\n7,\"a\n\"\"b\"\"\"\n8,\n", &[(2, "7"), (3, "8")]),
        ("CSV with an empty cell", Csv, b"id,x\n,a\n", &[(2, "-")]),
        ("CSV with a short line", Csv, b"id,x\n7\n8,a\n", &[(2, "!"), (3, "8")]),
        ("CSV with a long line", Csv, b"id,x\n7,a,b\n8,a\n", &[(2, "!"), (3, "8")]),
        ("CSV that is not UTF-8", Csv, b"id,x\n7,\xff\n8,a\n", &[(2, "!"), (3, "8")]),
        ("CSV with a heading alone", Csv, b"id,x\n", &[]),
        ("lines", Lines, b"{\"id\":\"7\"}\n{\"id\":8}\n", &[(1, "7"), (2, "8")]),
        ("lines with blanks", Lines, b"\xef\xbb\xbf{\"id\":\"7\"}\r\n\n \n{\"id\":8}", &[(1, "7"), (4, "8")]),
        ("a broken line", Lines, b"{\"id\":\n{\"id\":8}\n", &[(1, "!"), (2, "8")]),
        ("a line that is not UTF-8", Lines, b"{\"id\":\"\xff\"}\n{\"id\":8}\n", &[(1, "!"), (2, "8")]),
        ("a line with more behind", Lines, b"{\"id\":7} {}\n", &[(1, "!")]),
        ("lines of something else", Lines, b"[7]\nnull\n\"7\"\n", &[(1, "!"), (2, "!"), (3, "!")]),
        ("no lines", Lines, b"", &[]),
        (
            "a document",
            Document,
            b"{\"a\":{\"users\":[1]},\"users\":[{\"id\":7},{\"id\":8}],\"b\":[]}",
            &[(1, "7"), (2, "8")],
        ),
        ("several realms", Document, b"[{\"users\":[{\"id\":7}]},{},{\"users\":[{\"id\":8}]}]", &[(1, "7"), (2, "8")]),
        (
            "other things among users",
            Document,
            b"{\"users\":[7,{\"id\":8},[],{}]}",
            &[(1, "!"), (2, "8"), (3, "!"), (4, "-")],
        ),
        ("nobody", Document, b"{\"users\":[]}", &[]),
    ];
    for (name, layout, text, rows_expected) in table {
        assert_eq!(rows(*layout, text), Ok(expected(rows_expected)), "{name}");
    }
}

#[test]
fn a_file_of_another_kind_is_refused_and_not_quoted() {
    use Layout::{Csv, Document};
    let table: &[(&str, Layout, &[u8])] = &[
        ("an empty CSV", Csv, b""),
        ("a heading that is not UTF-8", Csv, b"canary\xff,x\n7,a\n"),
        ("an empty document", Document, b""),
        ("no users", Document, b"{\"canary\":[{\"id\":7}]}"),
        ("users that are no array", Document, b"{\"users\":\"canary\"}"),
        ("a text", Document, b"\"canary\""),
        ("half a document", Document, b"{\"users\":[{\"id\":\"canary\"}"),
        ("half a user", Document, b"{\"users\":[{\"id\":\"canary"),
        ("no JSON", Document, b"{\"users\":[{\"id\":canary}]}"),
        ("more behind", Document, b"{\"users\":[]} canary"),
        ("deep nesting", Document, &[b'['; 100_000]),
    ];
    for (name, layout, text) in table {
        let problem = rows(*layout, text).expect_err(name);
        assert!(!problem.is_empty() && !problem.contains("canary"), "{name}: {problem}");
    }
}

#[test]
fn a_row_that_never_ends_is_given_up() {
    use Layout::{Csv, Document, Lines};
    for (layout, start) in [(Csv, "id,x\n7,\""), (Lines, "{\"id\":\""), (Document, "{\"users\":[{\"id\":\"")] {
        let endless = start.as_bytes().chain(std::io::repeat(b'a').take(100 * LONGEST_ROW));
        let problem = cut(BufReader::new(endless), layout, &mut |_| ControlFlow::Continue(())).expect_err(start);
        assert!(problem.contains("longer than 4 MiB"), "{start}: {problem}");
    }
}

#[test]
fn only_rows_are_bounded_not_what_is_passed_over() {
    let long = "a".repeat(usize::try_from(LONGEST_ROW).unwrap());
    let text = format!("{{\"x\":\"{long}\",\"users\":[{{\"id\":7}}],\"y\":\"{long}\"}}");
    assert_eq!(rows(Layout::Document, text.as_bytes()), Ok(expected(&[(1, "7")])));
}

#[test]
fn whoever_has_had_enough_gets_no_more() {
    let table: &[(Layout, &[u8])] = &[
        (Layout::Csv, b"id\n7\n8\n9\n"),
        (Layout::Lines, b"{\"id\":7}\n{\"id\":8}\n{\"id\":9}\n"),
        (Layout::Document, b"{\"users\":[{\"id\":7},{\"id\":8},{\"id\":9}]}"),
    ];
    for (layout, text) in table {
        let mut taken = 0;
        let result = cut(*text, *layout, &mut |_| {
            taken += 1;
            if taken == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!((result, taken), (Ok(()), 2), "{layout:?}");
    }
}
