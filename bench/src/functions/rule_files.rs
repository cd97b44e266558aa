//! Rule files that are made for measuring.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use tests::workspace_root;

/// The rules that ship, with revocation on and answers kept for so many seconds.
pub(crate) fn with_revocation(cache_seconds: u32) -> Result<PathBuf> {
    let text = std::fs::read_to_string(workspace_root().join("rules/rules.toml"))?;
    let (before, section) = text.split_once("[revocation]").context("rules.toml has no [revocation]")?;
    let section = section.replacen("mode = \"off\"", "mode = \"on\"", 1).replacen(
        "cache_seconds = 0",
        &format!("cache_seconds = {cache_seconds}"),
        1,
    );
    write(&format!("revocation-{cache_seconds}"), &format!("{before}[revocation]{section}"))
}

/// So many rules of every kind that there may be many of, about as many of each,
/// and so many routes. Few of them apply to the events that are measured, as is usual.
pub(crate) fn of(rules: usize, routes: usize) -> Result<PathBuf> {
    let mut text = String::from(
        "version = 1\n\n[sign_up]\nmode = \"open\"\n\n[tenants]\nsource = \"directory\"\n\n[claims]\ntoken_version = \"v2\"\n\n\
         [[claims.map]]\nname = \"tenant\"\ntoken = \"both\"\nfrom = { membership = \"tenant\" }\n\n\
         [[claims.map]]\nname = \"roles\"\ntoken = \"both\"\nfrom = { membership = \"roles\" }\n\n\
         [[routes]]\nmethod = \"GET\"\npath = \"/items\"\n",
    );
    for index in 2..rules {
        match index % 5 {
            0 => writeln!(
                text,
                "\n[[claims.map]]\nname = \"feature_{index}\"\ntoken = \"id\"\nfrom = {{ constant = true }}\nwhen = {{ group = \"group-{index}\" }}"
            )?,
            1 => writeln!(
                text,
                "\n[[claims.map]]\nname = \"level_{}\"\ntoken = \"access\"\nfrom = {{ constant = {index} }}\nwhen = {{ role = \"role-{index}\" }}",
                index % 7
            )?,
            2 => writeln!(text, "\n[[claims.scopes]]\nrole = \"role-{index}\"\nadd = [\"items/{index}\"]")?,
            3 => writeln!(
                text,
                "\n[[tenants.placements]]\ntenant = \"tenant-{index}\"\nroles = [\"member\"]\nemail_domains = [\"tenant-{index}.example\"]"
            )?,
            _ => writeln!(text, "\n[[groups]]\nname = \"group-{index}\"\nemail_domains = [\"group-{index}.example\"]")?,
        }
    }
    for index in 1..routes {
        let (method, ends) = match index % 5 {
            0 => ("GET", ""),
            1 => ("GET", "/{id}"),
            2 => ("PUT", "/{id}"),
            3 => ("DELETE", "/{id}"),
            _ => ("POST", ""),
        };
        let roles = if index % 4 == 0 { "[\"admin\"]" } else { "[]" };
        writeln!(
            text,
            "\n[[routes]]\nmethod = \"{method}\"\npath = \"/resource-{}{ends}\"\nroles = {roles}",
            index / 5
        )?;
    }
    write(&format!("{rules}-rules"), &text)
}

fn write(name: &str, text: &str) -> Result<PathBuf> {
    let path = workspace_root().join(format!("target/bench/{name}.toml"));
    std::fs::write(&path, text)?;
    Ok(path)
}
