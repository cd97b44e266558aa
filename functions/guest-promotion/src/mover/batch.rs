//! What goes into one transaction.

use std::collections::{BTreeSet, VecDeque};

use records::{Change, Item, MOST_ACTIONS, MOST_BYTES};
use shared::guests::GuestRules;

use crate::ledger::{Counts, Ledger};
use crate::moves::{Move, Part, Stuck};

/// Kept free for the ledger's own change.
const LEDGER_BYTES: usize = 4_096;

/// Moves that are written together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) moves: Vec<Move>,
}

impl Batch {
    pub(super) fn counts(&self) -> Counts {
        self.moves.iter().fold(Counts::default(), |counts, planned| counts.and(planned.counts()))
    }

    /// The changes, and for each of them which move it is part of.
    pub(super) fn changes(&self, rules: &GuestRules, ledger: &Ledger) -> (Vec<(usize, Part)>, Vec<Change>) {
        let of_each = self.moves.iter().enumerate().flat_map(|(number, planned)| {
            planned.changes(rules, ledger, number).into_iter().map(move |(part, change)| ((number, part), change))
        });
        of_each.unzip()
    }
}

/// What still has to be written, and what cannot be.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    moves: VecDeque<Move>,
    /// What this look through the partition found that cannot be moved.
    stuck: Vec<Stuck>,
    /// The names of records that the table has refused. They are not tried twice.
    refused: BTreeSet<String>,
}

impl Waiting {
    /// Begins a look through the partition.
    pub(super) fn begin(&mut self) {
        self.moves.clear();
        self.stuck.clear();
    }

    /// Plans the records of a page.
    pub(super) fn plan(&mut self, ledger: &Ledger, items: Vec<Item>) {
        for item in items {
            let planned = Move::plan(ledger, item);
            let planned = planned.and_then(|planned| {
                if self.refused.contains(planned.name()) { Err(planned.stuck()) } else { Ok(planned) }
            });
            let planned = self.keep_or_stuck(planned);
            self.moves.extend(planned);
        }
    }

    pub(super) fn keep_or_stuck(&mut self, planned: Result<Move, Stuck>) -> Option<Move> {
        planned.map_err(|stuck| self.stuck.push(stuck)).ok()
    }

    /// What this look found that cannot be moved.
    pub(super) fn stuck(&self) -> &[Stuck] {
        &self.stuck
    }

    /// As much as fits into one transaction: 100 actions and 4 MB, the ledger's
    /// change among them. A record that is deleted counts with its size, too.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
    pub(super) fn next_batch(&mut self) -> Option<Batch> {
        let mut batch = Batch::default();
        let (mut bytes, mut actions) = (LEDGER_BYTES, 1);
        while let Some(planned) = self.moves.front() {
            let (more_bytes, more_actions) = planned.weight();
            (bytes, actions) = (bytes + more_bytes, actions + more_actions);
            let fits = bytes <= MOST_BYTES && actions <= MOST_ACTIONS && !planned.alone;
            if !fits && !batch.moves.is_empty() {
                break;
            }
            let is_alone = planned.alone;
            batch.moves.extend(self.moves.pop_front());
            if is_alone {
                break;
            }
        }
        (!batch.moves.is_empty()).then_some(batch)
    }

    /// Puts moves in front, in their order.
    pub(super) fn put_back(&mut self, moves: impl IntoIterator<Item = Move, IntoIter: DoubleEndedIterator>) {
        for planned in moves.into_iter().rev() {
            self.moves.push_front(planned);
        }
    }

    /// Sorts out which moves the table does not take. One that was alone is
    /// stuck, unless the user's record can stay; of several, those that the table named are tried alone, or all.
    pub(super) fn take_apart(&mut self, batch: Batch, parts: &[(usize, Part)], positions: &[usize]) {
        let mut moves = batch.moves;
        if moves.len() == 1 {
            for planned in moves {
                match planned.beside_what_stays() {
                    Ok(otherwise) => self.moves.push_front(otherwise),
                    Err(planned) => {
                        self.refused.insert(planned.name().to_owned());
                        self.stuck.push(planned.stuck());
                    }
                }
            }
            return;
        }
        let named: Vec<usize> = positions.iter().filter_map(|index| Some(parts.get(*index)?.0)).collect();
        for (number, planned) in moves.iter_mut().enumerate() {
            planned.alone = named.is_empty() || named.contains(&number);
        }
        self.put_back(moves);
    }
}
