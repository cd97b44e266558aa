//! Rule files.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::rules::Rules;

fuzz_target!(|text: &str| {
    match Rules::read(text) {
        Ok(rules) => drop(shared::lint::findings(&rules)),
        Err(problems) => assert!(problems.iter().count() > 0, "refused without a word"),
    }
});
