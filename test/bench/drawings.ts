/**
 * Measures how well visitors' drawings grow, and how long visitors wait for the first picture.
 * Twenty drawings in three styles are replayed on a phone's page one after another, then ten of
 * them at the same time on ten pages from ten addresses. Server and pages share the processors, so
 * the load of the machine limits how far a drawing is refined.
 */
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { ensureClient } from '../../server/http/serve-client.ts';
import type { RoomServer } from '../../server/realtime/room-server.ts';
import { SettingsError } from '../../server/settings/command-line.ts';
import { meanSquare } from '../../server/training/pictures/sheet.ts';
import { loadCheckpoint } from '../../server/vnca/checkpoint.ts';
import { createEncoder } from '../../server/vnca/encoder.ts';
import { mean, rounded, spreadOf } from '../load/figures.ts';
import { launchBrowser, leaveUnpainted, runTranspiled } from '../support/browser.ts';
import { DRAWINGS, growPictures, Pad, type VisitorDrawing } from '../support/drawings.ts';
import { withAddresses } from '../support/fault-proxy.ts';
import { CHECKPOINT_FOLDER } from '../support/organisms.ts';
import { openRoom } from '../support/page.ts';
import { PHONE } from '../support/screens.ts';
import { startServer } from '../support/server.ts';
import { type BenchOptions, describeMachine, type Log } from './options.ts';

/** Number of drawings made at the same time. */
const AT_ONCE = 10;
/** Number of steps for which a grown organism must hold, and its largest mean squared change. */
const HELD = { steps: 100, change: 0.01 };
const PATH = '/r/garden';

/** A drawing as the server received it. */
interface ReceivedDrawing {
  /** [side, side, 4] premultiplied RGBA, 0…255: scaled and centred by the page. */
  readonly pixels: Uint8Array;
  /** [Z]: refined within bounds or, if time was short, as encoded, perhaps out of bounds. */
  readonly latent: Float32Array;
}

/** A drawing that grows. */
interface GrowingDrawing extends ReceivedDrawing {
  /** From "Let it grow" to the first preview picture on the page, ms. */
  readonly ms: number;
}

/** A phone without animations, because the processor that paints them also runs the server. */
const SCREEN: BrowserContextOptions = { ...PHONE, reducedMotion: 'reduce' };
/** Time in which ten pages learn when to press, in ms. */
const NOTICE = 2_000;

/** @throws CheckpointError; SettingsError: the checkpoint reads no drawings in colour */
export async function benchDrawings(
  _: Log,
  { checkpoint: folder = CHECKPOINT_FOLDER }: BenchOptions = {},
) {
  const checkpoint = await loadCheckpoint(folder);
  if (createEncoder(checkpoint)?.channels !== 4) {
    throw new SettingsError(
      `The checkpoint ${folder} cannot read drawings in colour. Choose another checkpoint with --checkpoint.`,
    );
  }
  const { alone, received, atOnce } = await drawAll(folder);
  const pictures = await growPictures(
    checkpoint,
    received.map(({ latent }) => latent),
    HELD.steps,
  );
  const errors = received.map(({ pixels }, i) => meanSquare(pixels, pictures[i].grown));
  const restErrors = received.map(({ pixels }, i) => meanSquare(pixels, pictures[i].later));
  const drawings = alone.map(({ ms }, i) => ({
    name: DRAWINGS[i].name,
    style: DRAWINGS[i].style,
    /**
     * Mean squared difference between the drawing and the grown picture, premultiplied RGBA, 0…1.
     */
    error: rounded(errors[i]),
    ms: rounded(ms),
    held: meanSquare(pictures[i].grown, pictures[i].later) < HELD.change,
  }));
  return {
    machine: describeMachine(),
    checkpoint: checkpoint.card.name,
    drawings,
    error: rounded(mean(errors.slice(0, alone.length))),
    /**
     * Mean error after `HELD.steps` more steps, at rest, as visitors see the organism from then on.
     */
    restError: rounded(mean(restErrors.slice(0, alone.length))),
    held: drawings.filter(({ held }) => held).length,
    /** From "Let it grow" to the first preview picture, ms. */
    alone: spreadOf(alone.map(({ ms }) => ms)),
    /** Ten drawings at the same time: ms until each page shows its first picture; mean errors. */
    atOnce: {
      ms: atOnce.map(rounded),
      error: rounded(mean(errors.slice(alone.length))),
      restError: rounded(mean(restErrors.slice(alone.length))),
    },
  };
}

/**
 * Makes all drawings.
 *
 * @returns `received`: those alone, then those at once, in the order in which they were refined
 */
async function drawAll(folder: string) {
  const clientFolder = await ensureClient(() => {});
  const server = await startServer({ checkpoint: folder, energy: 'off' }, { clientFolder });
  try {
    const { port } = server;
    const received = hearDrawings(server.roomServers.get('garden')!);
    const browser = await launchBrowser();
    try {
      const alone = await drawInTurn(
        browser,
        `http://127.0.0.1:${port}${PATH}`,
        DRAWINGS,
        received,
      );
      const atOnce = await drawAtOnce(browser, port, DRAWINGS.slice(0, AT_ONCE));
      return { alone, received, atOnce };
    } finally {
      await browser.close();
    }
  } finally {
    await server.close();
  }
}

/** Listens to a room's drawings. @returns those received from now on, in order */
function hearDrawings({ drawings }: RoomServer): ReceivedDrawing[] {
  const received: ReceivedDrawing[] = [];
  const submit = drawings.submit.bind(drawings);
  drawings.submit = (drawing) => {
    const { pixels, latent } = drawing;
    received.push({ pixels: pixels.slice(), latent: latent.slice() });
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
async function drawInTurn(
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
 * at the same moment.
 *
 * @returns ms until each page shows its first preview picture, in the order of the drawings
 * @throws Error a page has heard too late when to press; a drawing was refused
 */
function drawAtOnce(
  browser: Browser,
  port: number,
  drawings: readonly VisitorDrawing[],
): Promise<number[]> {
  return withAddresses(port, drawings.length, async (ports) => {
    const pads: Pad[] = [];
    for (const [i, drawing] of drawings.entries()) {
      const pad = await openPad(browser, `http://127.0.0.1:${ports[i]}${PATH}`);
      await pad.draw(drawing);
      pads.push(pad);
    }
    const at = Date.now() + NOTICE;
    const shown = await Promise.all(pads.map((pad) => pad.growAt(at)));
    for (const { page } of pads) await page.context().close();
    return shown;
  });
}

async function openPad(browser: Browser, url: string): Promise<Pad> {
  const context = await browser.newContext(SCREEN).then(leaveUnpainted).then(runTranspiled);
  const page = await context.newPage();
  await openRoom(page, url);
  return Pad.open(page);
}
