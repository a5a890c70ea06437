//! (module in work: propose)
