/** A touch table in a real browser, with ten fingers. */
import type { Page } from 'playwright-core';
import type { VivariumTable } from '../../client/table/vivarium-table.ts';
import { RINGS } from '../../shared/limits.ts';
import { createRandom } from '../../shared/random.ts';
import { afterSuite, afterTest } from '../support/closing.ts';
import { FaultProxy, NO_FAULTS } from '../support/fault-proxy.ts';
import { Fingers } from '../support/fingers.ts';
import { fullTest, isFull } from '../support/needs.ts';
import { line, openRoom, type Point, screenOf, waitForConnection } from '../support/page.ts';
import { violations } from '../support/page-faults.ts';
import { hostOf } from '../support/suite.ts';
import { suiteWithPages } from '../support/suite-pages.ts';

const SCREEN = { width: 1280, height: 800 };
const TOUCH = { viewport: SCREEN, hasTouch: true };
/** How long four people play, in ms: once round, or five minutes in a full run. */
const PLAY = isFull ? 300_000 : 0;

const { server, room, cheapPage } = await suiteWithPages({
  ...{ size: '320x192', energy: 'off', 'max-organisms': 64 },
});
const host = await hostOf(server);
const proxy = await FaultProxy.open({ port: server.port, random: createRandom(5) });
afterSuite(() => proxy.close());

/** A ring as the page knows it. */
interface RingState {
  readonly number: number;
  readonly place: Point & { readonly turn: number };
  readonly you: number | undefined;
  readonly tool: string;
  readonly hand: number;
  readonly left: string | undefined;
}

class Table {
  private constructor(
    readonly page: Page,
    readonly path: string,
    readonly fingers: Fingers,
  ) {}

  static async open(): Promise<Table> {
    const { path } = await host.call('addWall', { name: 'T1', table: true });
    const page = await cheapPage(TOUCH);
    await openRoom(page, `http://127.0.0.1:${proxy.port}${path}`);
    const table = new Table(page, path, await Fingers.of(page));
    // A slow machine must not forget people whom a test still needs.
    await table.hold();
    return table;
  }

  rings(): Promise<RingState[]> {
    return this.page.evaluate(() => {
      const { rings } = document.querySelector<VivariumTable>('vivarium-table')!;
      return [...rings.values()].map(({ number, place, model, state, left, hand }) => {
        const { tool } = state.state;
        return { number, place, left, tool, hand: hand.length, you: model.you?.id };
      });
    });
  }

  /** Waits until rings are open and are participants. @returns them, oldest first */
  async seated(count: number): Promise<RingState[]> {
    let rings: RingState[] = [];
    await until(async () => {
      rings = await this.rings();
      return rings.length === count && rings.every(({ you }) => you !== undefined);
    });
    return rings;
  }

  /** Opens a ring at each of some points, one after the other. */
  async ringsAt(points: readonly Point[]): Promise<RingState[]> {
    for (const [i, at] of points.entries()) await this.fingers.tap(i, at);
    return this.seated(points.length);
  }

  /** A finger taps a button of a ring, by its place among the open ones. */
  async press(ring: number, testid: string, nth = 0): Promise<void> {
    const button = this.page.locator('table-ring').nth(ring).getByTestId(testid).nth(nth);
    await this.fingers.tap(ring, middleOf((await button.boundingBox())!));
  }

  private hold(): Promise<boolean> {
    return this.page.evaluate(() =>
      Reflect.set(document.querySelector('vivarium-table')!, 'timeLeft', () => 15_000),
    );
  }

  /** Lets the page forget all rings, as after 15 s. */
  async forget(): Promise<void> {
    await this.page.evaluate(() => {
      const table = document.querySelector<VivariumTable>('vivarium-table')!;
      for (const ring of table.rings.values()) ring.touchedAt = Number.NEGATIVE_INFINITY;
      Reflect.deleteProperty(table, 'timeLeft');
    });
    await until(async () => (await this.rings()).length === 0);
    await this.hold();
  }
}

