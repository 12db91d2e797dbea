/**
 * Makes random scenes for training a painter. A scene consists of cells, and of the large picture
 * that the painter should draw from these cells.
 */
import { INPUTS } from '../../../shared/painter/net.ts';
import { readNeighbourhood } from '../../../shared/painter/paint.ts';
import type { Random } from '../../../shared/random.ts';
import { moved } from '../data/augment.ts';
import { distanceToSegment } from '../rollout/wounds.ts';
import type { PainterConfig } from './config.ts';
import { type Example, type Material, type Original, reduced } from './examples.ts';
import { CREATURES, ENLARGED, JUDGED, type PainterBatch, PLACES } from './net-and-loss.ts';

/** Cells as in a room, and the large picture that the painter should draw from these cells. */
interface Scene {
  readonly side: number;
  /** [side, side, 4] Premultiplied RGBA, 0…255. */
  readonly cells: Uint8Array;
  /** [side, side] Creature that owns each cell, 1 or 2; 0 if no creature owns the cell. */
  readonly owners: Uint8Array;
  /** [8·side, 8·side, 4] Premultiplied RGBA, 0…255. */
  readonly picture: Uint8Array;
  /** Latents of creatures 1 and 2; undefined if unknown. */
  readonly latents: readonly (Float32Array | undefined)[];
}

/** Share of creatures that the rule has grown. All other creatures are data set pictures. */
const GROWN = 0.5;
/** Share of scenes with a wound. */
const WOUNDED = 0.35;
/** Share of scenes with two creatures. */
const MEETING = 0.2;
/**
 * Share of creatures that get another creature's latent, if the painter learns genomes. This
 * teaches the painter to trust cells more than the latent. In a room, the cells of an organism do
 * not fit its latent while the organism looks like a similar creature for a moment.
 */
const MISTAKEN = 0.05;
/**
 * Maximum shift of a data set's large picture before it is shrunk to cells, in the picture's
 * pixels.
 */
const SHIFT = 8;

function drawScene(material: Material, random: Random): Scene {
  const draw = learns(material) ? drawKnown : drawCreature;
  const first = draw(material, random);
  const scene = random.uniform() < MEETING ? meet(first, draw(material, random), random) : first;
  return random.uniform() < WOUNDED ? wound(scene, random) : scene;
}

/** Returns whether the examples are for a painter that learns genomes. */
const learns = ({ grown }: Material): boolean => grown[0]?.latent !== undefined;

/**
 * Chooses a random grown creature with its latent. The creature is neither flipped nor recoloured.
 */
function drawKnown(material: Material, random: Random): Scene {
  const drawn = (): Example => material.grown[random.integer(material.grown.length)];
  const one = drawn();
  const { latent } = random.uniform() < MISTAKEN ? drawn() : one;
  return {
    ...claimed(one.cells.slice(), material, random),
    picture: one.picture,
    latents: [latent],
  };
}

function drawCreature(material: Material, random: Random): Scene {
  const { originals, grown, side } = material;
  const one =
    grown.length > 0 && random.uniform() < GROWN
      ? grown[random.integer(grown.length)]
      : fromOriginal(originals[random.integer(originals.length)], side, random);
  const look = drawLook(random);
  const cells = changed(one.cells, side, look);
  const picture = changed(one.picture, ENLARGED * side, look);
  return { ...claimed(cells, material, random), picture, latents: [] };
}

function claimed(
  cells: Uint8Array,
  { side, threshold }: Material,
  random: Random,
): Pick<Scene, 'side' | 'cells' | 'owners'> {
  const owners = new Uint8Array(side * side);
  // In half of the scenes, remove faint cells, as rooms always do.
  const least = random.uniform() < 0.5 ? 1 : Math.ceil(255 * threshold);
  for (let i = 0; i < owners.length; i++) {
    if (cells[4 * i + 3] >= least) owners[i] = 1;
    else cells.fill(0, 4 * i, 4 * i + 4);
  }
  return { side, cells, owners };
}

/**
 * Makes an example from a data set's picture. Either leaves the picture and its cells unchanged, or
 * shifts the large picture and shrinks it to new cells.
 */
function fromOriginal({ small, large }: Original, side: number, random: Random): Example {
  if (random.uniform() < 0.6) return { cells: small, picture: large };
  const by = (): number => random.integer(2 * SHIFT + 1) - SHIFT;
  const picture = moved(large, ENLARGED * side, by(), by());
  return { cells: reduced(picture, ENLARGED * side, ENLARGED), picture };
}

