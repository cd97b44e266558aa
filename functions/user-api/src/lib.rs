//! Sample back end: user routes on tenant data.
