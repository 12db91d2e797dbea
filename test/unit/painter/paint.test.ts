import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PNG } from 'pngjs';
import { createCompute } from '../../../server/autodiff/create.ts';
import * as g from '../../../server/autodiff/graph.ts';
import { parameterInputs, uploadParameters } from '../../../server/autodiff/parameters.ts';
import { enlarged } from '../../../server/training/painter/examples.ts';
import {
  drawings,
  paintAlone,
  psnr,
  withoutDisc,
} from '../../../server/training/painter/measure.ts';
import { genomeMaps } from '../../../server/training/painter/net-and-loss.ts';
import { painterBytes, painterEntry } from '../../../server/training/painter/write.ts';
import { parseCard } from '../../../server/vnca/card.ts';
import { toHalf } from '../../../shared/half-floats.ts';
import { createMap, finished, type PaintedGenomes } from '../../../shared/painter/genome-map.ts';
import {
  MAP_SIDE,
  PAINTER_LIMIT,
  PainterError,
  type PainterNet,
  painterWork,
  parsePainter,
  rampsOf,
} from '../../../shared/painter/net.ts';
import { paint } from '../../../shared/painter/paint.ts';
import {
  inSlices,
  LARGEST_SCALE,
  paintStill,
  paintThumbnail,
  type Still,
} from '../../../shared/painter/still.ts';
import { createRandom } from '../../../shared/random.ts';
import fc, { forRuns } from '../../support/property.ts';
import { learnedFile, learnedWeights, randomPainter, randomWeights } from './nets.ts';

/** The painter: what it paints in rooms and in stills, and its file. */

/** What the painter promises whatever its weights are. */
const SIDE = 9;
const net = randomPainter(3);

/** Cells of a few creatures with gaps. */
function room(seed: number, side = SIDE) {
  const random = createRandom(seed);
  const cells = new Uint8Array(4 * side * side);
  const owners = new Uint32Array(side * side);
  for (let i = 0; i < owners.length; i++) {
    if (random.uniform() < 0.4) continue;
    owners[i] = 1 + random.integer(2);
    const alpha = 1 + random.integer(255);
    for (let c = 0; c < 3; c++) cells[4 * i + c] = random.integer(alpha + 1);
    cells[4 * i + 3] = alpha;
  }
  return { cells, owners, width: side, height: side };
}
const seeds = fc.integer({ min: 0, max: 1e6 });
const scales = fc.constantFrom(1, 2, 4, 7, 8, 16);

/** [h, w, 4] out of [_, width, 4]. */
function cut(pixels: ArrayLike<number>, width: number, [x, y, w, h]: readonly number[]): number[] {
  return Array.from({ length: 4 * w * h }, (_, i) => {
    const [c, u, v] = [i % 4, (i >> 2) % w, Math.floor(i / (4 * w))];
    return pixels[4 * ((y + v) * width + x + u) + c];
  });
}

test('no colour is above alpha, and equal rooms give equal pictures', () => {
  forRuns(20, seeds, scales, (seed, scale) => {
    const pixels = paint({ ...room(seed), net, scale });
    expect(pixels.length).toBe(4 * (SIDE * scale) ** 2);
    expect(pixels.every((value, i) => value <= pixels[i | 3])).toBe(true);
    const again = paint({ ...room(seed), net, scale });
    expect(Buffer.from(again.buffer).equals(Buffer.from(pixels.buffer))).toBe(true);
  });
});

test('a part is painted as in the whole', () => {
  const area = fc.tuple(...[0, 1, 2, 3].map(() => fc.integer({ min: 0, max: 4 })));
  forRuns(20, seeds, area, (seed, [x, y, w, h]) => {
    const [width, height] = [w + 1, h + 1];
    const part = paint({ ...room(seed), net, scale: 4, area: { x, y, width, height } });
    const whole = paint({ ...room(seed), net, scale: 4 });
    const rect = [x, y, width, height].map((n) => 4 * n);
    expect([...part]).toEqual(cut(whole, 4 * SIDE, rect));
  });
});

test('only the five by five cells around a cell count, and which owner is the same', () => {
  forRuns(20, seeds, seeds, (seed, other) => {
    const side = 13;
    const [a, b] = [room(seed, side), room(other, side)];
    for (let j = 4; j < 9; j++) {
      for (let i = 4; i < 9; i++) {
        const place = j * side + i;
        b.cells.set(a.cells.subarray(4 * place, 4 * place + 4), 4 * place);
        // Other ids, but the same neighbours are alike.
        b.owners[place] = a.owners[place] === 0 ? 0 : a.owners[place] + 40;
      }
    }
    const area = { x: 6, y: 6, width: 1, height: 1 };
    const [ofA, ofB] = [a, b].map((one) => paint({ ...one, net, scale: 8, area }));
    expect(ofB).toEqual(ofA);
  });
});

