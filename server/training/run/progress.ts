/** Reports the progress of a run, as lines of text and as picture sheets. */
import { createRandom } from '../../../shared/random.ts';
import type { ComputeName } from '../../autodiff/compute.ts';
import { stepsUntilOpen } from '../../world/closing.ts';
import type { TrainingConfig } from '../config.ts';
import type { Dataset } from '../data/dataset.ts';
import { growthSegments, stayingSegments } from '../model/segments.ts';
import { drawSheet, enlarged, type Tile, tileOfImage, tilesOfStates } from '../pictures/sheet.ts';
import { stepsLeft } from '../rollout/patients.ts';
import { sideAt } from '../rollout/rollout-plan.ts';
import { applyWound, woundMask } from '../rollout/wounds.ts';
import { duration } from '../terminal.ts';
import { evenly } from './run-state.ts';
import type { Trainer, UpdateReport } from './trainer.ts';

/** Minimum time between two lines, in seconds. */
const INTERVAL = 10;

/** Averages a figure over the updates that have it. Returns NaN if no update has it. */
type Mean<Report> = (pick: (report: Report) => number | undefined) => number;

/**
 * Starts to measure the progress of a run, from the current time on.
 *
 * @param of.updates number of updates of the whole run
 * @param of.done number of updates done before
 * @param of.now returns the time, in ms
 * @param of.say prints a line
 * @param describe formats the figures of the updates since the last line
 * @returns a function that receives every update and prints a line from time to time
 */
export function createProgress<Report extends { readonly update: number }>(
  of: {
    readonly updates: number;
    readonly done: number;
    readonly now: () => number;
    readonly say: (line: string) => void;
    readonly backend: ComputeName;
  },
  describe: (mean: Mean<Report>) => string,
) {
  const { updates, done, now, say, backend } = of;
  const started = now();
  let lastLine = started;
  let window: Report[] = [];
  return (report: Report): void => {
    window.push(report);
    const time = now();
    const { update } = report;
    // Always report the first update, which shows that training works and how long an update takes.
    const isEdge = update === done + 1 || update === updates;
    if (time - lastLine < INTERVAL * 1000 && !isEdge) return;
    const rate = window.length / ((time - lastLine) / 1000);
    const left = ((updates - update) * (time - started)) / 1000 / (update - done);
    const figures = describe((pick) => {
      const numbers = window.map(pick).filter((x) => x !== undefined);
      return numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
    });
    const speed = `${rate.toPrecision(3)} updates/s on ${backend}`;
    say(`${update}/${updates} · ${speed} · ${duration(left)} left · ${figures}`);
    window = [];
    lastLine = time;
  };
}

/** Describes updates of a rule, for `createProgress`. */
export function describeUpdates(mean: Mean<UpdateReport>): string {
  const [pooled, patients] = [mean((x) => x.pooled), mean((x) => x.patients)];
  const [reconstruction, divergence] = [mean((x) => x.reconstruction), mean((x) => x.divergence)];
  return [
    `ELBO ${(-reconstruction - divergence).toFixed(1)}`,
    `reconstruction ${reconstruction.toFixed(1)}`,
    `KL ${divergence.toFixed(1)}`,
    !Number.isNaN(pooled) && `pool ${pooled.toFixed(1)} (age ${mean((x) => x.age).toFixed(0)})`,
    !Number.isNaN(patients) && `patients ${patients.toFixed(1)}`,
    `gradient ${mean((x) => x.gradientNorm).toPrecision(2)}`,
  ]
    .filter(Boolean)
    .join(' · ');
}

/** Maximum number of tiles per row. */
const COLUMNS = 12;
/** Numbers of steps after growth, and after damage, shown in the strips. */
const STAYED = [16, 64, 128, 256] as const;
const HEALED = [4, 8, 16, 32, 64] as const;

/**
 * Draws a picture sheet. Its rows are: images; organisms grown from the images; samples of the
 * prior; one organism as it grows. If training includes steps after growth, the sheet also shows:
 * the grown organisms after 256 more steps; the growing organism in later steps; and an organism
 * that loses half of its cells and heals. It heals from the rim if the rule is trained that way.
 *
 * @returns a PNG file
 */
export async function drawProgressSheet(
  whole: TrainingConfig,
  data: Dataset,
  trainer: Trainer,
): Promise<Buffer> {
  // Draw at the side that the curriculum has reached.
  const side = sideAt(whole, trainer.progress);
  const config = { ...whole, side };
  const { channels, latentSize } = config;
  const { train } = data.splits;
  const random = createRandom(config.seed);
  const images = Uint32Array.from(evenly(train.length, COLUMNS), (at) => train[at]);
  const means = await trainer.means(images);
  const growth = growthSegments(config, config.segmentSteps);
  const tiles = (states: Float32Array, of = side): Tile[] =>
    tilesOfStates(config, states, of).map((tile) => enlarged(tile, whole.side));
  const grown = await trainer.run(means, growth);
  /** Runs the first grown organisms further. @param closed number of steps until each cell opens */
  const stay = (states: Float32Array, steps: number, closed?: Uint8Array): Promise<Float32Array> =>
    trainer.run(
      means.subarray(0, (states.length / grown.length) * means.length),
      stayingSegments(config, steps, config.segmentSteps).map((segment) =>
        closed ? { ...segment, rim: true } : segment,
      ),
      states,
      closed,
    );
  /** Draws tiles of the states after each number of further steps. */
  const stayStrip = async (
    states: Float32Array,
    marks: readonly number[],
    closed?: Uint8Array,
  ): Promise<Tile[]> => {
    const strip: Tile[] = [];
    let [current, before] = [states, 0];
    for (const mark of marks) {
      current = await stay(current, mark - before, closed && stepsLeft(closed, before));
      strip.push(...tiles(current));
      before = mark;
    }
    return strip;
  };
  const samples = await trainer.run(random.latent(COLUMNS * latentSize), growth);

  const one = means.subarray(0, latentSize);
  const strip: Tile[] = [];
  let states: Float32Array | undefined;
  for (const segment of growth) {
    states = await trainer.run(one, [segment], states);
    strip.push(...tiles(states, segment.stage));
  }
  const shown = Array.from(images, (i) => tileOfImage(data.pixels, data.side, data.channels, i));
  const rows = [shown, tiles(grown), tiles(samples), strip];
  // Skip steps that the rule was not trained for, because their pictures would say nothing and take
  // minutes with a large rule.
  if (isTrainedToStay(config)) {
    strip.push(...(await stayStrip(states!, STAYED)));
    const wounded = grown.slice(0, side * side * channels);
    const healing = tiles(wounded);
    const lives = woundMask(random, side, 'half', 0.5);
    applyWound(wounded, lives, channels);
    const isClosed = lives.map((is) => 1 - is);
    const { closing: reach } = config;
    const closed = reach ? stepsUntilOpen({ isClosed, lives, width: side, reach }) : undefined;
    healing.push(...tiles(wounded), ...(await stayStrip(wounded, HEALED, closed)));
    rows.splice(2, 0, tiles(await stay(grown, STAYED[STAYED.length - 1])));
    rows.push(healing);
  }
  return drawSheet(rows.map((row) => row.slice(0, COLUMNS)));
}

/** Whether training includes steps after growth. */
function isTrainedToStay({ pool, extraSteps }: TrainingConfig): boolean {
  const last = 'to' in extraSteps ? extraSteps.to[1] : extraSteps[1];
  return pool !== undefined || last > 0;
}