const middleOf = (box: Record<'x' | 'y' | 'width' | 'height', number>): Point => ({
  x: box.x + box.width / 2,
  y: box.y + box.height / 2,
});
const beside = ({ x, y }: Point, dx: number, dy = 0): Point => ({ x: x + dx, y: y + dy });
const plantedBy = (you: number | undefined) =>
  [...room.organisms].filter(({ planter }) => planter.id === you);

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((wake) => setTimeout(wake, 50));
}

const clear = () =>
  host.call('clearArea', { x: 0, y: 0, width: 320, height: 192 }).catch(() => undefined);

const table = await Table.open();
const { fingers, page } = table;

beforeEach(async () => {
  await clear();
  await table.forget();
});

const BOTTOM = { x: 640, y: 560 };
const PATHS: readonly [string, { at?: Point; press?: string; by?: [number, number] }][] = [
  ['twice at the same place', {}],
  ['in a corner', { at: { x: 4, y: 796 } }],
  ['outside the ring', { by: [30, -200] }],
  ['more creatures', { press: 'more' }],
];
/** More like these. */
const OTHERS: typeof PATHS = [
  ['beside the ring’s middle', { by: [50, 0] }],
  ['at the far edge', { at: { x: 640, y: 10 } }],
  ['a creature of the ring', { press: 'creature' }],
  ['the dice', { press: 'dice' }],
];

test.each(isFull ? [...PATHS, ...OTHERS] : PATHS)(
  'a first-time visitor has a creature after at most three touches: %s',
  async (_, { at = BOTTOM, press, by = [0, 0] }) => {
    await fingers.tap(0, at);
    const [{ you, place }] = await table.seated(1);
    if (press) await table.press(0, press);
    await fingers.tap(0, beside(place, ...by));
    await until(() => plantedBy(you).length === 1);
  },
);

test('rings open within the edges and turned towards the nearest one; a touch nearby belongs to its ring', async () => {
  const spots = [
    [640, 795, 0],
    [5, 400, 90],
    [640, 5, 180],
    [1275, 400, 270],
  ] as const;
  const rings = await table.ringsAt(spots.map(([x, y]) => ({ x, y })));
  expect(rings.map(({ place }) => place.turn)).toEqual(spots.map(([, , turn]) => turn));
  for (const button of await page.locator('table-ring button').all()) {
    const { x, y, width, height } = (await button.boundingBox())!;
    expect(Math.min(x, y, SCREEN.width - x - width, SCREEN.height - y - height)).toBeGreaterThan(0);
    // As large as a fingertip on a small table.
    expect(Math.min(width, height)).toBeGreaterThan(40);
  }
  // Whoever chooses a tool changes nobody else's.
  await table.press(1, 'damage');
  await until(async () => (await table.rings())[1].tool === 'damage');
  expect((await table.rings()).map(({ tool }) => tool)).toEqual([
    'plant',
    'damage',
    'plant',
    'plant',
  ]);
  expect(await violations(page)).toEqual([]);
  const isPrevented = (name: string) =>
    page.evaluate((type) => {
      const event = new Event(type, { bubbles: true, cancelable: true });
      document.querySelector('vivarium-table')!.dispatchEvent(event);
      return event.defaultPrevented;
    }, name);
  for (const name of ['contextmenu', 'selectstart', 'dragstart', 'wheel', 'gesturestart']) {
    expect([name, await isPrevented(name)]).toEqual([name, true]);
  }
  expect(await page.evaluate(() => [visualViewport!.scale, scrollX, scrollY])).toEqual([1, 0, 0]);
});

