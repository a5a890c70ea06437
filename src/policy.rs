//! (module in work: policy)
