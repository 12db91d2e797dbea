import { TreePictures } from '../../../client/family-tree/pictures.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const PAGE = { gallery: ['Fern'], sheet: { url: '/sheet.png', columns: 1 } };
const cross = (id: number) => ({ id, kind: '' }) as never;
const FERN = { id: 9, kind: 'Fern' } as never;
/** Of a picture, px. */
const SIDE = 32;

interface Answer {
  readonly ok: boolean;
  readonly status: number;
}

const answered = (status: number): Answer => ({ ok: status === 200, status });

/** Pictures whose sheet and organisms arrive as the test says, in time that it advances. */
function open(answer: (path: string) => Answer | undefined) {
  const clock = new FakeClock();
  const asked: string[] = [];
  /** Bitmaps that take memory. */
  const kept = new Set<{ width: number }>();
  Object.assign(globalThis, {
    fetch: async (path: string) => {
      asked.push(path.split('/').at(-1)!);
      const response = answer(path);
      if (!response) throw new Error('offline');
      return { ...response, blob: async () => undefined };
    },
    createImageBitmap: async () => {
      const bitmap = { width: SIDE, height: SIDE, close: () => kept.delete(bitmap) };
      kept.add(bitmap);
      return bitmap;
    },
  });
  let changes = 0;
  const pictures = new TreePictures(
    'garden',
    PAGE,
    () => changes++,
    (ms, call) => void clock.after(ms, call),
  );
  return { pictures, clock, asked, kept, changes: () => changes };
}

test('a tree is drawn again for each picture that arrives, and no more once it is closed', async () => {
  const here = open(() => answered(404));
  here.pictures.of(cross(1));
  await here.clock.advance(0);
  expect(here.changes()).toBe(2);
  const closed = open(() => answered(404));
  closed.pictures.of(cross(1));
  closed.pictures.close();
  await closed.clock.advance(60_000);
  expect(closed.changes()).toBe(0);
});

test('pictures are asked for until they come, one after another, if the server was busy or not reached', async () => {
  let outage: Answer | undefined;
  const { pictures, clock, asked } = open(() => outage);
  const ids = [1, 2, 3, 4, 5];
  for (const id of ids) pictures.of(cross(id));
  await clock.advance(120_000);
  // No more than a few are asked for in vain at a time, and in longer and longer intervals.
  expect(asked.length).toBeLessThan(30);
  outage = answered(429);
  await clock.advance(60_000);
  outage = answered(503);
  await clock.advance(60_000);
  outage = answered(200);
  await clock.advance(30_000);
  expect(ids.map((id) => pictures.of(cross(id))?.side)).toEqual(ids.map(() => SIDE));
});

test('what the server does not have is asked for once', async () => {
  const { pictures, clock, asked } = open(() => answered(404));
  for (let draw = 0; draw < 3; draw++) {
    pictures.of(cross(1));
    await clock.advance(60_000);
  }
  expect(asked).toEqual(['sheet.png', '1.png']);
});

test('GRA-9: a chimera of gallery creatures is shown as it grows, or without its parts if the host has removed it', async () => {
  const { pictures, clock, asked } = open(() => answered(200));
  await clock.advance(0);
  const chimera = { id: 3, kind: 'Fern', parts: [] };
  pictures.of({ ...chimera, cause: 'removed' } as never);
  expect(asked).toEqual(['sheet.png']);
  pictures.of({ ...chimera, cause: 'killed' } as never);
  expect(asked).toEqual(['sheet.png', '3.png']);
});

test('the sheet of the gallery is asked for again', async () => {
  let outage = true;
  const { pictures, clock } = open(() => (outage ? undefined : answered(200)));
  await clock.advance(0);
  expect(pictures.of(FERN)).toBeUndefined();
  outage = false;
  await clock.advance(10_000);
  expect(pictures.of(FERN)).toMatchObject({ x: 0, y: 0, side: SIDE });
});

test('of a growth only its last picture stays in memory, and none once the tree is closed', async () => {
  const { pictures, clock, kept } = open(() => answered(200));
  pictures.of(cross(1));
  await clock.advance(0);
  expect(pictures.of(cross(1))).toMatchObject({ x: 0, y: 0, side: SIDE });
  expect([...kept].map(({ width }) => width)).toEqual([SIDE, SIDE]);
  pictures.close();
  expect(kept.size).toBe(0);
});

test('who waits for all pictures waits through a pause, but not for a closed tree', async () => {
  let outage = true;
  const { pictures, clock } = open(() => (outage ? undefined : answered(200)));
  let isDone = false;
  const wait = () => {
    isDone = false;
    void pictures.all([cross(1), cross(2)], 600_000).then(() => {
      isDone = true;
    });
  };
  wait();
  await clock.advance(10_000);
  expect(isDone).toBe(false);
  outage = false;
  await clock.advance(30_000);
  expect(isDone).toBe(true);
  outage = true;
  pictures.of(cross(3));
  await clock.advance(1_000);
  wait();
  await clock.advance(1_000);
  expect(isDone).toBe(false);
  pictures.close();
  await clock.advance(0);
  expect(isDone).toBe(true);
});
