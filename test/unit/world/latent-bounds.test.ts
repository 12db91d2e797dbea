/** Only latents that the checkpoint was made for are planted. */

import { speciesOf } from '../../../server/rooms/loaded-checkpoint.ts';
import { loadCheckpoint } from '../../../server/vnca/checkpoint.ts';
import { bounded, boundsOf, isWithin } from '../../../server/vnca/genome.ts';
import { createRandom } from '../../../shared/random.ts';
import { decodeSeed, encodeSeed } from '../../../shared/seed-token.ts';
import { CHECKPOINT_FOLDER } from '../../support/organisms.ts';
import { ANNA, GROWN, HandRoom, SPECIES } from '../../support/rooms.ts';

/** [1, 0] times a hundred: within what the protocol takes, far beyond the bounds of `SPECIES`. */
const FAR = new Float32Array([100, 0]);
const farSeed = () => ({ from: 'latent' as const, latent: [...FAR] });
const length = (latent: Iterable<number>): number => Math.hypot(...latent);

const plantSeed = (hand: HandRoom, seed: object): void =>
  hand.room.enqueue(1, { what: 'plant', by: ANNA, x: 8, y: 8, seed: seed as never });

/** Replays a journal that planted `FAR`. */
function replant(hand: HandRoom, x: number): void {
  const command = { what: 'plant', by: ANNA, x, y: 8, seed: farSeed() } as const;
  hand.room.redo([{ what: 'command', id: 1, command }]);
}

test('GRO-4: latents beyond the bounds are refused at once, with how far out they are', () => {
  const hand = new HandRoom();
  const seed = farSeed();
  const reason = 'bad-latent: length 100.0; at most 5.0, and 4.0 for each number';
  expect(() => plantSeed(hand, seed)).toThrow(reason);
  expect(() => hand.room.previewSeed(seed, ANNA.id).latent).toThrow(reason);
  for (const latent of [[1], [1, 2, 3], [1, Number.NaN]]) {
    const wrong = `bad-latent: length ${latent.length}`;
    expect(() => plantSeed(hand, { from: 'latent', latent })).toThrow(wrong);
  }
  expect(hand.room.beginTick().events).toEqual([]);
});

test('GRO-4: a token from beyond the bounds grows the nearest latent within them, and so does a drawing', () => {
  const hand = new HandRoom();
  const token = encodeSeed({ kind: undefined, latent: FAR }, SPECIES);
  plantSeed(hand, { from: 'token', token });
  const { events, plant } = hand.room.beginTick();
  expect(length(plant[0].latent)).toBeCloseTo(4, 1);
  // The journal holds what was planted, so a replay needs no bounds.
  expect(JSON.stringify(events)).not.toContain(token);
  expect(length(hand.room.previewSeed({ from: 'token', token }, ANNA.id).latent)).toBeCloseTo(4);
  const other = new HandRoom();
  other.act({ what: 'hold', by: ANNA, latent: [...FAR], origin: 'drawing' });
  expect([...other.room.previewSeed({ from: 'hand', seed: 1 }, ANNA.id).latent]).toEqual([4, 0]);
});

test('GRO-4: tokens refer to the weights, whatever their checkpoint is called in the engine', () => {
  const hand = new HandRoom({
    species: { ...SPECIES, checkpoint: 'hand-1a2b3c4d' },
  });
  const token = encodeSeed({ kind: undefined, latent: FAR }, SPECIES);
  plantSeed(hand, { from: 'token', token });
  hand.ticks(GROWN);
  const kept = decodeSeed(hand.room.tokenOf(1), SPECIES)!;
  expect(length(kept.latent)).toBeCloseTo(4, 1);
  expect(
    hand.room.previewSeed({ from: 'token', token: hand.room.tokenOf(1) }, ANNA.id).latent,
  ).toEqual(kept.latent);
});

test('GRO-4: a journal replays what was planted, whatever the bounds are now; it has no children, copies or previews', () => {
  const hand = new HandRoom();
  for (const x of [8, 20]) replant(hand, x);
  hand.ticks(GROWN);
  expect(hand.room.export().organisms).toMatchObject([{ latent: FAR }, { latent: FAR }]);
  expect(() => hand.room.enqueue(3, { what: 'cross', by: ANNA, a: 1, b: 2, mix: 0.5 })).toThrow(
    'bad-latent',
  );
  expect(() => hand.room.previewSeed({ from: 'organism', organism: 1 }, ANNA.id).latent).toThrow(
    'bad-latent',
  );
});

describe('the shipped checkpoint', () => {
  let species: ReturnType<typeof speciesOf>;
  beforeAll(async () => {
    species = speciesOf(await loadCheckpoint(CHECKPOINT_FOLDER));
  });

  test('keepsakes of its gallery, of the dice and of their crosses are planted as they are', () => {
    const { latentSize, gallery } = species;
    const dice = Array.from({ length: 2_000 }, (_, i) => createRandom(i).latent(latentSize));
    const { room } = new HandRoom({ species, width: 64, height: 64 });
    for (const latent of [...gallery.map((entry) => entry.latent), ...dice]) {
      const token = encodeSeed({ kind: undefined, latent }, species);
      const planted = room.previewSeed({ from: 'token', token }, ANNA.id).latent;
      expect(planted).toEqual(decodeSeed(token, species)!.latent);
    }
  });
});

test('what is brought within bounds is within them, whatever is rounded on the way', () => {
  const bounds = boundsOf([], 96);
  for (let i = 0; i < 500; i++) {
    const far = createRandom(i)
      .latent(96)
      .map((number) => 3 * number);
    expect(isWithin(far, bounds)).toBe(false);
    expect(isWithin(bounded(far, bounds), bounds)).toBe(true);
  }
});
