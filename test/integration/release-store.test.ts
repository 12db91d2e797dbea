/** A data folder of an earlier release opens, goes on, replays and undoes bit for bit. */
import { observeOpening, observeUndo, plain, readExpected } from '../support/release-store.ts';

const { recording, opening, undo } = readExpected();

test('a room kept by an earlier release opens as it was, lets its visitors back in, goes on and replays', async () => {
  expect(opening).toMatchObject({ replay: { code: 0 }, replayAfter: 0 });
  expect(plain(await observeOpening(recording))).toEqual(opening);
});

test("an undo in such a room takes back one visitor's acts, and it goes on and replays", async () => {
  expect(undo).toMatchObject({ replay: { code: 0 }, replayAfter: 0 });
  expect(plain(await observeUndo(recording))).toEqual(undo);
});
