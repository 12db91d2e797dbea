
import { readCommand } from '../../../../server/settings/command-line.ts';
import type { Dataset } from '../../../../server/training/data/dataset.ts';
import { choose, loadImages } from '../../../../server/training/evaluate/evaluate.ts';
import { COMMAND } from '../../../../server/training/evaluate/options.ts';
import { tinyCard } from '../../vnca/tiny-model.ts';

const readOptions = (args: readonly string[]) => readCommand(COMMAND, args);

describe('options', () => {
  test.each([
    [[], 'Name one checkpoint folder.'],
    [['a', '--samples', '0'], '--samples must be a whole number, 1 or more, not "0".'],
    [['a', '--steps', '10,'], '--steps must be whole numbers, 1 or more'],
  ])('%j are refused', (args, message) => {
    expect(() => readOptions(args)).toThrow(
      expect.objectContaining({ reason: 'bad-option', message: expect.stringContaining(message) }),
    );
  });
});

describe('images', () => {
  const none = new Uint32Array(0);
  const NO_SPLITS = { train: none, validation: none, test: none };
  const data = (splits: Partial<Dataset['splits']>, count = 6): Dataset => ({
    name: 'made up',
    side: 2,
    channels: 1,
    count,
    pixels: Uint8Array.from({ length: 4 * count }, (_, i) => 10 * Math.floor(i / 4)),
    entries: [],
    splits: { ...NO_SPLITS, ...splits },
    ...{ source: '', licence: '', description: '' },
  });

  it('are evenly chosen from those not trained on', () => {
    const splits = { train: Uint32Array.of(0), test: Uint32Array.of(1, 2, 4, 5) };
    const judged = choose(data(splits), { limit: 2 });
    expect(judged).toMatchObject({ split: 'test', count: 2, of: 4 });
    expect(judged.pixels[0]).toBeCloseTo(10 / 255, 6);
    expect(judged.pixels[4]).toBeCloseTo(40 / 255, 6);
    expect(choose(data({ validation: Uint32Array.of(3) }), { limit: 0 }).split).toBe('validation');
    expect(choose(data({ train: Uint32Array.of(0, 3) }), { limit: 9 })).toMatchObject({
      split: 'train',
      count: 2,
    });
  });

  it('are of the split that is asked for', () => {
    const set = data({ validation: Uint32Array.of(3), test: Uint32Array.of(1, 2) });
    const judged = choose(set, { limit: 0, split: 'validation' });
    expect(judged).toMatchObject({ split: 'validation', count: 1, of: 1 });
    expect(judged.pixels[0]).toBeCloseTo(30 / 255, 6);
    expect(() => choose(set, { limit: 0, split: 'train' })).toThrow(/made up.* no split "train"/);
    expect(readOptions(['a', '--split', 'validation'])).toMatchObject({ split: 'validation' });
  });

  test.each([
    [undefined, 'no-data', 'the card names no training configuration'],
    ['{', 'no-data', 'starts like JSON'],
    ['nowhere.json', 'no-data', 'nowhere.json cannot be read'],
    ['{"kind": "mnist", "side": 28}', 'unfit-data', '28×28×1, but the checkpoint draws 16×16×4'],
  ])('of %j are refused', async (wanted, reason, message) => {
    await expect(loadImages(tinyCard(), wanted, { limit: 1 })).rejects.toMatchObject({
      reason,
      message: expect.stringContaining(message),
    });
  });

  test('pictures of the set are not among those never seen', async () => {
    const { unseen } = await loadImages(tinyCard({ side: 32 }), '{"kind":"emoji","set":"unseen"}', {
      limit: 1,
    });
    expect(unseen).toMatchObject({ message: 'the set "unseen" contains these pictures' });
  });

  test("a checkpoint of a user's own images is not evaluated on those of the configuration", async () => {
    const { training, ...card } = tinyCard();
    const command = 'npm run train -- server/training/configs/drawings.json --images <folder>';
    const own = { ...card, training: { ...training, command } };
    await expect(loadImages(own, undefined, { limit: 1 })).rejects.toMatchObject({
      reason: 'no-data',
    });
  });
});
