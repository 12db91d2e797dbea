/**
 * Six paths of somebody who opens a room for the first time, on a phone in a real browser: how many
 * taps each takes, how many seconds, and which taps led nowhere. The hand taps what a visitor would
 * tap; it waits only for what the page shows.
 */

import type { Page } from 'playwright-core';
import type { VivariumServer } from '../../server/composition/create-server.ts';
import { ensureClient } from '../../server/http/client-build.ts';
import type { Room } from '../../server/world/room.ts';
import { rounded } from '../load/figures.ts';
import { launchBrowser } from '../support/browser.ts';
import { line, type Point, touch } from '../support/fingers.ts';
import { plantGarden } from '../support/garden.ts';
import { cameraRests, openRoom, type PageElement, screenOf } from '../support/page.ts';
import { PHONE } from '../support/screens.ts';
import { startServer } from '../support/server.ts';
import { runTranspiled } from '../support/transpiled.ts';
import { leaveUnpainted } from '../support/unpainted.ts';
import { Visitor } from '../support/visitor.ts';
import { describeMachine } from './machine.ts';
import type { Log } from './options.ts';

/** Whom a first visitor finds. */
const RESIDENTS = ['Penguin', 'Octopus', 'Turtle', 'Horse', 'Rabbit Face', 'Fox Face'];
/** A visitor would not wait longer, ms. */
const PATIENCE = 60_000;

interface Path {
  readonly name: string;
  walk(hand: Hand): Promise<void>;
}

/** The page's own organism. */
interface Own extends Point {
  readonly id: number;
  readonly phase: string;
  readonly owned: number;
  readonly wounds: number;
  readonly healed: number;
}

/** A visitor's hand on the phone. It counts what it does. */
class Hand {
  taps = 0;
  strokes = 0;
  /** What the page answered to taps that led nowhere. */
  readonly deadEnds: string[] = [];

  constructor(
    readonly page: Page,
    readonly room: Room,
  ) {}

  async tap(testId: string): Promise<void> {
    this.taps++;
    await this.page.getByTestId(testId).first().tap({ timeout: PATIENCE });
  }

  async touch({ x, y }: Point): Promise<void> {
    this.taps++;
    await this.page.touchscreen.tap(x, y);
  }

  async stroke(from: Point, to: Point): Promise<void> {
    this.strokes++;
    await touch(this.page, [line(from, to, 8)]);
  }

  /** The page's own organism. */
  own(): Promise<Own | undefined> {
    return this.page.evaluate(() => {
      const { model } = document.querySelector('vivarium-room') as unknown as PageElement;
      const found = [...model.organisms].findLast(([, one]) => one.planter.id === model.you?.id);
      if (!found) return undefined;
      const [id, { x, y, phase, wounds, healed }] = found;
      const owned = model.planes?.owner.filter((owner) => owner === id).length ?? 0;
      return { id, x, y, phase, owned, wounds, healed };
    });
  }

  /** Waits until something is so of the own organism. @throws Error with `otherwise` */
  async until(isSo: (own: Own) => boolean, otherwise: string): Promise<Own> {
    for (const end = Date.now() + PATIENCE; Date.now() < end; ) {
      const own = await this.own();
      if (own && isSo(own)) return own;
      await this.page.waitForTimeout(30);
    }
    throw new Error(otherwise);
  }

  /** Taps bare ground until something grows. */
  async plant(): Promise<void> {
    const before = (await this.own())?.id;
    for (let tries = 0; tries < 5; tries++) {
      await this.touch(await this.bareGround());
      const end = Date.now() + 3_000;
      while (Date.now() < end) {
        if ((await this.own())?.id !== before) return;
        await this.page.waitForTimeout(30);
      }
      const said = await this.page.getByTestId('toast').allTextContents();
      this.deadEnds.push(said.join(' ').trim() || 'nothing was said');
    }
    throw new Error(`cannot plant: ${this.deadEnds}`);
  }

  /** Where the visible dish is barest, as far as it can be touched. */
  private async bareGround(): Promise<Point> {
    const half = this.room.species.side / 2;
    const found = await this.page.evaluate((margin) => {
      const shown = document.querySelector('vivarium-room') as unknown as PageElement;
      const { organisms, planes } = shown.model;
      const { owner, width } = planes!;
      const height = owner.length / width;
      let best: { x: number; y: number; distance: number } | undefined;
      for (let y = margin; y <= height - margin; y += 4) {
        for (let x = margin; x <= width - margin; x += 4) {
          if (owner[y * width + x]) continue;
          const at = shown.worldToScreen(x, y);
          if (shown.shadowRoot!.elementFromPoint(at.x, at.y)?.tagName !== 'CANVAS') continue;
          const distance = Math.min(
            40,
            ...[...organisms.values()].map((one) => Math.hypot(one.x - x, one.y - y)),
          );
          if (!best || distance > best.distance) best = { ...at, distance };
        }
      }
      return best;
    }, half);
    if (!found) throw new Error('no bare ground can be touched');
    return found;
  }

  async at(x: number, y: number): Promise<Point> {
    await cameraRests(this.page);
    return screenOf(this.page, x, y);
  }
}

