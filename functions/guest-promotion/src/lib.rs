//! Makes an anonymous guest a registered user who keeps everything.
