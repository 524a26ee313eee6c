"""Any JSON value and what only looks like one: halves of surrogate pairs, NaN, integers of hundreds of digits."""

from __future__ import annotations

from hypothesis import strategies as st

TEXT = st.text(alphabet=st.characters(codec=None), max_size=40)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**12, 10**400, -(10**400), 2**63, 18446744073670260079])
    | st.floats()
    | TEXT
    | st.sampled_from(
        ["", "<NA>", "\ud800", "111122223333", "eu-west-1", "i-0abc1234def567890", "true", "8.5", "a.example"]
    )
)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=15
)
