/** Drawings that are made on phones' pages, and what the server receives of them. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { RoomServer } from '../../server/realtime/room-server.ts';
import { openAddressRelay } from '../support/address-relay.ts';
import type { VisitorDrawing } from '../support/drawings.ts';
import { Pad } from '../support/pad.ts';
import { openRoom } from '../support/page.ts';
import { PHONE } from '../support/screens.ts';
import { leaveUnpainted } from '../support/unpainted.ts';

/** A drawing as the server received it. */
export interface ReceivedDrawing {
  /** [side, side, 4] premultiplied RGBA, 0…255: scaled and centred by the page. */
  readonly pixels: Uint8Array;
  /** [Z], as refined and not yet brought within bounds. */
  readonly latent: Float32Array;
  /** When it was refined, ms since the epoch. */
  readonly refinedAt: number;
}

/** A drawing that grows. */
export interface GrowingDrawing extends ReceivedDrawing {
  /** From "Let it grow" to the first preview picture on the page, ms. */
  readonly ms: number;
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
 * @returns ms until the first preview picture is on each page, and until each latent is refined
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
): Promise<{ shown: number[]; refined: number[] }> {
  const relays = await Promise.all(
    drawings.map((_, i) => openAddressRelay(port, `127.0.1.${i + 1}`)),
  );
  try {
    const pads: Pad[] = [];
    for (const [i, drawing] of drawings.entries()) {
      const pad = await openPad(browser, `http://127.0.0.1:${relays[i].port}${path}`);
      await pad.draw(drawing);
      pads.push(pad);
    }
    const at = Date.now() + NOTICE;
    const shown = await Promise.all(pads.map((pad) => pad.growAt(at)));
    for (const { page } of pads) await page.context().close();
    const refined = received.slice(-drawings.length).map(({ refinedAt }) => refinedAt - at);
    return { shown, refined };
  } finally {
    for (const relay of relays) relay.close();
  }
}

async function openPad(browser: Browser, url: string): Promise<Pad> {
  const context = await leaveUnpainted(await browser.newContext(SCREEN));
  // The transpiler wraps functions that scripts of the page define in a helper of its own.
  await context.addInitScript('globalThis.__name = (named) => named');
  const page: Page = await context.newPage();
  await openRoom(page, url);
  return Pad.open(page);
}
