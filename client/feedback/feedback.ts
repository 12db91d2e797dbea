/** Plays sounds and vibrations; off until the visitor turns them on. */
import type { LifeEvent } from '../../shared/vocabulary.ts';
import type { RoomModel } from '../room/room-model.ts';
import type { Sound } from './sound.ts';

/**
 * Minimum time between two vibrations during a stroke, in ms. Vibration motors cannot follow faster
 * changes.
 */
const MIN_INTERVAL = 45;

/**
 * Vibration patterns, in ms: the duration of one vibration, or a list of alternating vibrations and
 * pauses.
 */
const PATTERNS = {
  planted: 12,
  healed: [8, 60, 8],
  refused: [18, 50, 18],
  // No vibration, because `affected()` already vibrates when an organism begins to dissolve.
  departing: 0,
  departed: 8,
  transformed: [8, 40, 8, 40, 8],
};
const AFFECTED = [14, 80, 14];

type Played = keyof typeof PATTERNS;

/** Number of cells that one segment of a stroke must change for feedback at full strength. */
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

  /** @param model source of the life events; events of other participants' organisms are ignored */
  constructor(model: RoomModel) {
    model.on('life', ({ event, organism }) => {
      // Play nothing while the page is hidden: the suspended audio context would queue the sounds,
      // then play them all together when the page is shown.
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
   * Turns sound and vibration on or off. Call this during a user gesture, because browsers block
   * sound at other times.
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

  /** Vibrates to report that somebody has acted on the visitor's organisms. */
  affected(): void {
    this.vibrate(AFFECTED);
  }

  /**
   * Plays the sound and the vibration of an event.
   *
   * @param name the event; `refused` means that the server or the page has refused an action
   */
  play(name: Played): void {
    this.sound?.play(name);
    this.vibrate(PATTERNS[name]);
  }

  /**
   * Vibrates if feedback is on and the visitor does not prefer reduced motion.
   *
   * @param pattern a duration, or alternating durations and pauses, in ms; 0 has no effect
   */
  private vibrate(pattern: number | number[]): void {
    // The DOM types declare `vibrate`, but Safari lacks it.
    if (this.isOn && !this.calm && pattern !== 0) navigator.vibrate?.(pattern);
  }
}