test('without ramps, even cells stay even and a middle keeps its colour', () => {
  const cells = Uint8Array.from({ length: 4 * 81 }, (_, i) => [40, 80, 120, 200][i % 4]);
  const pixels = enlarged(cells, 9, 8);
  expect(cut(pixels, 72, [16, 16, 40, 40])).toEqual(
    Array.from({ length: 4 * 1600 }, (_, i) => [40, 80, 120, 200][i % 4]),
  );
  const { cells: any } = room(5);
  // An odd scale has a pixel in the very middle of a cell.
  const odd = enlarged(any, SIDE, 7);
  for (let i = 0; i < SIDE * SIDE; i++) {
    const [x, y] = [7 * (i % SIDE) + 3, 7 * Math.floor(i / SIDE) + 3];
    expect(cut(odd, 7 * SIDE, [x, y, 1, 1])).toEqual([...any.subarray(4 * i, 4 * i + 4)]);
  }
});

/** Paint of stills: that of `paint`, without steps between cells. */

/** Opaque cells with gaps. */
function creature(seed: number): Uint8Array {
  const random = createRandom(seed);
  const cells = new Uint8Array(4 * SIDE * SIDE);
  for (let i = 0; i < cells.length; i += 4) {
    if (random.uniform() < 0.4) continue;
    for (let c = 0; c < 3; c++) cells[i + c] = random.integer(256);
    cells[i + 3] = 255;
  }
  return cells;
}

const stillOf = (still: Still): Uint8ClampedArray => finished(paintStill(still));
const paintOf = ({ cells, scale }: Pick<Still, 'cells' | 'scale'>): Uint8ClampedArray => {
  const owners = Uint8Array.from({ length: SIDE * SIDE }, (_, i) => +(cells[4 * i + 3] > 0));
  const grid = { cells: Uint8Array.from(cells), owners, width: SIDE, height: SIDE };
  return paint({ ...grid, net, scale });
};

test('the middle of each cell is what the reference paints', () => {
  forRuns(12, fc.nat(1e6), fc.constantFrom(4, 8, 16), (seed, scale) => {
    const cells = creature(seed);
    const [still, reference] = [
      stillOf({ cells, side: SIDE, net, scale }),
      paintOf({ cells, scale }),
    ];
    const isMiddle = (place: number): boolean =>
      Math.abs(((place % scale) + 0.5) / scale - 0.5) <= 0.25;
    let most = 0;
    for (let i = 0; i < still.length; i += 4) {
      const [x, y] = [(i >> 2) % (SIDE * scale), Math.floor((i >> 2) / (SIDE * scale))];
      if (!isMiddle(x) || !isMiddle(y)) continue;
      const alpha = still[i + 3];
      // Where there is hardly any tissue, a still shows less.
      if (cells[4 * (Math.floor(y / scale) * SIDE + Math.floor(x / scale)) + 3] === 0) {
        expect(alpha).toBeLessThanOrEqual(reference[i + 3] + 1);
        continue;
      }
      most = Math.max(most, Math.abs(alpha - reference[i + 3]));
      for (let c = 0; c < 3; c++) {
        most = Math.max(most, Math.abs((still[i + c] * alpha) / 255 - reference[i + c]));
      }
    }
    expect(most).toBeLessThanOrEqual(2);
  });
});

/** Mean difference of alpha between neighbours in a row: across edges of cells, and right beside. */
function steps(pixels: Uint8ClampedArray, scale: number): { across: number; beside: number } {
  const row = SIDE * scale;
  const of = { across: [0, 0], beside: [0, 0] };
  for (let i = 0; i < row * row; i++) {
    const place = (i + 1) % scale;
    if ((i + 1) % row <= 1 || (i + 1) % row === row - 1 || (place + 1) % scale > 2) continue;
    const sum = place === 0 ? of.across : of.beside;
    sum[0] += Math.abs(pixels[4 * i + 3] - pixels[4 * i + 7]);
    sum[1]++;
  }
  return { across: of.across[0] / of.across[1], beside: of.beside[0] / of.beside[1] };
}

