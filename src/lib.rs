//! lastcopy
