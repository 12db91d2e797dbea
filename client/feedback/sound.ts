/** The room's sounds, synthesised from oscillators and noise. */

const VOLUME = 0.24;
/** Frequency ratios of the major pentatonic scale. */
const SCALE = [1, 9 / 8, 5 / 4, 3 / 2, 5 / 3, 2];
/** Lowest note, in Hz. */
const LOWEST = 196;

interface Tone {
  /** Frequency at the start and at the end, in Hz. */
  readonly from: number;
  readonly to?: number;
  readonly loudness: number;
  /** Attack and decay, in seconds. */
  readonly rise: number;
  readonly fall: number;
  /** Delay before the tone starts, in seconds. */
  readonly after?: number;
  readonly shape?: OscillatorType;
}

/** A low, dull tone. */
const THUD: Tone = { from: 92, to: 70, loudness: 0.5, rise: 0.005, fall: 0.1, shape: 'triangle' };

const SOUNDS = {
  /** Played when a damage stroke meets an organism. */
  touch: [{ from: 120, to: 58, loudness: 0.8, rise: 0.004, fall: 0.16 }],
  planted: [{ from: 190, to: 330, loudness: 0.6, rise: 0.008, fall: 0.22 }],
  healed: [
    { from: LOWEST * 1.5, loudness: 0.3, rise: 0.07, fall: 1.1 },
    { from: LOWEST * 2.25, loudness: 0.22, rise: 0.09, fall: 1.3, after: 0.12 },
  ],
  departing: [
    { from: LOWEST * 1.5, loudness: 0.22, rise: 0.09, fall: 1.1 },
    { from: LOWEST * 1.125, loudness: 0.22, rise: 0.12, fall: 1.6, after: 0.35 },
  ],
  departed: [{ from: LOWEST * 1.125, to: LOWEST * 0.75, loudness: 0.2, rise: 0.12, fall: 1.8 }],
  transformed: [{ from: LOWEST, to: LOWEST * 2, loudness: 0.3, rise: 0.3, fall: 1.6 }],
  refused: [THUD, { ...THUD, after: 0.1 }],
} satisfies Record<string, readonly Tone[]>;

export class Sound {
  private readonly out: GainNode;
  /**
   * The noise of a damage stroke. It loops all the time, but is silent until `cut` raises its
   * level.
   */
  private readonly tear: { readonly level: GainNode; readonly color: BiquadFilterNode };

  /** @param random returns random numbers from 0 to 1, used to generate noise */
  constructor(
    private readonly context: AudioContext,
    random: () => number,
  ) {
    const limit = context.createDynamicsCompressor();
    limit.connect(context.destination);
    this.out = context.createGain();
    this.out.gain.value = VOLUME;
    this.out.connect(limit);
    this.tear = this.createTear(random);
  }

  /**
   * Plays about 0.1 s of the noise of a damage stroke. Calls in quick succession sound like one
   * continuous noise.
   *
   * @param strength loudness of the noise, 0 to 1
   * @param radius the stroke's radius, in cells; wide strokes sound deeper
   */
  cut(strength: number, radius: number): void {
    const now = this.context.currentTime;
    const { level, color } = this.tear;
    color.frequency.setTargetAtTime(2_400 / (1 + radius / 4), now, 0.02);
    level.gain.cancelScheduledValues(now);
    level.gain.setTargetAtTime(0.15 + 0.75 * strength, now, 0.012);
    level.gain.setTargetAtTime(0, now + 0.06, 0.05);
  }

  play(name: keyof typeof SOUNDS): void {
    for (const tone of SOUNDS[name]) this.start(tone);
  }

  /**
   * Plays a sound when a growing organism has doubled the side length of the square in which it
   * grows. The pitch rises with each doubling.
   *
   * @param division number of doublings so far, from 1
   */
  divided(division: number): void {
    const from = LOWEST * SCALE[Math.min(SCALE.length, Math.max(1, division)) - 1];
    this.start({ from, loudness: 0.34, rise: 0.01, fall: 0.5 });
    this.start({ from: 2 * from, loudness: 0.12, rise: 0.01, fall: 0.3 });
  }

  private start({ from, to = from, loudness, rise, fall, after = 0, shape = 'sine' }: Tone): void {
    const { context } = this;
    const start = context.currentTime + after;
    const tone = context.createOscillator();
    tone.type = shape;
    tone.frequency.setValueAtTime(from, start);
    tone.frequency.exponentialRampToValueAtTime(to, start + fall);
    const level = context.createGain();
    level.gain.setValueAtTime(0, start);
    level.gain.linearRampToValueAtTime(loudness, start + rise);
    level.gain.setTargetAtTime(0, start + rise, fall / 4);
    tone.connect(level).connect(this.out);
    tone.start(start);
    tone.stop(start + rise + 2 * fall);
  }

  private createTear(random: () => number): Sound['tear'] {
    const { context } = this;
    const noise = context.createBuffer(1, context.sampleRate, context.sampleRate);
    const samples = noise.getChannelData(0);
    // Give each block of 160 samples its own random loudness, so that the noise sounds grainy
    // rather than hissing.
    for (let i = 0, grain = 1; i < samples.length; i++) {
      if (i % 160 === 0) grain = 0.25 + 0.75 * random() ** 2;
      samples[i] = (2 * random() - 1) * grain;
    }
    const source = context.createBufferSource();
    source.buffer = noise;
    source.loop = true;
    const color = context.createBiquadFilter();
    color.type = 'bandpass';
    color.Q.value = 1.1;
    const level = context.createGain();
    level.gain.value = 0;
    source.connect(color).connect(level).connect(this.out);
    source.start();
    return { level, color };
  }
}