test('there are no steps between cells', () => {
  const cells = creature(4);
  const scale = 16;
  const ofPaint = steps(paintOf({ cells, scale }), scale);
  const ofStill = steps(stillOf({ cells, side: SIDE, net, scale }), scale);
  // A painter whose cells agree anyway would show nothing.
  expect(ofPaint.across).toBeGreaterThan(1.5 * ofPaint.beside);
  expect(ofStill.across).toBeLessThan(1.1 * ofStill.beside);
});

test('work with pauses has the same result, and pauses when its time is over', async () => {
  const still = { cells: creature(5), side: SIDE, net, scale: 4 };
  let time = 0;
  let pauses = 0;
  const pause = async (): Promise<void> => void pauses++;
  const slices = { slice: 10, now: () => time++, pause };
  expect(await inSlices(paintStill(still), slices)).toEqual(stillOf(still));
  expect(pauses).toBeGreaterThan(2);
});

test('work that nobody waits for any more ends at the next pause', async () => {
  const still = { cells: creature(5), side: SIDE, net, scale: 4 };
  let time = 0;
  let pauses = 0;
  const pause = async (): Promise<void> => {
    if (++pauses === 2) throw new Error('nobody waits');
  };
  const work = inSlices(paintStill(still), { slice: 10, now: () => time++, pause });
  await expect(work).rejects.toThrow('nobody waits');
  expect(pauses).toBe(2);
});

test('what does not fit is refused', () => {
  const cells = creature(6);
  for (const wrong of [{ scale: LARGEST_SCALE + 1 }, { scale: 0 }, { scale: 2.5 }, { side: 6 }]) {
    expect(() => stillOf({ cells, side: SIDE, net, scale: 8, ...wrong })).toThrow(RangeError);
  }
});

/** The file of a painter. */
const reasonOf = (bytes: Uint8Array): string | undefined => {
  try {
    parsePainter(bytes);
  } catch (error) {
    if (error instanceof PainterError) return error.reason;
    throw error;
  }
  return undefined;
};
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const changed = (bytes: Uint8Array, from: string, to: string): Uint8Array => {
  expect(text(bytes)).toContain(from);
  return Uint8Array.from(Buffer.from(text(bytes).replace(from, to), 'latin1'));
};

const file = painterBytes(randomWeights(1));

test('what is written is read, to the precision of 16 bits', () => {
  const net = parsePainter(file);
  expect(net.map(({ inputs, outputs }) => [inputs, outputs])).toEqual([
    [125, 8],
    [8, 12],
    [12, 24],
  ]);
  expect(rampsOf(net)).toBe(3);
  const written = randomWeights(1).get('hidden2.kernel')!.data;
  net[1].kernel.forEach((value, i) => {
    expect(Math.abs(value - written[i])).toBeLessThanOrEqual(Math.abs(written[i]) * 2 ** -11);
  });
});

test('all finite 16-bit floats survive', () => {
  const weights = randomWeights(2);
  const { data } = weights.get('hidden1.kernel')!;
  for (let first = 0; first < 0x7c00; first += data.length) {
    const sources = Array.from(data, (_, i) => Math.min(first + i, 0x7bff));
    sources.forEach((half, i) => {
      const exponent = half >> 10;
      data[i] = exponent === 0 ? half * 2 ** -24 : (1024 + (half & 1023)) * 2 ** (exponent - 25);
    });
    expect([...toHalf(data)]).toEqual(sources);
    expect([...parsePainter(painterBytes(weights))[0].kernel]).toEqual([...data]);
  }
});

test.each([
  ['too large', Buffer.concat([file, new Uint8Array(PAINTER_LIMIT)]), 'too-large'],
  ['cut off', file.subarray(0, file.length - 1), 'bad-file'],
  ['empty', new Uint8Array(0), 'bad-file'],
  ['no JSON', changed(file, '{"__meta', '?"__meta'), 'bad-file'],
  ['of another version', changed(file, '"painter":"1"', '"painter":"3"'), 'unknown-version'],
  [
    'of cells alone with the version of genomes',
    changed(file, '"painter":"1"', '"painter":"2"'),
    'bad-file',
  ],
  ['of other numbers', changed(file, '"F16"', '"F32"'), 'bad-file'],
  ['of layers that do not fit', changed(file, '[8,12]', '[12,8]'), 'bad-file'],
  ['without a layer', changed(file, '"ramps.bias"', '"ramps.bios"'), 'bad-file'],
])('a file is refused that is %s', (_, bytes, reason) => {
  expect(reasonOf(bytes)).toBe(reason);
});

test('a file is refused that contains a number that is not finite', () => {
  const bytes = file.slice();
  bytes.set([0x00, 0x7c], bytes.length - 2);
  expect(reasonOf(bytes)).toBe('bad-file');
});

