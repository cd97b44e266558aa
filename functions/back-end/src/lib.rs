//! What the sample back ends share: problem details, paging, and credentials bound to one tenant.
