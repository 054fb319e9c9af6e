"""The objects in a street and their positions: houses, plants, furniture, people and cars."""

from __future__ import annotations

import dataclasses

import numpy as np

from robseg.datasets.streets import furniture, houses, people, vegetation, vehicles
from robseg.datasets.streets.camera import Array
from robseg.datasets.streets.canvas import Face
from robseg.datasets.streets.ground import Contact
from robseg.datasets.streets.light import Light, Skyline
from robseg.datasets.streets.street import Street

__all__ = ["Props", "furnish"]

NEAREST = 4.0
FAR_END = 130.0


@dataclasses.dataclass
class Props:
    """The objects in the street: faces in drawing order, shadow outlines, and dark spots on the ground."""

    faces: list[Face] = dataclasses.field(default_factory=list)
    shadows: list[Array] = dataclasses.field(default_factory=list)
    contacts: list[Contact] = dataclasses.field(default_factory=list)


def furnish(rng: np.random.Generator, light: Light, street: Street) -> tuple[Props, Skyline]:
    """Return the objects in the street, and the skyline of its houses."""
    faces, skyline = _build(rng, light, street)
    props = Props(faces=faces)
    _backdrop(rng, light, street, props)
    for side in (-1, 1):
        _plant(rng, street, side, props)
        _set_up(rng, light, street, side, props)
        _fence_off(rng, street, side, props)
        _people(rng, street, side, props)
        _park(rng, light, street, side, props)
    _traffic(rng, light, street, props)
    return props, skyline


def _build(rng: np.random.Generator, light: Light, street: Street) -> tuple[list[Face], Skyline]:
    """Return the houses on both sides, and the skyline that shades the street."""
    heights = np.zeros((2, 260), np.float32)
    faces: list[Face] = []
    for side in (-1, 1):
        built, urban = rng.uniform(0.65, 1.0), rng.random() < 0.6
        base = rng.uniform(5, 12) if urban else rng.uniform(3.5, 7)
        terraced = rng.random() < 0.6
        along = rng.uniform(-12.0, 2.0)
        while along < 105:
            length = rng.uniform(6, 17)
            plan = houses.House(
                along, along + length, float(np.clip(base * rng.uniform(0.75, 1.35), 3.2, 18))
            )
            clear = not (street.on_side_street(along, 1.5) or street.on_side_street(plan.stop, 1.5))
            if street.side_street and plan.start < street.side_street[0] < plan.stop:
                clear = False
            if clear and rng.random() < built:
                faces += houses.house(rng, light, street, side, plan, urban)
                first, last = (int(s) - Skyline.START for s in (plan.start, plan.stop))
                heights[side > 0, first:last] = plan.eaves
            along += length + (0.0 if terraced else rng.uniform(1.5, 9))
    return faces, Skyline(heights, street.fronts, street.bend)


def _backdrop(rng: np.random.Generator, light: Light, street: Street, props: Props) -> None:
    """Add distant houses and trees at the end of the street."""
    for _ in range(int(rng.integers(10, 20))):
        along = FAR_END + rng.uniform(0, 60)
        x, z = street.place(rng.uniform(-85, 85), along)
        maker = vegetation.bush if rng.random() < 0.6 else vegetation.tree
        faces, _ = maker(rng, x, z, rng.uniform(5, 13))
        props.faces += faces
    for side in (-1, 1):
        lateral = side * rng.uniform(5, 30)
        if rng.random() < 0.7:
            plan = houses.House(FAR_END, FAR_END + 12, float(rng.uniform(6, 16)))
            moved = dataclasses.replace(street, fronts=(lateral, lateral), side_street=None)
            props.faces += houses.house(rng, light, moved, side, plan, True)


