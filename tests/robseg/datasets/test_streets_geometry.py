import numpy as np
import pytest

from robseg.datasets.streets.camera import Camera
from robseg.datasets.streets.canvas import Canvas, Face, Hits, Surface, cast_shadow, draw, plain, polygon_mask
from robseg.datasets.streets.film import vote
from robseg.datasets.streets.light import Light, Skyline
from robseg.datasets.streets.street import CAR, POLE, ROAD, SKY
from robseg.datasets.streets.textures import Texture, fractal, photograph

CAMERA = Camera(height=40, width=60, focal=50.0, centre=30.0, horizon=20.0, eye=1.5)


@pytest.fixture
def canvas() -> Canvas:
    white = np.ones(3, np.float32)
    light = Light(np.array([0.6, 0.8, 0.0]), white, white, white, white, cover=0.0, haze=0.0, dusk=0.0)
    skyline = Skyline(np.zeros((2, 100), np.float32), lines=(-9.0, 9.0), bend=0.0)
    shape = (CAMERA.height, CAMERA.width)
    return Canvas(
        CAMERA,
        light,
        skyline,
        radiance=np.zeros((*shape, 3), np.float32),
        label=np.full(shape, SKY, np.uint8),
        nearness=np.zeros(shape, np.float32),
        shadow=np.zeros(shape, bool),
    )


def upright(x: float, z: float, half: float, label: int = CAR) -> Face:
    rim = [(x - half, 0, z), (x + half, 0, z), (x + half, 2 * half, z), (x - half, 2 * half, z)]
    return Face(np.array(rim), label, plain((0.5, 0.5, 0.5)))


def test_a_ray_through_a_projected_point_meets_it_again() -> None:
    point = np.array([[1.2, 0.4, 7.0]])
    column, row = CAMERA.project(point)[0]
    across = CAMERA.columns()[0] + column / CAMERA.focal - 0.5 / CAMERA.focal
    down = CAMERA.rows()[0] - row / CAMERA.focal + 0.5 / CAMERA.focal
    assert (across * 7.0, CAMERA.eye + down * 7.0) == pytest.approx((1.2, 0.4))


def test_a_polygon_covers_the_samples_whose_middle_it_holds() -> None:
    square = np.array([(1.0, 1.0), (4.0, 1.0), (4.0, 3.0), (1.0, 3.0)])
    mask = polygon_mask(square, 0, 0, 5, 6)
    assert mask[1:3, 1:4].all()
    assert mask.sum() == 6


def test_a_polygon_may_have_a_hole() -> None:
    outer = [(0, 0), (8, 0), (8, 8), (0, 8), (0, 0)]
    inner = [(2, 2), (2, 6), (6, 6), (6, 2), (2, 2)]
    mask = polygon_mask(np.array(outer + inner, float), 0, 0, 8, 8)
    assert mask.sum() == 64 - 16
    assert not mask[3, 3]


def test_the_nearer_thing_is_seen_whatever_the_order(canvas: Canvas) -> None:
    near, far = upright(0, 5, 0.5, POLE), upright(0, 9, 1.5, CAR)
    for face in (near, far):
        draw(canvas, face)
    first = canvas.label.copy()
    canvas.nearness[:] = 0
    for face in (far, near):
        draw(canvas, face)
    assert np.array_equal(canvas.label, first)
    column, row = CAMERA.project(np.array([[0.0, 0.5, 5.0]]))[0].astype(int)
    assert first[row, column] == POLE
    assert (first == CAR).any()


def test_things_behind_the_camera_are_cut_off(canvas: Canvas) -> None:
    draw(canvas, upright(0, -5, 1.0))
    assert (canvas.label == SKY).all()
    wall = np.array([(-3.0, 0, -20), (-3.0, 0, 40), (-3.0, 9, 40), (-3.0, 9, -20)])
    draw(canvas, Face(wall, CAR, plain((1, 1, 1))))
    assert (canvas.label[20, :5] == CAR).all()
    assert (canvas.label[:, 31:] == SKY).all()


def test_what_one_looks_through_keeps_its_class_or_not(canvas: Canvas) -> None:
    def bars(hits: Hits) -> Surface:
        return Surface(np.full((len(hits.x), 3), 0.5, np.float32), None, hits.x > 0)

    rim = upright(0, 5, 1.0).corners
    draw(canvas, Face(rim, CAR, bars))
    half = (canvas.label == CAR).sum()
    draw(canvas, Face(rim, POLE, bars, whole=True))
    assert (canvas.label == POLE).sum() == pytest.approx(2 * half, rel=0.1)


def test_a_shadow_falls_away_from_the_sun(canvas: Canvas) -> None:
    cast_shadow(canvas, np.array([(0.0, 0, 8), (0.0, 1.5, 8), (0.0, 1.5, 9), (0.0, 0, 9)]))
    columns = np.nonzero(canvas.shadow)[1]
    assert len(columns) > 3
    assert columns.max() <= CAMERA.centre


def test_houses_shade_the_side_that_they_stand_on(canvas: Canvas) -> None:
    heights = np.zeros((2, 100), np.float32)
    heights[1] = 8.0
    skyline = Skyline(heights, lines=(-9.0, 9.0), bend=0.0)
    x, z = np.array([8.0, 1.0, 8.0]), np.full(3, 10.0)
    lit = skyline.sunlit(canvas.light, x, np.array([0.0, 0.0, 9.0]), z)
    assert lit.tolist() == [False, True, True]


def test_the_class_of_most_samples_wins_and_at_a_tie_the_thing() -> None:
    label = np.array([[ROAD, ROAD, ROAD, POLE], [ROAD, POLE, POLE, ROAD]], np.uint8)
    assert vote(label, 2).tolist() == [[ROAD, POLE]]


@pytest.mark.parametrize("texture", [photograph("brick"), photograph("grass"), fractal(3)])
def test_textures_tile_and_keep_their_brightness_at_any_distance(texture: Texture) -> None:
    u, v = np.random.default_rng(0).uniform(-50, 50, (2, 20000))
    for footprint in (0.0001, 0.02, 5.0):
        assert texture.sample(u, v, 2.0, footprint).mean() == pytest.approx(1.0, abs=0.02)
    assert texture.sample(u, v, 2.0, 1e-4) == pytest.approx(
        texture.sample(u + 2.0, v - 4.0, 2.0, 1e-4), abs=0.5
    )
    assert texture.sample(u, v, 2.0, 0.02).std() < texture.sample(u, v, 2.0, 0.0001).std()
