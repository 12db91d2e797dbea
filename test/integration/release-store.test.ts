/** A data folder of an earlier release opens, goes on, replays and undoes bit for bit. */
import { DEFAULTS } from '../../shared/defaults.ts';
import { observeOpening, observeUndo, plain, readExpected } from '../support/release-store.ts';

const { recording, opening, undo } = readExpected();

test('a room stored by an earlier release opens unchanged, readmits its visitors, goes on and replays', async () => {
  expect(opening).toMatchObject({ replay: { code: 0 }, replayAfter: 0 });
  // Settings that the release did not know are as in a new room.
  const settings = { ...DEFAULTS.house, ...opening.settings };
  expect(plain(await observeOpening(recording))).toEqual({ ...opening, settings });
});

test("in such a room, an undo removes one visitor's commands, and the room goes on and replays", async () => {
  expect(undo).toMatchObject({ replay: { code: 0 }, replayAfter: 0 });
  expect(plain(await observeUndo(recording))).toEqual(undo);
});
