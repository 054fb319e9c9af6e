"""The plan of a street: the positions of its lanes, kerbs, pavements and house fronts."""

import dataclasses

import numpy as np

__all__ = [
    "BUILDING",
    "CAR",
    "CYCLIST",
    "FENCE",
    "PAVEMENT",
    "PERSON",
    "POLE",
    "ROAD",
    "SIGN",
    "SKY",
    "TREE",
    "Street",
    "plan_street",
]

# CamVid's classes, in its order.
SKY, BUILDING, POLE, ROAD, PAVEMENT, TREE, SIGN, FENCE, CAR, PERSON, CYCLIST = range(11)


@dataclasses.dataclass(frozen=True)
class Street:
    """The plan of a street. Lateral positions are in metres to the right of the camera's path.

    Pairs are (left, right). The path bends by `bend` * z**2. The road lies between the `kerbs`; the lane
    centred on `going` leads away from the camera, and the one centred on `coming` towards it. Beside the road
    are pavements of the widths `walks`, then verges up to the house `fronts`. `parking` says which sides have
    parked cars, `side_street` is the (start, stop) of a crossing street, and `zebra` the position of a zebra
    crossing.
    """

    bend: float
    kerbs: tuple[float, float]
    walks: tuple[float, float]
    fronts: tuple[float, float]
    going: float
    coming: float
    middle: float
    parking: tuple[bool, bool]
    side_street: tuple[float, float] | None
    zebra: float | None

    def place(self, lateral: float, along: float) -> tuple[float, float]:
        """Return (x, z) of a point in the street."""
        return lateral + self.bend * along * along, along

    def heading(self, along: float) -> float:
        """Return the street's direction in radians, clockwise from straight ahead."""
        return float(np.arctan(2 * self.bend * along))

    def on_side_street(self, along: float, margin: float = 0.0) -> bool:
        """Return whether a point is on the side street or closer to it than `margin`."""
        return self.side_street is not None and (
            self.side_street[0] - margin < along < self.side_street[1] + margin
        )


def plan_street(rng: np.random.Generator) -> Street:
    """Return a street with traffic on the left or right, with or without parked cars and a crossing."""
    lane = rng.uniform(2.8, 3.5)
    parking = (bool(rng.random() < 0.6), bool(rng.random() < 0.6))
    keeps_left = rng.random() < 0.5
    offset = rng.normal(0, 0.25)
    near = lane * 0.5 + rng.uniform(0.0, 0.6)
    far = lane * 1.5 + rng.uniform(0.0, 0.6)
    left, right = (near, far) if keeps_left else (far, near)
    left, right = left + 2.1 * parking[0], right + 2.1 * parking[1]
    walks = (float(rng.uniform(1.6, 4.2)), float(rng.uniform(1.6, 4.2)))
    verge = [0.0 if rng.random() < 0.5 else rng.uniform(1.5, 6.0) for _ in range(2)]
    kerbs = (float(offset - left), float(offset + right))
    crossing = float(rng.uniform(16, 45)) if rng.random() < 0.45 else None
    return Street(
        bend=float(rng.normal(0, 0.0011)),
        kerbs=kerbs,
        walks=walks,
        fronts=(kerbs[0] - walks[0] - verge[0], kerbs[1] + walks[1] + verge[1]),
        going=float(offset),
        coming=float(offset + lane if keeps_left else offset - lane),
        middle=float(offset + lane / 2 if keeps_left else offset - lane / 2),
        parking=parking,
        side_street=None if crossing is None else (crossing, crossing + float(rng.uniform(6, 9))),
        zebra=float(rng.uniform(7, 22)) if rng.random() < 0.3 else None,
    )
