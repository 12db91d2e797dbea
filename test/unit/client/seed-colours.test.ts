/** The colours in which a page draws grafts at first. */

import { SeedColours } from '../../../client/room/seed-previews.ts';
import { InteractionState } from '../../../client/state/interaction-state.ts';
import type { Rgb } from '../../../client/style/fragments.ts';

const settled = () => new Promise<void>((resolve) => setTimeout(resolve));

test('the colours are those of the seed in hand, and of no earlier one', async () => {
  const state = new InteractionState();
  const films = new Map<string, string>();
  const read = new Map<string, (colours: Rgb[]) => void>();
  let tell = (): void => {};
  const previews = {
    film: (seed: object) => {
      const url = films.get(JSON.stringify(seed));
      return url && { url, frames: 4 };
    },
    onChange: (listener: () => void) => {
      tell = listener;
    },
  };
  const seeds = new SeedColours(
    previews as never,
    state,
    (url) => new Promise((resolve) => read.set(url, resolve)),
  );
  const arrive = (index: number, url: string): void => {
    films.set(JSON.stringify({ from: 'gallery', index }), url);
    tell();
  };
  state.hold({ from: 'gallery', index: 1 });
  arrive(1, 'one');
  // A visitor who plants needs no colours.
  expect(read.size).toBe(0);
  state.take('graft');
  state.hold({ from: 'gallery', index: 2 });
  arrive(2, 'two');
  expect([...read.keys()]).toEqual(['one', 'two']);
  read.get('two')!([[0, 0, 1]]);
  await settled();
  read.get('one')!([[1, 0, 0]]);
  await settled();
  expect(seeds.colours).toEqual([[0, 0, 1]]);
  state.hold({ from: 'gallery', index: 3 });
  expect(seeds.colours).toEqual([]);
});
