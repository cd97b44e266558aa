//! Sample back end: admin routes on tenant data.
