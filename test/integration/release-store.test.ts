/** A data folder of an earlier release opens, goes on, replays and undoes bit for bit. */

import { RULES_VERSION } from '../../server/world/room-state.ts';
import { DEFAULTS } from '../../shared/defaults.ts';
import { observeOpening, observeUndo, plain, readExpected } from '../support/release-store.ts';
import { PACE } from '../support/server.ts';

const { recording, opening, undo } = readExpected();

test('a room stored by an earlier release opens unchanged, readmits its visitors, goes on and replays', async () => {
  expect(opening).toMatchObject({ replay: { code: 0 }, replayAfter: 0 });
  // Settings that the release did not know are as in a new room of such a server.
  const given = opening.settings as { readonly attract: object };
  const attract = { ...DEFAULTS.house.attract, ...given.attract };
  const settings = { ...DEFAULTS.house, ...PACE, liveliness: 0, ...opening.settings, attract };
  const { jump, ...seen } = await observeOpening(recording);
  expect(plain(seen)).toEqual({ ...opening, settings });
  // Replayed under the rules of that release, it goes on under those of now; its journal says so.
  const { liveliness: _, ...life } = PACE;
  expect(jump).toEqual([
    { what: 'rules', rules: RULES_VERSION, seed: expect.any(Number) },
    { rules: RULES_VERSION, life: { ...life, expressing: DEFAULTS.life.expressing } },
  ]);
});

test("in such a room, an undo removes one visitor's commands, and the room goes on and replays", async () => {
  expect(undo).toMatchObject({ replay: { code: 0 }, replayAfter: 0 });
  const { rules, ...seen } = await observeUndo(recording);
  expect(plain(seen)).toEqual(undo);
  expect(rules).toBe(RULES_VERSION);
});
