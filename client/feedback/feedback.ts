/** Plays sounds and vibrations; off until the visitor turns them on. */
import type { LifeEvent } from '../../shared/vocabulary.ts';
import type { RoomModel } from '../room/room-model.ts';
import type { Sound } from './sound.ts';

/** Minimum time between two vibrations, in ms. Vibration motors cannot repeat them faster. */
const MIN_INTERVAL = 45;

/** Vibration patterns: a duration, or alternating durations and pauses, in ms. */
const PATTERNS = {
  planted: 12,
  healed: [8, 60, 8],
  refused: [18, 50, 18],
  // No vibration, because the page calls `affected`, which vibrates, when an organism departs.
  departing: 0,
  departed: 8,
  transformed: [8, 40, 8, 40, 8],
};
const AFFECTED = [14, 80, 14];

type Played = keyof typeof PATTERNS;

/** Number of cells removed by one stroke segment at which the feedback is strongest. */
const FULL_STRENGTH_CELLS = 40;

/** The sound and vibration for each life event of the visitor's organisms. */
const PLAYED: Partial<Record<LifeEvent['what'], Played>> = {
  born: 'planted',
  healed: 'healed',
  departing: 'departing',
  renewed: 'healed',
  transformed: 'transformed',
};

/** Plays sounds and vibrations for the visitor's own actions and organisms. */
export class Feedback {
  /** Whether vibration is off, because the visitor prefers reduced motion. */
  calm = false;
  private context: AudioContext | undefined;
  private sound: Sound | undefined;
  private vibratedAt = Number.NEGATIVE_INFINITY;
  private cutting = false;
  private hidden = false;

  /** @param model source of life events; only events of the visitor's own organisms are played */
  constructor(model: RoomModel) {
    model.on('life', ({ event, organism }) => {
      // Play nothing while the page is hidden, because sounds queued while the context is suspended
      // would all play together when the page is shown again.
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

  /**
   * Turns sound and vibration on, or off. Call it from a user gesture, because otherwise browsers
   * block sound.
   */
  toggle(): void {
    if (this.context) {
      this.context.close().catch(() => undefined);
      this.context = this.sound = undefined;
      return;
    }
    if (typeof AudioContext === 'undefined') return;
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
      // If the module cannot be loaded, there is no sound, but everything else works.
      () => undefined,
    );
  }

  /** Suspends sound when the page is hidden, and resumes it when the page is shown. */
  hide(hidden: boolean): void {
    this.hidden = hidden;
    const { context } = this;
    (hidden ? context?.suspend() : context?.resume())?.catch(() => undefined);
  }

  /**
   * Plays the sound and vibration for one segment of a stroke.
   *
   * @param cells number of an organism's cells that the segment changes
   * @param radius the stroke's radius, in cells
   * @param now in ms
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

  /** Vibrates because somebody has acted on the visitor's organisms. */
  affected(): void {
    this.vibrate(AFFECTED);
  }

  /**
   * Plays a sound and a vibration.
   *
   * @param name the event; `refused` means that the server or the page refused an action
   */
  play(name: Played): void {
    this.sound?.play(name);
    this.vibrate(PATTERNS[name]);
  }

  /**
   * Vibrates if feedback is on and the visitor does not prefer reduced motion.
   *
   * @param pattern a duration, or alternating durations and pauses, in ms; 0 is ignored, because it
   *   would cancel a running vibration
   */
  private vibrate(pattern: number | number[]): void {
    // Check for vibrate(), because Safari lacks it although the DOM types declare it.
    if (this.isOn && !this.calm && pattern !== 0) navigator.vibrate?.(pattern);
  }
}
