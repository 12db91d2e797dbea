/** Sound and touch of the page: off until the visitor turns them on. */
import type { RoomModel } from '../net/room-model.ts';
import { deviceHaptics, type Haptics } from './haptics.ts';
import type { Sound } from './sound.ts';

/** Cells in one piece of a stroke that feel like as much as can be felt. */
const MUCH = 40;

export class Feedback {
  /** No shaking (prefers-reduced-motion). */
  calm = false;
  private context: AudioContext | undefined;
  private sound: Sound | undefined;
  private haptics: Haptics | undefined;
  private cutting = false;
  private hidden = false;

  /** @param model whose life is heard, as far as it is the visitor's own */
  constructor(model: RoomModel) {
    model.on('life', ({ event, organism }) => {
      // What was not heard then must not all be heard when the page is back.
      if (!this.isOn || this.hidden || organism.planter.id !== model.you?.id) return;
      if (event.what === 'divided') this.sound?.divided(Math.round(Math.log2(event.stage / 2)));
      if (event.what === 'born') this.planted();
      if (event.what === 'healed') {
        this.sound?.healed();
        this.hand?.healed();
      }
    });
  }

  get isOn(): boolean {
    return this.context !== undefined;
  }

  /** To be called while a button is pressed: browsers let pages sound only then. */
  turnOn(): void {
    if (this.context || typeof AudioContext === 'undefined') return;
    const context = new AudioContext();
    this.context = context;
    this.haptics = deviceHaptics();
    this.hand?.planted();
    context.resume().catch(() => undefined);
    import('./sound.ts').then(
      (module) => {
        if (this.context !== context) return;
        this.sound = new module.Sound(context, Math.random);
        this.sound.planted();
      },
      // Without its program there is no sound; all else works.
      () => undefined,
    );
  }

  turnOff(): void {
    this.context?.close().catch(() => undefined);
    this.context = this.sound = this.haptics = undefined;
  }

  /** The page is not seen: it is not heard either. */
  hide(hidden: boolean): void {
    this.hidden = hidden;
    const { context } = this;
    (hidden ? context?.suspend() : context?.resume())?.catch(() => undefined);
  }

  /**
   * The blade goes on.
   *
   * @param cells of flesh that it takes
   * @param radius of the blade, cells
   */
  cut(cells: number, radius: number, now: number): void {
    if (cells === 0) {
      this.cutting = false;
      return;
    }
    const strength = Math.min(1, cells / MUCH);
    if (!this.cutting) this.sound?.touch();
    this.cutting = true;
    this.sound?.cut(strength, radius);
    this.hand?.cut(strength, now);
  }

  refused(): void {
    this.sound?.refused();
    this.hand?.refused();
  }

  private planted(): void {
    this.sound?.planted();
    this.hand?.planted();
  }

  private get hand(): Haptics | undefined {
    return this.calm ? undefined : this.haptics;
  }
}