def _plant(rng: np.random.Generator, street: Street, side: int, props: Props) -> None:
    """Plant trees along the kerb, and trees, bushes and hedges behind the pavement."""
    kerb, walk = street.kerbs[side > 0], street.walks[side > 0]
    verge = abs(street.fronts[side > 0] - kerb) - walk
    if rng.random() < 0.6:
        along, gap = rng.uniform(8, 20), rng.uniform(7, 18)
        while along < 110:
            if not street.on_side_street(along, 2):
                _put_tree(
                    rng, street, kerb + side * rng.uniform(0.5, 0.9), along, rng.uniform(4.5, 9.5), props
                )
            along += gap * rng.uniform(0.8, 1.5)
    for _ in range(int(rng.poisson(2.5 if verge > 0 else 0.0))):
        along = rng.uniform(10, 90)
        if not street.on_side_street(along, 3):
            _put_tree(rng, street, kerb + side * (walk + verge * rng.uniform(0.2, 0.7)), along,
                      rng.uniform(3.5, 11), props)  # fmt: skip
    if verge > 0 and rng.random() < 0.55:
        start = rng.uniform(2, 15)
        stop = start + rng.uniform(8, 40)
        if street.side_street and stop > street.side_street[0] - 1 and start < street.side_street[1]:
            stop = street.side_street[0] - 1
        if stop > start + 2:
            props.faces += vegetation.hedge(
                rng, street, kerb + side * (walk + 0.3), start, stop, rng.uniform(0.8, 1.8)
            )
    for _ in range(int(rng.poisson(1.6 if verge > 0 else 0.0))):
        x, z = street.place(kerb + side * (walk + verge * rng.uniform(0.2, 0.8)), rng.uniform(7, 40))
        faces, shadows = vegetation.bush(rng, x, z, rng.uniform(0.7, 2))
        props.faces += faces
        props.shadows += shadows
        props.contacts.append(Contact(x, z, 1.0, 0.5, 0.5))


def _put_tree(
    rng: np.random.Generator, street: Street, lateral: float, along: float, height: float, props: Props
) -> None:
    x, z = street.place(lateral, along)
    faces, shadows = vegetation.tree(rng, x, z, height)
    props.faces += faces
    props.shadows += shadows
    props.contacts.append(Contact(x, z, 0.5, 0.4, 0.6))


def _free(rng: np.random.Generator, street: Street, near: float, far: float) -> float:
    """Return a position along the street: more often near than far, and not on the side street."""
    along = near * (far / near) ** rng.random()
    if street.side_street is not None and street.on_side_street(along, 0.5):
        along = street.side_street[1] + 1.0
    return float(along)


def _set_up(rng: np.random.Generator, light: Light, street: Street, side: int, props: Props) -> None:
    """Set up lamps, signs, traffic lights and bollards at the kerb."""
    kerb = street.kerbs[side > 0]

    def spot(near: float, far: float) -> tuple[float, float]:
        return street.place(kerb + side * rng.uniform(0.3, 0.7), _free(rng, street, near, far))

    along, gap = rng.uniform(8, 24), rng.uniform(17, 32)
    while along < 90:
        x, z = street.place(kerb + side * 0.5, along)
        props.faces += furniture.lamp_post(rng, light, x, z, -side)
        props.contacts.append(Contact(x, z, 0.25, 0.2, 0.5))
        along += gap
    for _ in range(int(rng.poisson(0.7))):
        props.faces += furniture.lamp_post(rng, light, *spot(8, 50), -side)
    for _ in range(int(rng.integers(0, 4))):
        props.faces += furniture.sign_post(rng, *spot(7.5, 45))
    if street.side_street is not None and rng.random() < 0.65:
        x, z = street.place(kerb + side * 0.5, street.side_street[0] - rng.uniform(0.6, 2.0))
        props.faces += furniture.traffic_light(rng, x, z)
    elif rng.random() < 0.2:
        props.faces += furniture.traffic_light(rng, *spot(10, 40))
    if rng.random() < 0.3:
        first, count = rng.uniform(5, 15), int(rng.integers(3, 9))
        for along in first + 1.6 * np.arange(count):
            if not street.on_side_street(along):
                props.faces += furniture.bollard(rng, *street.place(kerb + side * 0.35, along))


