"""The anatomy of the synthetic CT: a supine adult in the portal venous phase, from the lung bases to the pelvis' rim.

Every number is a place or a length in mm (x to the patient's left, y to the back, z to the head; the origin lies in
front of the second lumbar vertebra) or a value in HU.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pqcomq.samples.phantom_canvas import Canvas, smooth_noise
from pqcomq.samples.phantom_shapes import Distance, Solid, blended, carved, ellipsoid, tube, within

NAMES = {1: "liver", 2: "right kidney", 3: "left kidney", 4: "spleen", 5: "pancreas"}
"""The labelled organs by label value."""
LIVER, RIGHT_KIDNEY, LEFT_KIDNEY, SPLEEN, PANCREAS = NAMES

AIR, LUNG, FAT, BELLY_FAT, WATER, MUSCLE, WALL = -990.0, -860.0, -105.0, -98.0, 12.0, 58.0, 85.0
VEIN, ARTERY, CORTICAL_BONE, MARROW = 165.0, 185.0, 520.0, 210.0


def draw_patient(canvas: Canvas, rng: np.random.Generator) -> None:
    """Draw the whole patient and the couch, from the outside in."""
    draw_couch(canvas)
    draw_trunk(canvas)
    draw_chest(canvas)
    draw_back(canvas)
    draw_spine(canvas)
    draw_mesentery(canvas, rng)
    draw_bowel(canvas, rng)
    draw_vessels(canvas)
    canvas.paint(stomach(), _stomach_contents)
    canvas.paint(duodenum(), lambda depth, x, y, z: np.where(depth > -3, WALL, 18))
    draw_organs(canvas, rng)


def barrel(half_width: float, half_depth: float, center_y: float = 0.0) -> Distance:
    """A trunk's outline, endless along z: an ellipse with fuller corners."""

    def distance(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        dy = y - center_y
        px, py = (x / half_width) ** 2, (dy / half_depth) ** 2
        level = np.sqrt(np.sqrt(px * px + py * py + 1.3 * px * py)) + np.float32(1e-6)
        return np.asarray(np.hypot(x, dy) * (1 - 1 / level))

    return distance


SKIN, SUBCUTIS = barrel(170, 118), barrel(167, 115)
MUSCLE_WALL, CAVITY = barrel(150, 97, 2), barrel(139, 86, 1)
RIB_CAGE = barrel(145, 92, 1)


def draw_couch(canvas: Canvas) -> None:
    """The curved couch top under the patient."""

    def shell(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        return np.asarray(np.abs(np.hypot(x, y + 330) - 462) - 3)

    canvas.fill(shell, -350)


def draw_trunk(canvas: Canvas) -> None:
    """Skin, fat, the muscular wall in its layers and the fat of the belly."""
    canvas.fill(SKIN, 15)
    canvas.fill(SUBCUTIS, FAT)
    canvas.fill(MUSCLE_WALL, MUSCLE)
    rib_cage = canvas.kept(RIB_CAGE)
    canvas.fill(lambda x, y, z: np.maximum(np.abs(rib_cage(x, y, z)) - 0.6, 55 - np.abs(x)), -60)
    canvas.fill(canvas.kept(CAVITY), BELLY_FAT)
    for side in (-1, 1):
        canvas.paint(within(ellipsoid((side * 36, -94, 0), (33, 9, 400)), MUSCLE_WALL), MUSCLE)


def draw_back(canvas: Canvas) -> None:
    """The muscles beside the spine."""
    for side in (-1, 1):
        canvas.paint(ellipsoid((side * 36, 84, 0), (36, 20, 400)), MUSCLE - 4)
        canvas.paint(ellipsoid((side * 74, 72, -70), (21, 15, 110), tilt=side * 0.1), MUSCLE - 2)
        psoas = [(27, 50, 45, 3), (34, 48, 0, 13), (42, 44, -60, 20), (50, 36, -125, 24)]
        canvas.paint(tube([(side * x, y, z, radius) for x, y, z, radius in psoas]), MUSCLE)


def diaphragm(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Height above (positive) or below the diaphragm, mm: two domes, the right one higher, deep recesses behind."""
    right = 122 - 85 * np.minimum(((x + 62) / 88) ** 2 + ((y + 12) / 80) ** 2, 1.15)
    left = 112 - 85 * np.minimum(((x - 68) / 84) ** 2 + ((y + 8) / 78) ** 2, 1.15)
    return np.asarray((z - np.maximum(right, left)) * 0.55)


def below_diaphragm(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """The belly as a container: below the diaphragm and inside the wall."""
    return np.asarray(np.maximum(diaphragm(x, y, z), CAVITY(x, y, z)))


def draw_chest(canvas: Canvas) -> None:
    """Lung bases above the diaphragm, the heart between them, ribs in the wall."""
    height, cavity = canvas.kept(diaphragm), canvas.kept(CAVITY)

    def lung(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        beside = 24 - np.hypot(x - 2, (y - 45) * 0.5)
        return np.asarray(np.maximum.reduce([-height(x, y, z) + 2, cavity(x, y, z) + 1, beside]))

    def dome(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        return np.maximum(-height(x, y, z) - 1.5, cavity(x, y, z))

    canvas.fill(dome, MUSCLE)
    canvas.fill(lung, LUNG)
    canvas.paint(within(ellipsoid((18, -38, 138), (66, 50, 42)), cavity), 40)
    canvas.paint(within(ellipsoid((20, -36, 140), (58, 43, 38)), cavity), 140)
    rib_cage = canvas.kept(RIB_CAGE)
    canvas.fill(_ribs(6.5, rib_cage), CORTICAL_BONE - 90)
    canvas.fill(_ribs(3.2, rib_cage), MARROW)


def _ribs(radius: float, rib_cage: Distance) -> Distance:
    """Ribs 7 to 12, slanting down from back to front, the lowest the shortest."""

    def distance(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        angle = np.abs(np.arctan2(x, y - 12))
        height = (z + 62 * np.minimum(angle, 2.2) - 48) / 27
        number = np.clip(np.rint(height), 0, 6)
        beyond = (angle - (1.25 + 0.28 * number)) * 60
        across = rib_cage(x, y, z)
        return np.asarray(np.maximum(np.hypot(across * 1.25, (height - number) * 19) - radius, beyond))

    return distance


def draw_spine(canvas: Canvas) -> None:
    """Vertebrae with discs, canal and processes."""
    column = ellipsoid((0, 54, 0), (23, 17, 2000))
    canvas.paint(column, CORTICAL_BONE - 80)

    def inside(depth: np.ndarray, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        from_disc = np.abs((z + 8) % 34 - 17)
        bone = np.where(from_disc > 14.5, CORTICAL_BONE - 120, MARROW + 25 * np.sin(x * 0.9) * np.sin(y * 0.8))
        return np.where(from_disc > 16 - 3.5, np.where(from_disc > 14, 95.0, bone + 120), bone)

    canvas.paint(ellipsoid((0, 54, 0), (20.5, 14.5, 2000)), inside)
    for side in (-1, 1):
        canvas.paint(tube([(side * 15, 66, -130, 6), (side * 15, 66, 130, 6)]), CORTICAL_BONE - 150)
        canvas.paint(tube([(side * 11, 80, -130, 4.5), (side * 11, 80, 130, 4.5)]), CORTICAL_BONE - 170)
    for level in range(-136, 137, 34):
        canvas.paint(tube([(0, 82, level, 5), (0, 105, level - 8, 4)]), CORTICAL_BONE - 160)
        canvas.paint(
            tube([(-32, 74, level + 4, 4), (0, 76, level + 4, 5), (32, 74, level + 4, 4)]), CORTICAL_BONE - 180
        )
    canvas.paint(tube([(0, 77, -130, 8), (0, 77, 130, 8)]), 25)


def draw_vessels(canvas: Canvas) -> None:
    """Aorta, vena cava and the vessels of the gut."""
    canvas.paint(tube([(16, 34, 130, 12), (12, 27, 40, 11), (8, 25, -60, 9.5), (6, 26, -90, 9)]), ARTERY)
    for side in (-1, 1):
        canvas.paint(tube([(5, 26, -88, 7), (side * 32, 30, -130, 6)]), ARTERY)
    canvas.paint(tube([(-24, 18, 125, 13), (-20, 24, 60, 12), (-20, 28, -20, 11), (-16, 32, -100, 10)]), VEIN - 15)
    canvas.paint(tube([(11, 15, 22, 4), (10, 0, 5, 4.5), (2, -22, -50, 3.5)]), ARTERY)
    canvas.paint(tube([(-10, -8, 8, 6), (-8, -8, -20, 5.5), (-6, -24, -55, 4)]), VEIN)
    canvas.paint(tube([(-20, 28, -6, 4), (-46, 40, -14, 4)]), VEIN)
    canvas.paint(tube([(14, 22, -2, 4), (40, 34, -6, 4), (52, 40, -6, 4)]), VEIN)


def stomach() -> Solid:
    """Fundus under the left diaphragm, body and antrum across the front."""
    body = blended(
        ellipsoid((62, -30, 62), (38, 42, 46), tilt=-0.3),
        tube([(62, -48, 30, 26), (30, -62, 10, 20), (-8, -56, 4, 15), (-24, -44, 6, 11)]),
        22,
    )
    return within(body, below_diaphragm, 3)


def _stomach_contents(depth: np.ndarray, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """An enhancing wall, fluid, and a bubble of air on top of it."""
    contents = 22 + np.clip((-56 - y) / 3 + 0.5, 0, 1) * (AIR - 22)
    return np.where(depth > -4.5, WALL, np.where(depth > -6, (WALL + contents) / 2, contents))


def duodenum() -> Solid:
    """The loop of bowel round the head of the pancreas."""
    return tube([(-34, -36, 8, 10), (-56, -16, -2, 12), (-56, 2, -32, 12), (-26, 8, -52, 11), (14, 2, -52, 10)])


def colon() -> list[Solid]:
    """Ascending, transverse and descending colon."""
    paths = [
        [(-106, 18, -130, 24), (-108, 16, -80, 23), (-100, 4, -52, 20)],
        [(-88, -44, -52, 19), (-40, -66, -62, 18), (30, -68, -60, 18), (92, -42, -20, 17), (108, -8, 2, 15)],
        [(116, 20, -4, 14), (114, 34, -60, 15), (110, 30, -130, 14)],
    ]
    return [within(tube(path), CAVITY, 3) for path in paths]


def draw_mesentery(canvas: Canvas, rng: np.random.Generator) -> None:
    """Small vessels strewn through the fat."""
    cavity = canvas.kept(CAVITY)
    for _ in range(90):
        x, y, z = rng.uniform(-95, 95), rng.uniform(-72, 30), rng.uniform(-130, 20)
        dx, dy, dz = rng.uniform(-12, 12, size=3)
        canvas.paint(within(tube([(x, y, z, 1.6), (x + dx, y + dy, z + dz, 1.2)]), cavity, 4), 110)


def draw_bowel(canvas: Canvas, rng: np.random.Generator) -> None:
    """Loops of small bowel and the colon round them."""
    cavity = canvas.kept(CAVITY)
    for _ in range(64):
        x, y, z = rng.uniform(-84, 92), rng.uniform(-64, 24), rng.uniform(-130, -42)
        bend = rng.uniform(-30, 30, size=(2, 3))
        radius = rng.uniform(9, 13)
        path = [(x + dx, y + dy * 0.6, z + dz * 0.7, radius) for dx, dy, dz in (bend[0], (0, 0, 0), bend[1])]
        gas_above = y - 5 if rng.random() < 0.15 else -500
        canvas.paint(within(tube(path), cavity, 3), _loop(WALL + 10, 25, gas_above))
    for part, gas_above in zip(colon(), (-4.0, -72.0, -500.0), strict=True):
        canvas.paint(part, _loop(70, 32, gas_above))


def _loop(wall: float, filling: float, gas_above: float) -> Callable[..., np.ndarray]:
    """The wall and filling of a bowel loop, with gas in front of the level ``gas_above`` (y)."""

    def value(depth: np.ndarray, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        inside = filling + np.clip((gas_above - y) / 3, 0, 1) * (AIR - filling)
        return np.where(depth > -2.5, wall, inside)

    return value


def draw_organs(canvas: Canvas, rng: np.random.Generator) -> None:
    """The labelled organs, each kept off the others by a little fat."""
    rough = smooth_noise(canvas.labels.shape, (12, 22, 22), rng)
    draw_liver(canvas, rough)
    draw_pancreas(canvas, rough)
    draw_spleen(canvas, rough)
    for label, side in ((RIGHT_KIDNEY, -1), (LEFT_KIDNEY, 1)):
        canvas.paint(_kidney(side), _parenchyma, label, rough * 0.6)


def draw_liver(canvas: Canvas, rough: np.ndarray) -> None:
    """Right and left lobe under the diaphragm, veins inside, the gall bladder below."""
    right = ellipsoid((-80, 2, 40), (76, 82, 92), tilt=0.12)
    left = ellipsoid((-6, -52, 66), (70, 36, 40), tilt=-0.25)
    caudate = ellipsoid((-26, 4, 52), (22, 20, 26))
    liver = blended(blended(right, left, 30), caudate, 14)
    liver = carved(liver, _bean(-1), 5, 10)
    liver = carved(liver, ellipsoid((-22, -8, -24), (50, 60, 46)), 0, 14)
    liver = carved(liver, ellipsoid((-4, 52, 40), (34, 40, 200)), 2, 10)
    for neighbour, gap in ((stomach(), 4), (duodenum(), 5), (pancreas(), 4), (colon()[0], 4), (colon()[1], 4)):
        liver = carved(liver, neighbour, gap, 6)
    liver = within(liver, below_diaphragm, 3, 8)
    canvas.paint(liver, 112, LIVER, rough * 0.7)
    veins: list[list[tuple[float, float, float, float]]] = [
        [(-22, 10, 92, 5), (-60, -10, 82, 4), (-100, -5, 60, 2)],
        [(-22, 8, 94, 5), (-40, -40, 84, 4), (-60, -60, 60, 2)],
        [(-20, 8, 92, 4), (10, -40, 82, 3.5), (40, -55, 70, 2)],
        [(-34, -14, 38, 6.5), (-62, -4, 42, 5), (-100, 20, 36, 2.5)],
        [(-62, -4, 42, 4), (-90, -30, 34, 2)],
        [(-34, -14, 38, 5), (-14, -44, 52, 3.5), (20, -54, 62, 2)],
    ]
    for path in veins:
        canvas.paint(within(tube(path), liver.distance, 1), 150, None)
    gall_bladder = ellipsoid((-48, -50, -8), (14, 20, 26), tilt=0.3)
    canvas.paint(gall_bladder, lambda depth, x, y, z: np.where(depth > -2, 55, WATER))


def draw_spleen(canvas: Canvas, rough: np.ndarray) -> None:
    """A crescent behind the stomach."""
    spleen = ellipsoid((98, 36, 50), (44, 60, 58), tilt=0.15)
    spleen = carved(spleen, ellipsoid((58, 4, 52), (42, 54, 80)), 0, 12)
    spleen = carved(spleen, _bean(1), 5, 8)
    spleen = carved(spleen, colon()[1], 4, 6)
    spleen = within(spleen, below_diaphragm, 3, 8)
    canvas.paint(spleen, 124, SPLEEN, rough * 0.7)


def _kidney_center(side: int) -> tuple[float, float, float]:
    """The right kidney (side -1) lies lower than the left one (1)."""
    return side * 68.0, 48.0, 2.0 if side > 0 else -12.0


def _bean(side: int) -> Solid:
    """A kidney without its notch, the upper pole leaning inwards."""
    return ellipsoid(_kidney_center(side), (29, 28, 56), tilt=side * 0.14, turn=side * 0.35)


def _kidney(side: int) -> Solid:
    """A kidney: the bean with its notch towards the spine."""
    x, y, z = _kidney_center(side)
    return carved(_bean(side), ellipsoid((x - side * 26, y - 8, z), (19, 12, 23)), 0, 7)


def _parenchyma(depth: np.ndarray, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Bright cortex, darker pyramids."""
    pyramids = np.clip(np.sin(z * 0.33) * np.sin(np.arctan2(y - 48, np.abs(x) - 60) * 4) * 2 + 0.4, 0, 1)
    return np.asarray(188 - 34 * pyramids * np.clip((-depth - 6) / 2, 0, 1))


def pancreas() -> Solid:
    """Head in the duodenum's curve, body across the spine, tail to the spleen."""
    return tube(
        [(-34, -8, -26, 14), (-32, -14, -6, 16), (-8, -26, 8, 11), (22, -18, 16, 12), (50, -2, 24, 11), (72, 12, 32, 9)]
    )


def draw_pancreas(canvas: Canvas, rough: np.ndarray) -> None:
    """The pancreas with the portal and splenic vein behind it."""
    canvas.paint(tube([(76, 20, 30, 4), (40, 8, 22, 4.5), (6, -4, 14, 5), (-10, -8, 8, 6)]), VEIN)
    canvas.paint(tube([(-10, -8, 8, 6.5), (-22, -8, 24, 6.5), (-34, -14, 38, 6)]), VEIN)
    shape = carved(pancreas(), duodenum(), 2, 4)
    canvas.paint(shape, 104, PANCREAS, rough * 1.4)
