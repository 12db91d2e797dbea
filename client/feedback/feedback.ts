/** Sound and vibration of the page; off until the visitor turns them on. */
import type { LifeEvent } from '../../shared/vocabulary.ts';
import type { RoomModel } from '../room/room-model.ts';
import type { Sound } from './sound.ts';

/** Least time between two vibrations, ms; motors cannot follow faster ones. */
const MIN_INTERVAL = 45;

/** Durations, or alternating durations and pauses, ms. */
const PATTERNS = {
  ...{ planted: 12, healed: [8, 60, 8], refused: [18, 50, 18], affected: [14, 80, 14] },
  /** 0: the page announces a departure with `affected`. */
  ...{ departing: 0, departed: 8 },
  transformed: [8, 40, 8, 40, 8],
};

type Played = 'planted' | 'healed' | 'refused' | 'departing' | 'departed' | 'transformed';

/** Cells removed by one stroke segment at which the feedback is strongest. */
const FULL_STRENGTH_CELLS = 40;

/** Sounds and vibrations by life event of the visitor's organisms. */
const PLAYED: Partial<Record<LifeEvent['what'], Played>> = {
  born: 'planted',
  healed: 'healed',
  departing: 'departing',
  renewed: 'healed',
  transformed: 'transformed',
};

/** Plays sounds and vibrations for the visitor's own actions and organisms. */
export class Feedback {
  /** Turns vibration off (prefers-reduced-motion). */
  calm = false;
  private context: AudioContext | undefined;
  private sound: Sound | undefined;
  private vibratedAt = Number.NEGATIVE_INFINITY;
  private cutting = false;
  private hidden = false;

  /** @param model source of life events; only those of the visitor's own organisms are played */
  constructor(model: RoomModel) {
    model.on('life', ({ event, organism }) => {
      // Sounds queued on a suspended context would all play at once when the page is shown again.
      if (!this.isOn || this.hidden || organism.planter.id !== model.you?.id) return;
      if (event.what === 'divided') this.sound?.divided(Math.round(Math.log2(event.stage / 2)));
      const departed = event.what === 'died' && event.cause === 'departed';
      const name = departed ? 'departed' : PLAYED[event.what];
      if (name) this.play(name);
    });
  }

  get isOn(): boolean {
    return this.context !== undefined;
  }

  /** Must be called from a user gesture: browsers block sound otherwise. */
  turnOn(): void {
    if (this.context || typeof AudioContext === 'undefined') return;
    const context = new AudioContext();
    this.context = context;
    this.vibrate(PATTERNS.planted);
    context.resume().catch(() => undefined);
    import('./sound.ts').then(
      (module) => {
        if (this.context !== context) return;
        this.sound = new module.Sound(context, Math.random);
        this.sound.play('planted');
      },
      // When the module cannot be loaded there is no sound; everything else works.
      () => undefined,
    );
  }

  /** Turns sound and vibration off and frees the audio context. */
  turnOff(): void {
    this.context?.close().catch(() => undefined);
    this.context = this.sound = undefined;
  }

  /** Suspends sound while the page is hidden. */
  hide(hidden: boolean): void {
    this.hidden = hidden;
    const { context } = this;
    (hidden ? context?.suspend() : context?.resume())?.catch(() => undefined);
  }

  /**
   * Plays one segment of a damage stroke.
   *
   * @param cells number of owned cells that the segment removes
   * @param radius of the stroke, cells
   * @param now ms
   */
  cut(cells: number, radius: number, now: number): void {
    if (cells === 0) {
      this.cutting = false;
      return;
    }
    const strength = Math.min(1, cells / FULL_STRENGTH_CELLS);
    if (!this.cutting) this.sound?.play('touch');
    this.cutting = true;
    this.sound?.cut(strength, radius);
    if (now - this.vibratedAt < MIN_INTERVAL) return;
    this.vibratedAt = now;
    this.vibrate(Math.round(6 + 16 * strength));
  }

  /** Vibrates: somebody has done something to the visitor's organisms. */
  affected(): void {
    this.vibrate(PATTERNS.affected);
  }

  /** @param name `refused`: by the server or by the page */
  play(name: Played): void {
    this.sound?.play(name);
    this.vibrate(PATTERNS[name]);
  }

  /** @param pattern a duration, or alternating durations and pauses, ms; 0 would end another vibration */
  private vibrate(pattern: number | number[]): void {
    // Safari has no vibrate(), although the DOM types declare it.
    if (this.isOn && !this.calm && pattern !== 0) navigator.vibrate?.(pattern);
  }
}