function drawLook(random: Random) {
  const colours = [0, 1, 2];
  if (random.uniform() < 0.5) {
    for (let i = 2; i > 0; i--) {
      const j = random.integer(i + 1);
      [colours[i], colours[j]] = [colours[j], colours[i]];
    }
  }
  return {
    flipX: random.uniform() < 0.5,
    flipY: random.uniform() < 0.2,
    /** Indices of the channels from which red, green and blue are taken. */
    colours,
    /** Whether to invert colours. Inverting turns a premultiplied colour into alpha − colour. */
    negative: random.uniform() < 0.1,
  };
}

function changed(pixels: Uint8Array, side: number, look: ReturnType<typeof drawLook>): Uint8Array {
  const result = new Uint8Array(pixels.length);
  const [r, g, b] = look.colours;
  for (let y = 0, to = 0; y < side; y++) {
    for (let x = 0; x < side; x++, to += 4) {
      const column = look.flipX ? side - 1 - x : x;
      const from = 4 * ((look.flipY ? side - 1 - y : y) * side + column);
      const alpha = pixels[from + 3];
      result[to] = pixels[from + r];
      result[to + 1] = pixels[from + g];
      result[to + 2] = pixels[from + b];
      result[to + 3] = alpha;
      if (look.negative)
        for (let c = to; c < to + 3; c++) result[c] = alpha - Math.min(alpha, result[c]);
    }
  }
  return result;
}

/**
 * Joins two creatures in one scene, as if they pressed against each other along a random line. If
 * both creatures have a cell at a position, the cell of `a` is kept on one side of the line, and
 * the cell of `b` on the other side.
 */
function meet(a: Scene, b: Scene, random: Random): Scene {
  const { side } = a;
  const angle = 2 * Math.PI * random.uniform();
  const [dx, dy] = [Math.cos(angle), Math.sin(angle)];
  const off = side * (0.3 * random.uniform() - 0.15);
  const isFirst = (x: number, y: number): boolean =>
    (x - side / 2) * dx + (y - side / 2) * dy < off;
  const cells = a.cells.slice();
  const owners = a.owners.slice();
  const picture = a.picture.slice();
  for (let i = 0; i < owners.length; i++) {
    const first = isFirst((i % side) + 0.5, Math.floor(i / side) + 0.5);
    if (b.owners[i] === 0 || (first && a.owners[i] !== 0)) continue;
    owners[i] = 2;
    cells.set(b.cells.subarray(4 * i, 4 * i + 4), 4 * i);
  }
  const row = ENLARGED * side;
  for (let i = 0; i < row * row; i++) {
    const [x, y] = [((i % row) + 0.5) / ENLARGED, (Math.floor(i / row) + 0.5) / ENLARGED];
    const other = b.picture.subarray(4 * i, 4 * i + 4);
    // On the side of the line where cells of `a` are kept, show `b` only at pixels where `a` is
    // less opaque than `b` and less than half opaque.
    const wins = isFirst(x, y) ? picture[4 * i + 3] < other[3] && picture[4 * i + 3] < 128 : true;
    if (wins && (other[3] >= 128 || picture[4 * i + 3] < other[3])) picture.set(other, 4 * i);
  }
  return { side, cells, owners, picture, latents: [a.latents[0], b.latents[0]] };
}

/** Erases a disc or a line from a scene. The edge is hard in the cells and soft in the picture. */
function wound(scene: Scene, random: Random): Scene {
  const { side, cells, owners, picture } = scene;
  const at = (): number => side * (0.2 + 0.6 * random.uniform());
  const [x0, y0] = [at(), at()];
  const isLine = random.uniform() < 0.5;
  const [x1, y1] = isLine ? [at(), at()] : [x0, y0];
  const radius = isLine ? 0.8 + 1.7 * random.uniform() : 1 + 5 * random.uniform();
  const distance = (x: number, y: number): number =>
    distanceToSegment(x, y, { x: x0, y: y0 }, { x: x1, y: y1 });
  const [left, held, shown] = [cells.slice(), owners.slice(), picture.slice()];
  for (let i = 0; i < held.length; i++) {
    if (distance((i % side) + 0.5, Math.floor(i / side) + 0.5) > radius) continue;
    held[i] = 0;
    left.fill(0, 4 * i, 4 * i + 4);
  }
  const row = ENLARGED * side;
  for (let i = 0; i < row * row; i++) {
    const d = distance(((i % row) + 0.5) / ENLARGED, (Math.floor(i / row) + 0.5) / ENLARGED);
    const share = Math.min(1, Math.max(0, (d - radius) * ENLARGED + 0.5));
    if (share < 1) for (let c = 4 * i; c < 4 * i + 4; c++) shown[c] = Math.round(shown[c] * share);
  }
  return { ...scene, cells: left, owners: held, picture: shown };
}

