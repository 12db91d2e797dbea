/** A finger on the drawing pad of a phone's page. */
import type { ElementHandle, Page } from 'playwright-core';
import type { Colour, Width } from '../../client/visitor/drawing/drawing.ts';
import type { DrawnLine, VisitorDrawing } from './drawings.ts';
import { touch } from './fingers.ts';

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
    const box = (await page.getByTestId('pad').boundingBox())!;
    const way = points.map(([x, y]) => ({ x: box.x + x * box.width, y: box.y + y * box.height }));
    await touch(page, [way], { isHasty: true });
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
