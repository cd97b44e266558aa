//! Verifies tokens and decides by the route table.