const WINDOW = JUDGED * JUDGED * 4;

/**
 * Makes the training data of an update from random scenes. Skips cells whose 5×5 neighbourhood is
 * completely transparent.
 */
export function drawBatch(
  { batch: { scenes, cells }, steps }: Pick<PainterConfig, 'batch' | 'steps'>,
  material: Material,
  random: Random,
): Omit<PainterBatch, 'energy'> {
  const count = scenes * cells;
  const size = material.grown[0]?.latent?.length ?? 0;
  const batch = {
    inputs: new Float32Array(count * INPUTS),
    target: new Float32Array(count * WINDOW),
    pairs: new Float32Array(Math.floor(count / 2)),
    latents: new Float32Array(size && scenes * CREATURES * size),
    places: new Float32Array(size && count * CREATURES * PLACES),
  };
  let at = 0;
  while (at < count) {
    const scene = drawScene(material, random);
    if (!scene.owners.some((owner) => owner !== 0)) continue;
    scene.latents.forEach((latent, i) => {
      if (latent) batch.latents.set(latent, ((at / cells) * CREATURES + i) * size);
    });
    for (const end = at + cells; at < end; ) {
      const place = random.integer(scene.owners.length);
      // Cells without an owner have no genome to learn.
      if (learns(material) && scene.owners[place] === 0) continue;
      if (!readCell(scene, place, batch, at)) continue;
      at++;
      if (steps === 0) continue;
      const [other, weight] = neighbourOf(scene, place, random);
      const isPair = readCell(scene, other, batch, at);
      if (isPair) batch.pairs[(at - 1) / 2] = weight;
      else readCell(scene, place, batch, at);
      at++;
    }
  }
  return batch;
}

/**
 * Weights of pairs of neighbouring cells in the pair loss. A row [n, w] means: if a border between
 * blocks of n×n cells separates the two cells, their pair has the weight w. The first matching row
 * counts. All other pairs have the weight 1. Borders of larger blocks have larger weights, because
 * the plaid pattern of grown cells is stronger there.
 */
const STEP_WEIGHTS = [
  [8, 3.2],
  [4, 1.7],
] as const;

/**
 * Chooses a random neighbour of a cell.
 *
 * @param place index of the cell
 * @returns index of the neighbour, and weight of the pair in the pair loss. If the neighbour is
 *   outside the scene or does not have the same owner: `place` and 0
 */
function neighbourOf({ side, owners }: Scene, place: number, random: Random): [number, number] {
  const by = random.uniform() < 0.5 ? 1 : side;
  const other = random.uniform() < 0.5 ? place + by : place - by;
  const isRow = by === side || Math.floor(other / side) === Math.floor(place / side);
  if (!isRow || owners[other] !== owners[place]) return [place, 0];
  const after = Math.max(other, place);
  const border = by === 1 ? after % side : Math.floor(after / side);
  return [other, STEP_WEIGHTS.find(([block]) => border % block === 0)?.[1] ?? 1];
}

/**
 * Writes a cell's 5×5 neighbourhood and target pixels to row `at` of the training data, unless the
 * neighbourhood is completely transparent.
 *
 * @param place index of the cell in the scene
 * @returns whether the row was written
 */
function readCell(
  scene: Scene,
  place: number,
  batch: ReturnType<typeof drawBatch>,
  at: number,
): boolean {
  const { side, picture } = scene;
  const [x, y] = [place % side, Math.floor(place / side)];
  const inputs = batch.inputs.subarray(at * INPUTS, (at + 1) * INPUTS);
  const grid = { ...scene, width: side, height: side };
  if (!readNeighbourhood(grid, x, y, inputs)) return false;
  const creature = scene.owners[place] - 1;
  if (scene.latents[creature]) batch.places[(at * CREATURES + creature) * PLACES + place] = 1;
  const target = batch.target.subarray(at * WINDOW, (at + 1) * WINDOW);
  const row = ENLARGED * side;
  for (let v = 0, to = 0; v < JUDGED; v++) {
    const j = y * ENLARGED + v - 1;
    for (let u = 0; u < JUDGED; u++, to += 4) {
      const i = x * ENLARGED + u - 1;
      if (i < 0 || j < 0 || i >= row || j >= row) continue;
      const from = 4 * (j * row + i);
      for (let c = 0; c < 4; c++) target[to + c] = picture[from + c] / 255;
    }
  }
  return true;
}
