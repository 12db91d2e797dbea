/**
 * How well drawings grow that visitors make on the pad, and how long they wait for the first
 * picture: twenty in three styles, replayed by a finger on a phone's page one after another, then
 * ten of them at once on ten pages from ten addresses. Server, pages and whatever else runs share the processors, and how far a drawing is
 * refined depends on what they leave.
 */
import { ensureClient } from '../../server/http/client-build.ts';
import { SettingsError } from '../../server/settings/command.ts';
import { meanSquare } from '../../server/training/pictures/sheet.ts';
import { loadCheckpoint } from '../../server/vnca/checkpoint.ts';
import { createEncoder } from '../../server/vnca/encoder.ts';
import { mean, rounded, spreadOf } from '../load/figures.ts';
import { launchBrowser } from '../support/browser.ts';
import { DRAWINGS } from '../support/drawings.ts';
import { growPictures } from '../support/grown-pictures.ts';
import { CHECKPOINT_FOLDER } from '../support/organisms.ts';
import { startServer } from '../support/server.ts';
import {
  drawAtOnce,
  drawInTurn,
  type GrowingDrawing,
  hearDrawings,
  type ReceivedDrawing,
  type TimesAtOnce,
} from './drawing-pages.ts';
import { describeMachine } from './machine.ts';
import type { BenchOptions, Log } from './options.ts';

/** Mean squared error; ms of the slowest drawing, alone and at once. */
const GOALS = { error: 0.008, alone: 2_000, atOnce: 5_000 };
/** Drawings made at once. */
const AT_ONCE = 10;
/** Steps for which a grown organism has to hold, and how far it may change, mean squared. */
const HELD = { steps: 100, change: 0.01 };
const PATH = '/r/garden';

/** @throws CheckpointError; SettingsError: the checkpoint reads no drawings in colour */
export async function benchDrawings(
  log: Log,
  { checkpoint: folder = CHECKPOINT_FOLDER }: BenchOptions = {},
) {
  const checkpoint = await loadCheckpoint(folder);
  if (createEncoder(checkpoint)?.channels !== 4) {
    throw new SettingsError(`${folder} reads no drawings in colour.`);
  }
  const { alone, received, atOnce } = await drawAll(folder);
  const pictures = await growPictures(
    checkpoint,
    received.map(({ latent }) => latent),
    HELD.steps,
  );
  const errors = received.map(({ pixels }, i) => meanSquare(pixels, pictures[i].grown));
  const restErrors = received.map(({ pixels }, i) => meanSquare(pixels, pictures[i].later));
  const drawings = alone.map(({ ms, latent }, i) => ({
    name: DRAWINGS[i].name,
    style: DRAWINGS[i].style,
    /** Mean squared difference of what was sent and what grows, premultiplied RGBA, 0…1. */
    error: rounded(errors[i]),
    ms: rounded(ms),
    held: meanSquare(pictures[i].grown, pictures[i].later) < HELD.change,
    /** Euclidean length of the latent; one that is not refined may be out of bounds. */
    length: rounded(Math.hypot(...latent)),
  }));
  for (const { name, style, error, ms, held, length } of drawings) {
    log(
      `  ${name} (${style}): error ${error}, ${ms} ms, latent of length ${length}, ${held ? 'holds' : 'DOES NOT HOLD'}`,
    );
  }
  const figures = {
    machine: describeMachine(),
    checkpoint: checkpoint.card.name,
    drawings,
    error: rounded(mean(errors.slice(0, alone.length))),
    /** The same after `HELD.steps` more steps, at rest, as visitors see it from then on. */
    restError: rounded(mean(restErrors.slice(0, alone.length))),
    held: drawings.filter(({ held }) => held).length,
    /** From "Let it grow" to the first preview picture, ms. */
    alone: spreadOf(alone.map(({ ms }) => ms)),
    /** The same, as each page shows it; until each is refined, in order; mean errors. */
    atOnce: {
      ms: atOnce.shown.map(rounded),
      refined: atOnce.refined,
      error: rounded(mean(errors.slice(alone.length))),
      restError: rounded(mean(restErrors.slice(alone.length))),
    },
  };
  const slowest = Math.max(...atOnce.shown);
  log(
    `mean error ${figures.error}, at rest ${figures.restError}; ${figures.held} of ${drawings.length} hold; first picture after ${figures.alone.p50} ms p50, ${figures.alone.max} at most`,
  );
  log(
    `${AT_ONCE} at once: first pictures after ${figures.atOnce.ms.join(', ')} ms, refined after ${atOnce.refined.join(', ')} ms; mean error ${figures.atOnce.error}, at rest ${figures.atOnce.restError}`,
  );
  const met =
    figures.error <= GOALS.error && figures.alone.max <= GOALS.alone && slowest <= GOALS.atOnce;
  log(
    `goal (mean error ${GOALS.error}; ${GOALS.alone} ms alone, ${GOALS.atOnce} ms at once): ${met ? 'met' : 'missed'}`,
  );
  return { ...figures, met };
}

/**
 * Makes all drawings.
 *
 * @returns `received`: those alone, then those at once, in the order in which they were refined
 */
async function drawAll(folder: string): Promise<{
  alone: GrowingDrawing[];
  received: ReceivedDrawing[];
  atOnce: TimesAtOnce;
}> {
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
      const atOnce = await drawAtOnce(browser, port, PATH, {
        drawings: DRAWINGS.slice(0, AT_ONCE),
        received,
      });
      return { alone, received, atOnce };
    } finally {
      await browser.close();
    }
  } finally {
    await server.close();
  }
}
