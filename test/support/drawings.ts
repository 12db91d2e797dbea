/** Drawings as visitors make them: their lines, a finger that draws them on the pad, and what grows from them. */
import { readFileSync } from 'node:fs';
import type { ElementHandle, Page } from 'playwright-core';
import type { Colour, Width } from '../../client/visitor/drawing/drawing.ts';
import { createEngine } from '../../server/engine/create-engine.ts';
import type { Readout } from '../../server/engine/engine.ts';
import { speciesOf } from '../../server/rooms/loaded-checkpoint.ts';
import { shownCells } from '../../server/training/gallery/draw-gallery.ts';
import type { Checkpoint } from '../../server/vnca/checkpoint.ts';
import { bounded } from '../../server/vnca/genome.ts';
import { growthStep } from '../../server/world/species.ts';
import { padPoints, touch } from './page.ts';

/** A line that is drawn without lifting the finger. */
export interface DrawnLine {
  readonly colour: Colour;
  readonly width: Width;
  /** [x, y], shares (0…1) of the pad's side. */
  readonly points: readonly (readonly [number, number])[];
}

/** A drawing as its lines, in the order in which they are drawn. */
export interface VisitorDrawing {
  readonly name: string;
  /** How it is drawn: by a child of five, by an illustrator, or in haste. */
  readonly style: 'child' | 'illustrator' | 'hasty';
  readonly lines: readonly DrawnLine[];
}

/** All drawings; the styles take turns. */
export const DRAWINGS: readonly VisitorDrawing[] = (
  JSON.parse(readFileSync(new URL('../fixtures/drawings.json', import.meta.url), 'utf8')) as {
    readonly drawings: readonly VisitorDrawing[];
  }
).drawings;

/** The pad of one page, open. */
export class Pad {
  private colour: Colour | undefined;
  private width: Width | undefined;

  private constructor(
    readonly page: Page,
    private readonly element: ElementHandle<Element>,
  ) {}

  /** Opens the pad of a page that is in a room. */
  static async open(page: Page): Promise<Pad> {
    await page.getByTestId('open-draw').click();
    await page.getByTestId('pad').waitFor();
    const element = (await page.locator('draw-pad').elementHandle())!;
    return new Pad(page, element);
  }

  /** Draws line by line, on what is there. */
  async draw({ lines }: VisitorDrawing): Promise<void> {
    for (const line of lines) await this.line(line);
  }

  /**
   * Presses "Let it grow".
   *
   * @returns ms from the press until the page shows the first preview picture of what grows
   * @throws Error the drawing was refused, and how the page says so
   */
  async grow(): Promise<number> {
    const shown = this.shown();
    await this.page.getByTestId('grow-drawing').click();
    return shown;
  }

  /**
   * The same at an appointed time, so that several pages press in the same moment: by a script,
   * since taps of one driver come one after another.
   *
   * @param at ms since the epoch
   * @returns ms from then on
   * @throws Error the page has heard of it only after that time; the drawing was refused
   */
  growAt(at: number): Promise<number> {
    return this.shown(at);
  }

  /** Back from what grows to an empty pad. */
  async clear(): Promise<void> {
    await this.page.getByTestId('try-again').click();
    await this.page.getByTestId('clear').click();
  }

  private async line({ colour, width, points }: DrawnLine): Promise<void> {
    const { page } = this;
    // Browsers take no tap that comes right after a stroke; a mouse need not wait.
    if (colour !== this.colour) await page.getByTestId(`colour-${colour}`).click();
    if (width !== this.width) await page.getByTestId(`width-${width}`).click();
    this.colour = colour;
    this.width = width;
    await touch(page, await padPoints(page, [points]), { isHasty: true });
  }

  /** @param at when a script presses, ms since the epoch; absent: whenever somebody presses */
  private shown(at?: number): Promise<number> {
    return this.element.evaluate((pad, appointed) => {
      const own = pad.shadowRoot!;
      const button = own.querySelector<HTMLElement>('[data-testid=grow-drawing]')!;
      const nextFrame = () => new Promise(requestAnimationFrame);
      const untilShown = async (start: number): Promise<number> => {
        for (;;) {
          const film = own.querySelector('seed-film')?.shadowRoot?.querySelector('.film');
          if (film instanceof HTMLElement) {
            const picture = new Image();
            picture.src = film.style.backgroundImage.slice(5, -2);
            await picture.decode();
            await nextFrame();
            return performance.now() - start;
          }
          const refusal = own.querySelector('.refusal')!.textContent!.trim();
          if (refusal) throw new Error(`a drawing was refused: ${refusal}`);
          await nextFrame();
        }
      };
      return new Promise<number>((resolve, reject) => {
        const watch = (start: number) => void untilShown(start).then(resolve, reject);
        if (appointed === undefined) {
          button.addEventListener('click', ({ timeStamp }) => watch(timeStamp), { once: true });
          return;
        }
        const start = appointed - performance.timeOrigin;
        const late = performance.now() - start;
        if (late > 0) {
          reject(new Error(`a page heard ${Math.ceil(late)} ms too late when to press`));
          return;
        }
        const press = () => {
          button.click();
          watch(start);
        };
        setTimeout(press, start - performance.now());
      });
    }, at);
  }
}

/** Pictures of one organism, [side, side, 4] premultiplied RGBA, 0…255. */
export interface GrownPictures {
  readonly grown: Uint8Array;
  /** After more steps. */
  readonly later: Uint8Array;
}

/**
 * Grows latents, within the checkpoint's bounds as seeds in a hand are.
 *
 * @param latents [Z] each
 * @param more steps after the last of growth
 */
export async function growPictures(
  checkpoint: Checkpoint,
  latents: readonly Float32Array[],
  more: number,
): Promise<GrownPictures[]> {
  const species = speciesOf(checkpoint);
  const engine = await createEngine({ checkpoints: [checkpoint] });
  try {
    await engine.plant(
      latents.map((latent, patch) => ({
        ...{ patch, checkpoint: species.checkpoint },
        latent: bounded(latent, species.latentBounds),
      })),
    );
    /** Steps all organisms from one age to another. */
    const pictures = async (from: number, to: number): Promise<Uint8Array[]> => {
      let readouts: readonly Readout[] = [];
      for (let age = from; age < to; age++) {
        const { divide } = growthStep(species, age);
        readouts = await engine.step(latents.map((_, patch) => ({ patch, divide })));
      }
      return readouts.map((readout) => shownCells(readout, checkpoint.card.presence));
    };
    const steps = species.schedule.length;
    const grown = await pictures(0, steps);
    const later = await pictures(steps, steps + more);
    return grown.map((picture, i) => ({ grown: picture, later: later[i] }));
  } finally {
    await engine.close();
  }
}
