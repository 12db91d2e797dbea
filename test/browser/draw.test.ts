/**
 * Digits drawn on the page's pad and planted grow into the same digits, according to a classifier.
 * Ten in `npm test`, a hundred with VIVARIUM_TEST_FULL=1.
 */

import { fileURLToPath } from 'node:url';
import type { OrganismView } from '../../shared/vocabulary.ts';
import {
  classify,
  DIGIT_SIDE,
  digitOf,
  loadClassifier,
  readDigits,
} from '../support/digit-classifier.ts';
import { isFull } from '../support/needs.ts';
import {
  cameraRests,
  clickPlace,
  drag,
  nextPicture,
  openRoom,
  padPoints,
  showAll,
} from '../support/page.ts';
import { UNLIMITED } from '../support/server.ts';
import { suiteWithPages } from '../support/suite-pages.ts';

const CHECKPOINT = fileURLToPath(new URL('../../checkpoints/digits', import.meta.url));
const SIDE = 32;
/** Of each digit. */
const EACH = isFull ? 10 : 1;
/** Share of drawn digits that must grow into the same. */
const SAME = 0.9;

const classifier = loadClassifier();
const { images, labels } = readDigits('t10k');

test('the classifier recognises at least 97 % of MNIST’s test digits', () => {
  let right = 0;
  labels.forEach((label, n) => {
    if (classify(classifier, digitOf(images, n)) === label) right++;
  });
  console.log(`the judge knows ${(100 * right) / labels.length} % of ${labels.length} digits`);
  expect(right / labels.length).toBeGreaterThanOrEqual(0.97);
});

/** The first few of each digit in the test set. */
const digits = Array.from({ length: 10 }, (_, digit) =>
  [...labels.keys()]
    .filter((n) => labels[n] === digit)
    .slice(0, EACH)
    .map((n) => ({ digit, pixels: digitOf(images, n) })),
).flat();
const columns = Math.ceil(Math.sqrt(digits.length));
/**
 * Places apart, so that neighbours keep to themselves although a finger is no finer than a place.
 */
const apart = SIDE + 4;
const { room, roomUrl, cheapPage } = await suiteWithPages(
  {
    ...{ size: `${columns * apart}x${columns * apart}`, energy: 'off', limits: UNLIMITED },
    checkpoint: CHECKPOINT,
  },
  { drawsSoon: true },
);
const page = await cheapPage({ viewport: { width: 390, height: 844 } });
await openRoom(page, roomUrl);
await cameraRests(page);

/** A line for each run of inked pixels, in shares of the pad. */
function linesOf(pixels: Float32Array): [number, number][][] {
  const lines: [number, number][][] = [];
  const at = (pixel: number): number => (pixel + 0.5) / DIGIT_SIDE;
  for (let y = 0; y < DIGIT_SIDE; y++) {
    let start = -1;
    for (let x = 0; x <= DIGIT_SIDE; x++) {
      const ink = x < DIGIT_SIDE && pixels[y * DIGIT_SIDE + x] >= 0.5;
      if (ink && start < 0) start = x;
      if (ink || start < 0) continue;
      lines.push([start, x - 1].map((end) => [at(end), at(y)]));
      start = -1;
    }
  }
  return lines;
}

/**
 * What the room shows of an organism, as the judge wants it: ink 0…1, without the rim that the data
 * has around.
 */
function shown({ x, y }: OrganismView): Float32Array {
  const { rgba, width } = room.grid.planes;
  const corner = (middle: number): number => middle - DIGIT_SIDE / 2;
  return Float32Array.from({ length: DIGIT_SIDE ** 2 }, (_, i) => {
    const [px, py] = [corner(x) + (i % DIGIT_SIDE), corner(y) + Math.floor(i / DIGIT_SIDE)];
    return rgba[4 * (py * width + px) + 3] / 255;
  });
}

test(`of ${digits.length} drawn digits, at least ${SAME * digits.length} grow into the same`, async () => {
  const seen: string[] = [];
  let same = 0;
  /** Digits by the organisms that have not been judged yet. */
  const sown = new Map<number, number>();
  const judgeGrown = (): void => {
    for (const organism of room.organisms) {
      const digit = sown.get(organism.id);
      if (digit === undefined || organism.phase === 'growing') continue;
      sown.delete(organism.id);
      expect(organism.origin).toBe('drawing');
      const grown = classify(classifier, shown(organism));
      if (grown === digit) same++;
      else seen.push(`${digit} became ${grown}`);
    }
  };
  for (const [i, { digit, pixels }] of digits.entries()) {
    await page.getByTestId('open-draw').click();
    // With the brush that is a pixel wide.
    await page.getByTestId('width-fine').click();
    await drag(page, ...(await padPoints(page, linesOf(pixels))));
    await page.getByTestId('grow-drawing').click();
    await page.getByTestId('plant-drawing').click();
    await page.locator('draw-pad').waitFor({ state: 'detached' });
    const [x, y] = [i % columns, Math.floor(i / columns)].map((k) => (k + 0.5) * apart);
    await showAll(page);
    await clickPlace(page, x, y);
    // It grows while others are being drawn.
    while (room.size <= i) await nextPicture(page);
    sown.set(room.organisms.at(-1)!.id, digit);
    judgeGrown();
  }
  while (sown.size > 0) {
    await nextPicture(page);
    judgeGrown();
  }
  console.log(`${same} of ${digits.length} grow into the same digit; ${seen.join(', ')}`);
  expect(same).toBeGreaterThanOrEqual(SAME * digits.length);
}, 1_800_000);
