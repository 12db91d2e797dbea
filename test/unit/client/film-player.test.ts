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

/** The machine was off from 11:00 to 15:00. */
const PAUSED = [
  { frame: 0, at: Date.UTC(2026, 10, 27, 8) },
  { frame: 4, at: Date.UTC(2026, 10, 27, 10) },
  { frame: 5, at: Date.UTC(2026, 10, 27, 14) },
  { frame: 9, at: Date.UTC(2026, 10, 27, 17) },
];
const SUMMER = { from: Date.UTC(2026, 9, 24, 8), until: Date.UTC(2026, 9, 26, 8) };

test.each<[what: string, film: object, frames: number[], moments: string[]]>([
  ['shows one picture, and an earlier one when it moves back', {}, [9, 0], ['18:00', '09:00']],
  ['is dated by its times', { times: PAUSED }, [2, 4, 7], ['10:00', '11:00', '16:30']],
  ['shows the time of clocks on both sides of summer time', SUMMER, [0, 9], ['10:00', '09:00']],
  ['has no times in a zone that the browser does not know', { zone: 'A/B' }, [0], ['']],
])('a film that stands still %s', async (_, film, frames, wanted) => {
  const { player, shown, moments, pass } = start();
  for (const frame of frames) {
    player.play({ ...FILM, ...film, frame });
    await pass(500);
  }
  expect([shown, moments]).toEqual([frames, wanted]);
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