const PATHS: readonly Path[] = [
  {
    name: 'scan → own creature',
    async walk(hand) {
      await hand.plant();
      await hand.until(({ phase }) => phase !== 'growing', 'it did not grow');
    },
  },
  {
    name: 'wound and see it heal',
    async walk(hand) {
      const before = await hand.until(({ phase }) => phase === 'asleep', 'it came to no rest');
      const { x, y, owned, wounds, healed } = before;
      await hand.tap('tool-damage');
      await hand.stroke(await hand.at(x - 12, y), await hand.at(x + 12, y));
      await hand.until((own) => own.wounds > wounds, 'the stroke wounded nothing');
      await hand.until(
        (own) => own.healed > healed || own.owned > 0.97 * owned,
        'the wound did not heal',
      );
    },
  },
  {
    name: 'cross two',
    async walk(hand) {
      const own = (await hand.own())!;
      await hand.tap('tool-look');
      await hand.touch(await hand.at(own.x, own.y));
      await hand.tap('cross-with');
      const other = await otherOf(hand);
      await hand.touch(other);
      await hand.tap('make-seed');
      await hand.plant();
    },
  },
  {
    name: 'draw and plant',
    async walk(hand) {
      await hand.tap('tool-plant');
      await hand.tap('open-draw');
      const box = (await hand.page.getByTestId('pad').boundingBox())!;
      const on = (x: number, y: number): Point => ({
        x: box.x + x * box.width,
        y: box.y + y * box.height,
      });
      for (const y of [0.35, 0.45, 0.55, 0.65]) await hand.stroke(on(0.3, y), on(0.7, y));
      await hand.tap('grow-drawing');
      await hand.page.locator('[data-testid=plant-drawing]:enabled').waitFor({ timeout: PATIENCE });
      await hand.tap('plant-drawing');
      await hand.plant();
    },
  },
  {
    name: 'find mine after a reload',
    async walk(hand) {
      await openRoom(hand.page, hand.page.url());
      await hand.tap('find-mine');
      const seen = async (): Promise<boolean> => {
        const own = await hand.own();
        if (!own) return false;
        const { x, y } = await screenOf(hand.page, own.x, own.y);
        const { width, height } = PHONE.viewport;
        return Math.abs(x - width / 2) < width / 4 && Math.abs(y - height / 2) < height / 4;
      };
      while (!(await seen())) await hand.page.waitForTimeout(30);
    },
  },
  {
    name: 'keep',
    async walk(hand) {
      const own = (await hand.own())!;
      await hand.tap('tool-look');
      await hand.touch(await hand.at(own.x, own.y));
      await hand.tap('keep');
      await hand.page.getByTestId('save-picture').waitFor({ timeout: PATIENCE });
    },
  },
];

/** Where another organism can be touched now. */
async function otherOf(hand: Hand): Promise<Point> {
  await cameraRests(hand.page);
  const found = await hand.page.evaluate(() => {
    const shown = document.querySelector('vivarium-room') as unknown as PageElement;
    const { you, organisms } = shown.model;
    for (const { planter, x, y } of organisms.values()) {
      const at = shown.worldToScreen(x, y);
      const touched = shown.shadowRoot!.elementFromPoint(at.x, at.y);
      if (planter.id !== you.id && touched?.tagName === 'CANVAS') return at;
    }
    return undefined;
  });
  if (found) return found;
  hand.deadEnds.push('nobody to cross with can be touched');
  throw new Error('nobody to cross with can be touched');
}

export async function benchPaths(log: Log) {
  const server: VivariumServer = await startServer(
    {},
    { clientFolder: await ensureClient(() => {}) },
  );
  const browser = await launchBrowser();
  try {
    const room = server.world.rooms.get('garden')!;
    const { width, height } = room.grid;
    const resident = await Visitor.join(server.port, 'garden', 'Ada');
    await plantGarden([resident], RESIDENTS, (i) => [
      Math.round((width * (i + 1)) / (RESIDENTS.length + 1)),
      Math.round(height * (i % 2 ? 0.3 : 0.7)),
    ]);
    const context = await browser
      .newContext({ ...PHONE, locale: 'en-GB', deviceScaleFactor: 2 })
      .then(leaveUnpainted)
      .then(runTranspiled);
    const page = await context.newPage();
    const rows: object[] = [];
    let start = performance.now();
    await openRoom(page, `http://127.0.0.1:${server.port}/r/garden`);
    for (const { name, walk } of PATHS) {
      const hand = new Hand(page, room);
      let failure: string | undefined;
      await walk(hand).catch((error: Error) => {
        failure = error.message.split('\n')[0];
      });
      const seconds = rounded((performance.now() - start) / 1_000);
      const { taps, strokes, deadEnds } = hand;
      rows.push({ name, taps, strokes, seconds, deadEnds, ...(failure && { failure }) });
      log(
        `  ${name}: ${taps} taps, ${strokes} strokes, ${seconds} s; dead ends: ${deadEnds.join('; ') || 'none'}${failure ? `; FAILED: ${failure}` : ''}`,
      );
      for (let i = 0; i < 3; i++) await page.keyboard.press('Escape');
      start = performance.now();
    }
    return { machine: describeMachine(), paths: rows };
  } finally {
    await browser.close();
    await server.close();
  }
}