def _fence_off(rng: np.random.Generator, street: Street, side: int, props: Props) -> None:
    """Put up a fence behind the pavement, or railings at the kerb."""
    if rng.random() >= 0.55:
        return
    start = rng.uniform(3, 14)
    stop = start + rng.uniform(8, 28)
    if street.side_street is not None:
        stop = min(stop, street.side_street[0] - 1)
    guard = rng.random() < 0.3 and not street.parking[side > 0]
    edge = 0.25 if guard else street.walks[side > 0] - 0.05
    if stop > start + 2:
        lateral = street.kerbs[side > 0] + side * edge
        props.faces += furniture.fence(rng, street, lateral, start, stop, guard)


def _people(rng: np.random.Generator, street: Street, side: int, props: Props) -> None:
    """Add people on the pavement, sometimes a person on the road, and cyclists beside the kerb."""
    kerb, walk = street.kerbs[side > 0], street.walks[side > 0]
    for _ in range(int(rng.integers(1, 6))):
        lateral = kerb + side * rng.uniform(0.4, walk - 0.2)
        along = _free(rng, street, 6, 42)
        for partner in range(1 if rng.random() < 0.7 else 2):
            faces, contacts = people.pedestrian(rng, *street.place(lateral + 0.6 * partner, along))
            props.faces += faces
            props.contacts += contacts
    if rng.random() < 0.22:
        at = street.zebra + 1.4 if street.zebra is not None else rng.uniform(9, 30)
        faces, contacts = people.pedestrian(rng, *street.place(rng.uniform(*street.kerbs), at))
        props.faces += faces
        props.contacts += contacts
    inner = 2.1 if street.parking[side > 0] else 0.0
    for _ in range(int(rng.choice(3, p=[0.42, 0.43, 0.15]))):
        lateral = kerb - side * (inner + rng.uniform(0.4, 1.1))
        x, z = street.place(lateral, float(6.5 * (28 / 6.5) ** rng.random()))
        faces, contacts = people.cyclist(rng, x, z, rng.random() < 0.5)
        props.faces += faces
        props.contacts += contacts


def _park(rng: np.random.Generator, light: Light, street: Street, side: int, props: Props) -> None:
    """Park cars along the kerb."""
    if not street.parking[side > 0]:
        return
    along, filled = rng.uniform(5, 16), rng.uniform(0.5, 0.95)
    with_us = (street.going - street.middle) * side > 0
    while along < 95:
        if rng.random() < filled and not street.on_side_street(along, 4):
            x, z = street.place(street.kerbs[side > 0] - side * rng.uniform(1.0, 1.2), along)
            turn = street.heading(along) + rng.normal(0, 0.02) + (0.0 if with_us else np.pi)
            faces, contacts = vehicles.vehicle(rng, light, x, z, turn, driving=False)
            props.faces += faces
            props.contacts += contacts
        along += rng.uniform(5.4, 6.6)


def _traffic(rng: np.random.Generator, light: Light, street: Street, props: Props) -> None:
    """Add cars that drive ahead of the camera, towards it, and out of the side street."""
    drives: list[tuple[float, float, float]] = []
    along = rng.uniform(NEAREST + 6, 45)
    while along < 110 and rng.random() < 0.75:
        drives.append((street.going, along, 0.0))
        along += rng.uniform(7, 35)
    along = rng.uniform(NEAREST + 5, 40)
    while along < 110 and rng.random() < 0.75:
        drives.append((street.coming, along, np.pi))
        along += rng.uniform(8, 35)
    if street.side_street is not None and rng.random() < 0.5:
        start, stop = street.side_street
        turn = rng.choice([-1.0, 1.0])
        drives.append(
            (
                rng.uniform(street.kerbs[0] - 5, street.kerbs[1] + 5),
                (start + stop) / 2 + turn * 1.5,
                turn * np.pi / 2,
            )
        )
    for lateral, s, turn in drives:
        x, z = street.place(lateral + rng.normal(0, 0.15), s)
        faces, contacts = vehicles.vehicle(rng, light, x, z, turn + street.heading(s), driving=True)
        props.faces += faces
        props.contacts += contacts