test('ten fingers of four people: all plant, graft, wound and take one along, and nothing leaks', async () => {
  const rings = await table.ringsAt([
    { x: 320, y: 640 },
    { x: 960, y: 640 },
    { x: 320, y: 160 },
    { x: 960, y: 160 },
  ]);
  const end = Date.now() + PLAY;
  let rounds = 0;
  /** Two people use three fingers, two use two; all at a time. */
  const strokes = () =>
    Promise.all(
      rings.flatMap(({ place }, i) =>
        Array.from({ length: i < 2 ? 3 : 2 }, (_, n) => {
          const y = 12 * (n - 1);
          return fingers.stroke(10 * i + n, line(beside(place, -60, y), beside(place, -25, y), 6));
        }),
      ),
    );
  const codes = page.getByTestId('code');
  do {
    rounds++;
    // On one's creature, a tap would take it along.
    const bare = [...rings.entries()].filter(([, { you }]) => plantedBy(you).length === 0);
    await Promise.all(bare.map(([i, { place }]) => fingers.tap(i, place)));
    await until(() =>
      rings.every(({ you }) => plantedBy(you).some(({ phase }) => phase !== 'growing')),
    );
    for (const tool of ['graft', 'damage'] as const) {
      for (const i of rings.keys()) {
        await table.press(i, tool);
        if (tool === 'graft') await table.press(i, 'creature', 1 + (rounds % 3));
      }
      await until(async () => (await table.rings()).every((ring) => ring.tool === tool));
      await strokes();
    }
    for (const i of rings.keys()) {
      await table.press(i, 'damage');
      await table.press(i, 'keep');
    }
    await codes.nth(rings.length - 1).waitFor();
    const [links, places] = await codes.evaluateAll((all) => [
      all.map((one) => one.getAttribute('data-link')!),
      all.map((one) => one.getAttribute('style')!),
    ]);
    for (const link of links) expect(link).toMatch(/\/keep#[\w-]{20,}\/garden$/);
    expect(new Set(places).size).toBe(rings.length);
    for (let left = rings.length; left > 0; left--) {
      await fingers.tap(0, middleOf((await codes.first().boundingBox())!));
      await until(async () => (await codes.count()) < left);
    }
  } while (Date.now() < end);
  // A tap on a code is a touch of that code only.
  const after = await table.rings();
  expect(after.map(({ you, tool }) => [you, tool])).toEqual(rings.map(({ you }) => [you, 'plant']));
  for (const { you, place } of rings) {
    const own = plantedBy(you);
    expect(own.some(({ wounds }) => wounds > 0)).toBe(true);
    expect(own.some(({ parts = [] }) => parts.length > 1)).toBe(true);
    // Only the person in front of them has planted and grafted there.
    for (const { x, y, parts = [] } of own) {
      expect(parts.flatMap(({ by }) => by?.id ?? [])).toEqual(parts.slice(1).map(() => you));
      const shown = await screenOf(page, x, y);
      expect(Math.hypot(shown.x - place.x, shown.y - place.y)).toBeLessThan(100);
    }
  }

  // One person takes the last graft back; the others keep theirs.
  await until(() =>
    rings.every(({ you }) => plantedBy(you).every((one) => one.phase === 'asleep')),
  );
  const partsOf = ({ you }: (typeof rings)[number]) =>
    JSON.stringify(plantedBy(you).map(({ parts }) => parts));
  const before = rings.map(partsOf);
  await table.press(0, 'ungraft');
  await until(() => partsOf(rings[0]) !== before[0]);
  // The server remembers one stroke, so the button goes although earlier strokes are still there.
  const ungraft = page.locator('table-ring').first().getByTestId('ungraft');
  await until(async () => (await ungraft.count()) === 0);
  expect(rings.slice(1).map(partsOf)).toEqual(before.slice(1));

  // The next four have nothing of the first.
  const people = new Set(rings.map(({ you }) => you));
  await table.forget();
  const next = await table.ringsAt(rings.map(({ place }) => place));
  for (const { you, hand, tool } of next) {
    expect(people.has(you)).toBe(false);
    expect([hand, tool]).toEqual([0, 'plant']);
  }
  expect(await page.locator('table-ring').getByTestId('keep').count()).toBe(0);
});

test('a drag from one creature to another crosses them, into the hand of that ring only', async () => {
  const rings = await table.ringsAt([
    { x: 320, y: 600 },
    { x: 960, y: 600 },
  ]);
  const [one] = rings;
  const [a, b] = [beside(one.place, -60), beside(one.place, 60)];
  for (const at of [a, b]) await fingers.tap(0, at);
  await until(() => plantedBy(one.you).filter(({ phase }) => phase !== 'growing').length === 2);
  await fingers.stroke(0, line(a, b, 6));
  await until(async () => (await table.rings())[0].hand === 1);
  expect((await table.rings()).map(({ hand }) => hand)).toEqual([1, 0]);
});

/** How many rings are opened and forgotten. */
const USES = 100;

// The test of ten fingers sees that the next people have nothing of those who have gone.
fullTest(`${USES} uses leave the page’s memory flat`, async () => {
  const session = await page.context().newCDPSession(table.page);
  const used = async (): Promise<number> => {
    await session.send('HeapProfiler.collectGarbage');
    return (await session.send('Runtime.getHeapUsage')).usedSize;
  };
  const spots = Array.from({ length: RINGS }, (_, i) => ({
    x: 128 + 256 * (i % 5),
    y: i < 5 ? 200 : 600,
  }));
  const sizes: number[] = [];
  for (let cycle = 0; cycle < USES / RINGS; cycle++) {
    await table.ringsAt(spots);
    await table.press(cycle % RINGS, 'dice');
    await table.forget();
    sizes.push(await used());
  }
  console.info(
    `heap after each ${RINGS} uses: ${sizes.map((size) => (size / 1e6).toFixed(2)).join(' ')} MB`,
  );
  expect(Math.min(...sizes.slice(-3)) - sizes[3]).toBeLessThan(1e6);
  expect(await page.locator('table-ring').count()).toBe(0);
});

test('rings and codes are forgotten, and the table begins anew after a countdown', async () => {
  const [one] = await table.ringsAt([{ x: 640, y: 560 }]);
  await fingers.tap(0, one.place);
  await until(() => plantedBy(one.you).length === 1);
  await table.press(0, 'keep');
  await page.getByTestId('code').waitFor();
  await table.forget();
  expect(await page.getByTestId('code').count()).toBe(1);
  // Half a minute later.
  await page.evaluate(() => {
    const table = document.querySelector('vivarium-table')!;
    Reflect.set(table, 'touchedAt', performance.now() - 37_000);
  });
  await page.getByTestId('countdown').waitFor();
  await page.getByTestId('code').waitFor({ state: 'detached' });
  await page.getByTestId('countdown').waitFor({ state: 'detached' });
  expect(await page.locator('.hint').count()).toBe(2);
});

test('a table that loses its line comes back with everybody; a second one with its pass is told', async () => {
  const before = await table.ringsAt([
    { x: 320, y: 600 },
    { x: 960, y: 600 },
  ]);
  proxy.set({ deaf: true });
  proxy.reset();
  await waitForConnection(page, 'reconnecting');
  await page.getByRole('status').filter({ hasText: 'The room cannot be reached' }).waitFor();
  proxy.set(NO_FAULTS);
  await waitForConnection(page, 'live');
  await page.getByRole('status').waitFor({ state: 'detached' });
  const back = await table.seated(2);
  expect(back.map(({ you }) => you)).toEqual(before.map(({ you }) => you));
  await fingers.tap(0, beside(before[0].place, 30));
  await until(() => plantedBy(before[0].you).length > 0);

  const second = await cheapPage(TOUCH);
  afterTest(() => second.close());
  await second.goto(`http://127.0.0.1:${server.port}${table.path}`);
  await second.getByRole('status').filter({ hasText: 'Another screen uses' }).waitFor();
  expect((await table.rings()).map(({ left }) => left)).toEqual([undefined, undefined]);
  // When the first is gone, the second takes its place.
  await page.close();
  await waitForConnection(second, 'live');
});