describe('a painter that has learned a genome', () => {
  const learned = parsePainter(learnedFile(1));
  const plain = parsePainter(file);
  const [known, stranger] = [0, 1].map((value) => new Float32Array(20).fill(value));
  const cells = Uint8Array.from({ length: 4 * MAP_SIDE ** 2 }, (_, i) =>
    i % 4 === 3 ? 255 : i % 251,
  );
  const painted = (net: PainterNet, genomes?: PaintedGenomes) =>
    stillOf({ cells, side: MAP_SIDE, net, scale: 1, genomes });
  const labels = Uint8Array.from({ length: MAP_SIDE ** 2 }, (_, i) => +(i % MAP_SIDE >= 16));
  const before = painted(plain);

  it.each([
    ['without genomes', undefined, 0, 0],
    ['of a stranger', { latents: [stranger] }, 0, 0],
    ['of another size', { latents: [new Float32Array(19)] }, 0, 0],
    ['of the genome', { latents: [known] }, 1, 1],
    ['of almost the genome', { latents: [known.map(() => 0.2)] }, 1, 1],
    ['whose left half has the genome', { latents: [known, stranger], labels }, 1, 0],
    ['whose right half has the genome', { latents: [stranger, known], labels }, 0, 1],
  ])(
    'paints a creature %s with what it knows, and all others as before',
    (_, genomes, left, right) => {
      const after = painted(learned, genomes);
      const differs = (from: number, to: number): number => {
        const places = after.filter((value, i) => {
          const x = (i >> 2) % MAP_SIDE;
          return x >= from && x < to && Math.abs(value - before[i]) > 1;
        });
        return +(places.length > 100);
      };
      // A still mixes the cells beside a seam.
      expect([differs(0, 15), differs(17, 32)]).toEqual([left, right]);
    },
  );

  it('makes the maps that it was trained with', async () => {
    const compute = await createCompute('onnx', { threads: 1 });
    const weights = learnedWeights(1);
    const names = [...weights.keys()].filter((name) => /genome|double/.test(name));
    const parameters = parameterInputs(
      new Map([...weights].map(([name, { shape }]) => [name, shape])),
    );
    const latent = known.map((_, i) => 0.2 * Math.sin(i));
    const program = await compute.compile({
      map: genomeMaps(parameters, g.input('latent', [1, 20])),
    });
    const { map } = await program.run({
      ...uploadParameters(compute, names, weights),
      latent: compute.upload([1, 20], latent),
    });
    const expected = await compute.read(map);
    await compute.dispose();
    const { values } = finished(createMap(learned, { latents: [latent] }))!;
    expect(Math.max(...values)).toBeGreaterThan(0.1);
    expect([...values].every((value, i) => Math.abs(value - expected[i]) < 0.01)).toBe(true);
  });

  it.each([
    ['with keys of another size', '[1,16]', '[16,1]'],
    ['without a layer', '"genome1.bias"', '"genome1.bios"'],
    ['whose map does not fit', '[3,3,4,8]', '[3,3,8,4]'],
    ['whose layers do not fit', '[129,8]', '[8,129]'],
  ])('is refused %s', (_, from, to) => {
    expect(reasonOf(changed(learnedFile(1), from, to))).toBe('bad-file');
  });
});

describe('thumbnail', () => {
  const file = new URL('../../../checkpoints/organisms/painter.safetensors', import.meta.url);
  const net = parsePainter(readFileSync(file));
  const [SIDE, SCALE] = [16, 3];

  /** A square of 12×12 cells. @param red of a cell */
  function square(red: (x: number, y: number) => number): Uint8Array {
    const cells = new Uint8Array(4 * SIDE * SIDE);
    for (let y = 2; y < SIDE - 2; y++) {
      for (let x = 2; x < SIDE - 2; x++) cells.set([red(x, y), 90, 60, 255], 4 * (y * SIDE + x));
    }
    return cells;
  }

  const still = (cells: Uint8Array) => ({ cells, side: SIDE, net, scale: SCALE });

  /** Largest difference of red between neighbouring cells' middles, well inside the square. */
  function contrast(pixels: Uint8ClampedArray): number {
    const red = (x: number) => pixels[4 * ((8 * SCALE + 1) * SIDE * SCALE + x * SCALE + 1)];
    let largest = 0;
    for (let x = 5; x < 11; x++) largest = Math.max(largest, Math.abs(red(x) - red(x - 1)));
    return largest;
  }

  test('faint bands of the cells disappear; edges inside and the outline stay', () => {
    const bands = square((x) => (x % 2 === 0 ? 150 : 170));
    expect(contrast(finished(paintStill(still(bands))))).toBeGreaterThan(10);
    expect(contrast(finished(paintThumbnail(still(bands))))).toBeLessThan(4);
    const halves = square((x) => (x < 8 ? 40 : 220));
    expect(contrast(finished(paintThumbnail(still(halves))))).toBeGreaterThan(100);
    const alphas = (pixels: Uint8ClampedArray) => pixels.filter((_, i) => i % 4 === 3);
    const plain = alphas(finished(paintStill(still(square(() => 150)))));
    expect(alphas(finished(paintThumbnail(still(square(() => 150)))))).toEqual(plain);
  });
});

