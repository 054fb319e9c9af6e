"""Whether the scores of a run were computed in the precision of the scores on its models' cards."""

from __future__ import annotations

from reports.formats.documents import one_line
from reports.run.record import RunRecord

__all__ = ["other_precisions"]


def other_precisions(record: RunRecord) -> list[str]:
    """Return a sentence for each other precision in which the mIoU on cards of the run's models was measured.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> models = [SimpleNamespace(name="enet", card={"published_miou": 0.55, "published_precision": "bf16"})]
    >>> other_precisions(SimpleNamespace(precision="fp32", models=models))
    ['enet: the mIoU on the card was measured in bf16, but this run is in fp32.']
    """
    models: dict[str, list[str]] = {}
    for model in record.models:
        precision = model.card.get("published_precision")
        if precision and precision != record.precision and model.card.get("published_miou") is not None:
            models.setdefault(one_line(str(precision)), []).append(one_line(model.name))
    return [
        f"{', '.join(names)}: the mIoU on the card was measured in {precision}, but this run is in "
        f"{record.precision}."
        for precision, names in models.items()
    ]
