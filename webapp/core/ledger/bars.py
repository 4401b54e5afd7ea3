"""What bars a claimed address, in SQL for the hot path: as `core/consent/bars.py` says it, less what is decided at the freeze for good."""

from collections.abc import Collection, Sequence

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

_HASHED = "address_hash((SELECT hash_key FROM consent_settings), d.address_key)"


def _listed(table: str, condition: str) -> str:
    """Whether a table has the address of row `d`, as it is or, where there are such rows, as a hash."""
    found = "EXISTS (SELECT 1 FROM {table} s WHERE s.address_key = {key} AND {condition})"
    plain = found.format(table=table, key="d.address_key", condition=condition)
    hashed = found.format(table=table, key=_HASHED, condition=condition)
    return f"({plain} OR (EXISTS (SELECT 1 FROM {table} WHERE is_hashed) AND {hashed}))"


_EVERYTHING = _listed("suppression", "s.scope = 'everything'")
_MARKETING = _listed("suppression", "s.scope = 'marketing'")
_FOR_ALL = f"WHEN {_EVERYTHING} THEN 'suppressed'"
_DECLINED = "WHEN ({}) THEN 'opted_out'".format(
    " OR ".join(
        (
            "EXISTS (SELECT 1 FROM client c WHERE c.address_key = d.address_key AND c.marketing_opt_in IS FALSE)",
            _listed("suppression", "s.kind = 'unsubscribed' AND s.scope = 'marketing'"),
            _listed("topic_opt_out", "s.topic_id = (SELECT b.topic_id FROM broadcast b WHERE b.id = d.broadcast_id)"),
        )
    )
)
_FOR_MARKETING = f"WHEN {_MARKETING} THEN 'suppressed'"

BARRED = {False: f"CASE {_FOR_ALL} END", True: f"CASE {_DECLINED} {_FOR_ALL} {_FOR_MARKETING} END"}
"""By whether it is marketing: an expression over a delivery `d`, the reason (`SkipReason`) why its address must not get it, or NULL."""


_WHO = {
    key: text(f"SELECT d.id FROM delivery d WHERE d.id IN :ids AND ({one}) IS NOT NULL").bindparams(
        bindparam("ids", expanding=True)
    )
    for key, one in BARRED.items()
}


def who_is_barred(session: Session, delivery_ids: Sequence[int], *, is_marketing: bool) -> Collection[int]:
    """Those of claimed deliveries whose address must not get the broadcast, as of now."""
    return session.scalars(_WHO[is_marketing], {"ids": list(delivery_ids)}).all() if delivery_ids else ()
