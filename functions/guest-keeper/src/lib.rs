//! Keeps guests within their limits, and gives what they leave behind an end.
