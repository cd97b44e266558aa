//! `poolhouse import`: the users of an old system, from an export of it into the
//! table that the user-migration function asks.
//!
//! A file is read twice. The first reading sees that it is whole, and which
//! sign-in names two users share; the second checks row by row and writes.

mod aws;
mod check;
mod fields;
mod fingerprint;
mod format;
mod hashes;
mod options;
mod person;
mod rejection;
mod report;
mod rows;
mod source;
mod state;
mod summary;
mod survey;
mod transfer;
mod writer;

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use shared::rules::Rules;

pub(crate) use options::long_help;
pub use options::{Options, SignIn};

use crate::output::{Failure, counter, progress};
use check::Check;
use format::{Format, HashParameters, Reader};
use hashes::Permitted;
use report::Report;
use summary::Summary;
use survey::Survey;

/// Imports what the options say, or only looks at it.
pub(crate) fn run(options: &Options) -> Result<Summary, Failure> {
    let check = Check {
        reader: reader(options)?,
        sign_in: options.sign_in.clone(),
        permitted: options.rules.as_deref().map_or(Ok(Permitted::All), permitted)?,
    };
    let survey = survey(options, &check)?;
    match &options.table {
        Some(table) if !options.dry_run => transfer::run(options, check, survey, table),
        _ => look(options, &check, &survey),
    }
}

/// How the rows are read, with what the operator has to say about it.
fn reader(options: &Options) -> Result<Reader, Failure> {
    let Format::Firebase = options.format else { return Ok(Reader::Other(options.format)) };
    let Some(path) = &options.firebase_config else {
        return Err(Failure::usage("ParametersMissing", "--firebase-config names the project's hash parameters"));
    };
    let text = fs::read_to_string(path).map_err(|error| Failure::file(path, error))?;
    let unlike = "has no hash_config with algorithm SCRYPT, base64_salt_separator, rounds and mem_cost";
    let parameters = HashParameters::read(&text);
    parameters
        .map(Reader::Firebase)
        .ok_or_else(|| Failure::usage("ParametersMissing", format!("{} {unlike}", path.display())))
}

/// The hashes that a rule file lists.
fn permitted(path: &Path) -> Result<Permitted, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::file(path, error))?;
    let rules = Rules::read(&text);
    let rules = rules.map_err(|problems| Failure::usage("RulesUnusable", format!("{}: {problems}", path.display())))?;
    let hashes = rules.migration.and_then(|migration| migration.hashes);
    let missing = || Failure::usage("RulesUnusable", format!("{} has no [migration.hashes]", path.display()));
    hashes.map(Permitted::Listed).ok_or_else(missing)
}

/// The first reading.
fn survey(options: &Options, check: &Check) -> Result<Survey, Failure> {
    let mut survey = Survey::default();
    let bar = counter("reading");
    source::read(&options.file, options.format.layout(), &mut |row| {
        bar.inc(1);
        survey.rows += 1;
        if let Ok(keys) = check.keys(row.fields.as_ref()) {
            survey.note(row.number, &keys);
        }
        ControlFlow::Continue(())
    })?;
    bar.finish_and_clear();
    Ok(survey.finish())
}

/// The second reading, when nothing is to be written.
fn look(options: &Options, check: &Check, survey: &Survey) -> Result<Summary, Failure> {
    let mut report = Report::start(options.report.as_deref())?;
    let mut summary = Summary::start(options.format);
    let mut noted = Ok(());
    let bar = progress("checking", survey.rows);
    source::read(&options.file, options.format.layout(), &mut |row| {
        bar.inc(1);
        match check.row(&row, survey) {
            Ok(user) => summary.accept(&user),
            Err(rejection) => {
                summary.reject(rejection);
                noted = report.note(row.number, rejection);
            }
        }
        if noted.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    noted?;
    bar.finish_and_clear();
    Ok(summary.finish(report.finish()?))
}

#[cfg(test)]
mod tests;