/** The painters that ship: their size, their entries in the cards, and some creatures kept from training. */

describe('shipped', () => {
  const at = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
  const folders = readdirSync(at('checkpoints')).filter((name) =>
    existsSync(at(`checkpoints/${name}/painter.safetensors`)),
  );
  const read = (name: string) => readFileSync(at(`checkpoints/${name}/painter.safetensors`));

  test.each(folders)('%s has a painter as its card says, small and cheap', (name) => {
    const file = read(name);
    expect(file.length).toBeLessThanOrEqual(PAINTER_LIMIT);
    const net = parsePainter(file);
    const json = JSON.parse(readFileSync(at(`checkpoints/${name}/card.json`), 'utf8'));
    const { painter } = parseCard(json, 'card.json');
    expect(painter).toEqual(painterEntry(net, painter?.figures ?? {}));
    const { cell, pixel } = painterWork(net);
    expect(cell + 64 * pixel).toBeLessThanOrEqual(30_000);
  });

  const SIDE = 32;
  const net = parsePainter(read('organisms'));
  /** Premultiplied RGBA as it is in the file. */
  const picture = (name: string): Uint8Array =>
    new Uint8Array(
      PNG.sync.read(readFileSync(at(join('test/fixtures/painter', `${name}.png`)))).data,
    );

  const creatures = ['owl', 'red-apple', 'elephant'].map((name) => {
    const [small, grown, large] = ['small', 'grown', 'large'].map((of) => picture(`${name}-${of}`));
    return { name, small, grown, large };
  });

  test('three creatures are painted better than enlarged, from pictures and from grown cells', () => {
    const gains = creatures.map(({ small, grown, large }) =>
      [small, grown].map((cells) => {
        const { painted, bicubic } = drawings(net, cells, SIDE);
        return psnr(painted, large) - psnr(bicubic, large);
      }),
    );
    const [ofSmall, ofGrown] = [0, 1].map(
      (i) => gains.reduce((sum, of) => sum + of[i], 0) / creatures.length,
    );
    expect(ofSmall).toBeGreaterThan(1.5);
    expect(ofGrown).toBeGreaterThan(0);
  });

  /** Premultiplied cells as a still. */
  function stillOf(left: Uint8Array): Uint8ClampedArray {
    const cells = left.map((value, i) =>
      i % 4 === 3 ? value : (255 * value) / (left[i | 3] || 1),
    );
    return finished(paintStill({ cells, side: SIDE, net, scale: 8 }));
  }

  describe.each(creatures)('$name', ({ grown }) => {
    const left = withoutDisc(grown, SIDE);
    it.each([
      ['on a wall', () => paintAlone(net, left, SIDE)],
      ['in a still', () => stillOf(left)],
    ])('stays wounded where it is wounded, %s', (_, draw) => {
      const painted = draw();
      const isErased = (x: number, y: number): boolean => {
        const i = 4 * (y * SIDE + x) + 3;
        return grown[i] > 0 && left[i] === 0;
      };
      const [rim, inner] = [[], []] as [number[], number[]];
      for (let y = 1; y < SIDE - 1; y++) {
        for (let x = 1; x < SIDE - 1; x++) {
          if (!isErased(x, y)) continue;
          const around = [-1, 0, 1].every((j) => [-1, 0, 1].every((i) => isErased(x + i, y + j)));
          for (let k = 0; k < 64; k++) {
            const [u, v] = [8 * x + (k % 8), 8 * y + (k >> 3)];
            (around ? inner : rim).push(painted[4 * (8 * SIDE * v + u) + 3] / 255);
          }
        }
      }
      const mean = (of: number[]): number => of.reduce((a, b) => a + b, 0) / of.length;
      expect(inner.length).toBeGreaterThan(640);
      expect(mean(inner)).toBeLessThan(0.01);
      expect(mean(rim)).toBeLessThan(0.3);
    });
  });
});
