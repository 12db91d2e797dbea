/** Pictures of how a run goes: what it shows of its images, samples of the prior, growth, a wound and how it heals. */
import { createRandom } from '../../shared/random.ts';
import type { TrainingConfig } from './config.ts';
import type { Dataset } from './data/dataset.ts';
import { growthSegments, stayingSegments } from './model/segments.ts';
import { drawSheet } from './pictures/sheet.ts';
import { type Tile, tileOfImage, tilesOfStates } from './pictures/tile.ts';
import { sideAt } from './schedule.ts';
import type { Trainer } from './trainer.ts';
import { applyWound, woundMask } from './wounds.ts';

const COLUMNS = 12;
/** Steps after growing, and after a wound, that the strips show. */
const STAYED = [16, 64, 128, 256] as const;
const HEALED = [4, 8, 16, 32, 64] as const;

/**
 * Rows: images; what is grown from them; samples of the prior; one organism growing. Of a rule that is trained to stay
 * also: the grown ones after 256 more steps; the growing one staying; one losing half of itself and healing.
 */
export async function drawProgressSheet(
  whole: TrainingConfig,
  data: Dataset,
  trainer: Trainer,
): Promise<Buffer> {
  // Patches as large as the run has taught by now.
  const side = sideAt(whole, trainer.updates / whole.updates);
  const config = { ...whole, side };
  const { channels, latentSize } = config;
  const { train } = data.splits;
  const random = createRandom(config.seed);
  const images = Uint32Array.from(
    { length: COLUMNS },
    (_, i) => train[Math.floor((i * train.length) / COLUMNS)],
  );
  const means = await trainer.means(images);
  const growth = growthSegments(config, config.segmentSteps);
  const tiles = (states: Float32Array, of = side): Tile[] =>
    tilesOfStates(config, states, of).map((tile) => enlarge(tile, whole.side));
  const grown = await trainer.run(means, growth);
  const stay = async (states: Float32Array, steps: number): Promise<Float32Array> =>
    trainer.run(
      means.subarray(0, (states.length / grown.length) * means.length),
      stayingSegments(config, steps, config.segmentSteps),
      states,
    );
  const drawn = Float32Array.from({ length: COLUMNS * latentSize }, () => random.normal());
  const samples = await trainer.run(drawn, growth);

  const one = means.subarray(0, latentSize);
  const strip: Tile[] = [];
  let states: Float32Array | undefined;
  for (const segment of growth) {
    states = await trainer.run(one, [segment], states);
    strip.push(...tiles(states, segment.stage));
  }
  const shown = Array.from(images, (i) => tileOfImage(data.pixels, data.side, data.channels, i));
  const rows = [shown, tiles(grown), tiles(samples), strip];
  // Steps that a rule was never trained for show nothing, and a large one takes minutes for them.
  if (staysOn(config)) {
    let at = 0;
    for (const until of STAYED) {
      states = await stay(states!, until - at);
      at = until;
      strip.push(...tiles(states));
    }
    const wounded = grown.slice(0, side * side * channels);
    const healing = tiles(wounded);
    applyWound(wounded, woundMask(random, side, 'half', 0.5), channels);
    healing.push(...tiles(wounded));
    let healed: Float32Array = wounded;
    at = 0;
    for (const until of HEALED) {
      healed = await stay(healed, until - at);
      at = until;
      healing.push(...tiles(healed));
    }
    rows.splice(2, 0, tiles(await stay(grown, STAYED[STAYED.length - 1])));
    rows.push(healing);
  }
  return drawSheet(
    rows.map((row) => row.slice(0, COLUMNS)),
    { scale: 3 },
  );
}

/** Whether training goes on after growing. */
function staysOn({ pool, extraSteps }: TrainingConfig): boolean {
  const last = 'to' in extraSteps ? extraSteps.to[1] : extraSteps[1];
  return pool !== undefined || last > 0;
}

/** A young patch, or one of a run's beginning, at the size of a grown one. */
function enlarge(tile: Tile, side: number): Tile {
  if (tile.side === side) return tile;
  const rgba = new Uint8ClampedArray(4 * side * side);
  const factor = side / tile.side;
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const from = 4 * (Math.floor(y / factor) * tile.side + Math.floor(x / factor));
      rgba.set(tile.rgba.subarray(from, from + 4), 4 * (y * side + x));
    }
  }
  return { side, rgba };
}
