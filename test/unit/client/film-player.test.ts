/** A film on a wall: which picture is shown when, and what happens to those that do not arrive. */
import { FilmPlayer } from '../../../client/wall/film-player.ts';
import type { Planes } from '../../../shared/codec/chunks.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const FILM = {
  ...{ id: 'film', frames: 10, frame: 0, speed: 0, zone: 'Europe/Copenhagen' },
  ...{ from: Date.UTC(2026, 10, 27, 8), until: Date.UTC(2026, 10, 27, 17) },
};
const ROOM = { width: 2, height: 1 } as never;

/** A film whose pictures are of one colour each: their numbers. */
function start(missing: readonly number[] = [], bytes = 16) {
  const clock = new FakeClock();
  const shown: (number | undefined)[] = [];
  const moments: (string | undefined)[] = [];
  const screen = {
    room: ROOM,
    showInstead: (planes: Planes | undefined) => void shown.push(planes?.rgba[0]),
  };
  const load = async (path: string): Promise<Response> => {
    const frame = Number(path.match(/^\/host\/api\/films\/film\/(\d+)$/)?.[1]);
    if (missing.includes(frame)) return new Response('', { status: 404 });
    return new Response(new Uint8Array(bytes).fill(frame));
  };
  const player = new FilmPlayer(
    load,
    screen,
    () => clock.now(),
    (ms) => new Promise<void>((resolve) => clock.after(ms, resolve)),
  );
  player.onMoment = (moment) => moments.push(moment);
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 10) {
      await clock.advance(10);
      // The body of a response takes some turns of the event loop.
      await new Promise(setImmediate);
    }
  };
  return { player, shown, moments, pass };
}

test('a film that stands still shows one picture, and moving back shows an earlier one', async () => {
  const { player, shown, moments, pass } = start();
  player.play({ ...FILM, frame: 9 });
  await pass(2_000);
  player.play({ ...FILM, frame: 0 });
  await pass(2_000);
  expect(shown).toEqual([9, 0]);
  expect(moments).toEqual(['18:00', '09:00']);
});

test('pictures are dated by when they were, where that is told', async () => {
  const { player, moments, pass } = start();
  // The machine was off from 11:00 to 15:00.
  const times = [
    [0, 8],
    [4, 10],
    [5, 14],
    [9, 17],
  ].map(([frame, hour]) => ({
    frame,
    at: Date.UTC(2026, 10, 27, hour),
  }));
  for (const frame of [2, 4, 5, 7]) {
    player.play({ ...FILM, times, frame });
    await pass(500);
  }
  expect(moments).toEqual(['10:00', '11:00', '15:00', '16:30']);
});

test('a film of days on both sides of summer time shows the time that clocks showed', async () => {
  const { player, moments, pass } = start();
  const summer = { from: Date.UTC(2026, 9, 24, 8), until: Date.UTC(2026, 9, 26, 8) };
  player.play({ ...FILM, ...summer, frame: 0 });
  await pass(500);
  player.play({ ...FILM, ...summer, frame: 9 });
  await pass(500);
  expect(moments).toEqual(['10:00', '09:00']);
  // A browser that does not know the zone.
  player.play({ ...FILM, zone: 'Europe/Nowhere' });
  await pass(500);
  expect(moments.at(-1)).toBe('');
});

test('a film that plays shows its pictures in their time, and begins again after the last', async () => {
  const { player, shown, pass } = start();
  player.play({ ...FILM, frame: 7, speed: 10 });
  await pass(550);
  expect(shown).toEqual([7, 8, 9, 0, 1, 2]);
  player.play(undefined);
  expect(shown.at(-1)).toBeUndefined();
  const { length } = shown;
  await pass(2_000);
  expect(shown).toHaveLength(length);
});

test('a picture that cannot be fetched, or is of another size, is left out', async () => {
  const { player, shown, pass } = start([1]);
  player.play({ ...FILM, speed: 1 });
  await pass(2_700);
  expect(shown).toEqual([0, 2]);
  const other = start([], 24);
  other.player.play(FILM);
  await other.pass(500);
  expect(other.shown).toEqual([]);
});
