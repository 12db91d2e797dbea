/** Drawings that are made on phones' pages, and what the server receives of them. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { RoomServer } from '../../server/realtime/room-server.ts';
import { withAddresses } from '../support/address-relay.ts';
import type { VisitorDrawing } from '../support/drawings.ts';
import { Pad } from '../support/pad.ts';
import { openRoom } from '../support/page.ts';
import { PHONE } from '../support/screens.ts';
import { runTranspiled } from '../support/transpiled.ts';
import { leaveUnpainted } from '../support/unpainted.ts';

/** A drawing as the server received it. */
export interface ReceivedDrawing {
  /** [side, side, 4] premultiplied RGBA, 0…255: scaled and centred by the page. */
  readonly pixels: Uint8Array;
  /** [Z], as refined, within bounds; as encoded where time was short, perhaps beyond them. */
  readonly latent: Float32Array;
  /** When its latent was done, ms since the epoch. */
  readonly refinedAt: number;
}

/** A drawing that grows. */
export interface GrowingDrawing extends ReceivedDrawing {
  /** From "Let it grow" to the first preview picture on the page, ms. */
  readonly ms: number;
}

/** How long drawings take that are made in the same moment, each in ms from then on. */
export interface TimesAtOnce {
  /** Until each page shows its first preview picture, ms, in the order of the drawings. */
  readonly shown: readonly number[];
  /** Until each latent is refined, ms, the earliest first. */
  readonly refined: readonly number[];
}

/** A phone. What moves would be painted by the processor that the server shares. */
const SCREEN: BrowserContextOptions = { ...PHONE, reducedMotion: 'reduce' };
/** Until ten pages have heard when to press, ms. */
const NOTICE = 2_000;

/** Listens to a room's drawings. @returns those received from now on, in order */
export function hearDrawings({ drawings }: RoomServer): ReceivedDrawing[] {
  const received: ReceivedDrawing[] = [];
  const submit = drawings.submit.bind(drawings);
  drawings.submit = (drawing) => {
    const { pixels, latent } = drawing;
    received.push({ pixels: pixels.slice(), latent: latent.slice(), refinedAt: Date.now() });
    return submit(drawing);
  };
  return received;
}

/**
 * One visitor makes drawings, one after another.
 *
 * @param url of the room's page
 * @param received what the room receives
 */
export async function drawInTurn(
  browser: Browser,
  url: string,
  drawings: readonly VisitorDrawing[],
  received: readonly ReceivedDrawing[],
): Promise<GrowingDrawing[]> {
  const pad = await openPad(browser, url);
  const growing: GrowingDrawing[] = [];
  for (const drawing of drawings) {
    await pad.draw(drawing);
    const ms = await pad.grow();
    growing.push({ ...received.at(-1)!, ms });
    await pad.clear();
  }
  await pad.page.context().close();
  return growing;
}

/**
 * As many visitors as drawings, each with a page and an address of their own, press "Let it grow"
 * in the same moment.
 *
 * @param port of the server
 * @param path of the room's page
 * @param received what the room receives
 * @throws Error a page has heard too late when to press; a drawing was refused
 */
export async function drawAtOnce(
  browser: Browser,
  port: number,
  path: string,
  {
    drawings,
    received,
  }: {
    readonly drawings: readonly VisitorDrawing[];
    readonly received: readonly ReceivedDrawing[];
  },
): Promise<TimesAtOnce> {
  return withAddresses(port, drawings.length, async (ports) => {
    const pads: Pad[] = [];
    for (const [i, drawing] of drawings.entries()) {
      const pad = await openPad(browser, `http://127.0.0.1:${ports[i]}${path}`);
      await pad.draw(drawing);
      pads.push(pad);
    }
    const at = Date.now() + NOTICE;
    const shown = await Promise.all(pads.map((pad) => pad.growAt(at)));
    for (const { page } of pads) await page.context().close();
    const refined = received.slice(-drawings.length).map(({ refinedAt }) => refinedAt - at);
    return { shown, refined };
  });
}

async function openPad(browser: Browser, url: string): Promise<Pad> {
  const context = await browser.newContext(SCREEN).then(leaveUnpainted).then(runTranspiled);
  const page: Page = await context.newPage();
  await openRoom(page, url);
  return Pad.open(page);
}
