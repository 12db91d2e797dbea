/**
 * The complete state of a room between two ticks, as plain data. With this state and the cell
 * states in the engine, a room continues with bit-identical results. Queued commands are not
 * included.
 *
 * To add a field that lasts longer than a tick, add it here and to `exportOrganism` or
 * `Room.export`, and raise the version.
 */
import * as v from 'valibot';
import {
  between,
  finite as number,
  id as positive,
  count as whole,
} from '../../shared/common-schemas.ts';
import { cause, flashLimit, origin, part } from '../../shared/vocabulary.ts';
import { samplerVersion } from '../vnca/card.ts';
import { relativesTable } from '../vnca/relatives.ts';

export const ROOM_STATE_VERSION = 1;

const word = v.pipe(whole, v.maxValue(0xffffffff));
const latent = v.custom<Float32Array>((value) => value instanceof Float32Array);
const bytes = v.custom<Uint8Array>((value) => value instanceof Uint8Array);
const owners = v.custom<Uint32Array>((value) => value instanceof Uint32Array);
const parents = v.pipe(v.array(positive), v.readonly());

/**
 * Version of the world's rules. Raise it if a change of the rules makes existing journals replay
 * differently.
 */
export const RULES_VERSION = 1 as const;
export const rulesVersion = v.literal(RULES_VERSION);
/**
 * A number, uint32, that identifies the session in which a command was sent. Command ids are unique
 * within a session.
 */
export const session = v.pipe(whole, v.maxValue(0xffffffff));
/** Speed at which wounds close from their rim, in cells per step. */
export const reach = positive;

/**
 * Maximum share of the organisms that may look like a relative (a similar creature) at the same
 * time.
 */
export const liveliness = between(0, 1);

export const lifeSettings = v.strictObject({
  birth: positive,
  healing: positive,
  expressing: positive,
  /** Lifetime of organisms in a busy room, in seconds. If absent, the lifetime is unlimited. */
  lifetime: v.optional(v.pipe(number, v.minValue(0))),
});

export const energySettings = v.strictObject({
  capacity: number,
  newcomer: number,
  refillPerSecond: number,
  plant: number,
  damagePerCell: number,
  wake: number,
});

/** The sender of a command, or the planter of an organism. */
export const actor = v.strictObject({ id: whole, name: v.string(), hue: v.number() });
const planter = actor;

const grafts = v.strictObject({
  /** Genomes that are grafted onto the organism, without the organism's own genome. */
  genomes: v.array(v.strictObject({ latent, kind: v.string(), origin })),
  /**
   * For each label: the index of the label's genome in `genomes`, and the participant who painted
   * the label (`by`). `by` is absent for labels from the organism's seed.
   */
  labels: v.array(v.strictObject({ genome: whole, by: v.optional(actor) })),
  /** [S, S] label of each cell: 0 for the organism's own genome; n + 1 for `labels[n]`. */
  places: bytes,
  /** [S, S] 1 for each position that had a cell when the organism last rested, otherwise 0. */
  body: bytes,
  /** Each painter's last stroke; the oldest stroke comes first. */
  strokes: v.array(
    v.strictObject({
      painter: whole,
      /**
       * [S, S] 1 + the label that the position gets back if the stroke is undone; 0 for positions
       * that would not change.
       */
      replaced: bytes,
    }),
  ),
});

const organismState = v.strictObject({
  id: positive,
  window: v.strictObject({
    x: v.pipe(v.number(), v.integer()),
    y: v.pipe(v.number(), v.integer()),
    width: positive,
    height: positive,
  }),
  latent,
  origin,
  kind: v.string(),
  parents,
  planter,
  born: whole,
  /** Tick at which the planter last renewed the organism; absent if the planter never did. */
  renewed: v.optional(whole),
  phase: v.picklist(['growing', 'awake', 'asleep', 'departing']),
  /** Number of ticks until a departing organism has dissolved. */
  dissolving: v.optional(positive),
  /** Present if the departing organism cannot be renewed. */
  isFinal: v.optional(v.literal(true)),
  /** Number of steps that the organism has taken. */
  age: whole,
  stage: positive,
  wounds: whole,
  healed: whole,
  /**
   * Number of cells that the organism owned when it was wounded; 0 if the organism was wounded
   * before its final size was known. Absent if all wounds have healed.
   */
  hurt: v.optional(whole),
  /**
   * The participant whose stroke started the organism's latest protection, and the tick of this
   * stroke. Present only in rooms that protect wounded organisms.
   */
  cut: v.optional(v.strictObject({ by: whole, at: whole })),
  /** Number of steps since the organism became grown or was last woken. */
  awakeSteps: whole,
  /** How often freed cells have woken the organism since this count was last reset. */
  stirs: whole,
  /** Number of steps in a row in which the organism has not visibly changed. */
  restTicks: whole,
  /**
   * [S, S] 1 for each live cell whose position another organism owns, otherwise 0. If such a
   * position becomes free, the sleeping organism wakes.
   */
  pressing: bytes,
  /**
   * [stage, stage, 4] RGBA picture of the organism after its last step. Absent before the first
   * step.
   */
  seen: v.optional(bytes),
  flicker: v.optional(
    v.strictObject({
      /**
       * [S, S, 2] luminance and redness of each cell, in 255ths: the highest value so far while
       * rising, the lowest value so far while falling.
       */
      levels: bytes,
      /** [S, S] bits that say whether each cell's luminance and redness are rising or falling. */
      going: bytes,
      /**
       * [S, S] for each cell, eight counts of four bits: how often luminance or redness changed
       * direction in each eighth of the last second.
       */
      turns: owners,
      /** Tick in which the organism's colours were last measured. */
      at: whole,
    }),
  ),
  /**
   * Number of ticks until the organism's next step, if flashing has made the organism pause or slow
   * down.
   */
  pause: v.optional(whole),
  /** Number of ticks until the organism's next step at its current pace. */
  wait: v.optional(whole),
  /**
   * [stage, stage] 1 for each cell that a stroke has hit since the organism's last step, otherwise
   * 0. `stage` is the organism's side in its next step.
   */
  woundMask: v.optional(bytes),
  /**
   * [S, S] for each cell that a stroke killed, the number of steps until the position can have a
   * live cell again; 0 for all other cells.
   */
  closed: v.optional(bytes),
  /**
   * Present while the organism temporarily looks like a relative (a similar creature), and
   * afterwards until it has its own shape again.
   */
  expression: v.optional(
    v.strictObject({
      /**
       * [Z] latent that the cells read: the relative's until `stepsLeft` is 0, and then the
       * organism's own.
       */
      latent,
      /** Number of steps until the cells read the organism's own latent again. */
      stepsLeft: whole,
      /**
       * Number of cells that the organism owned when it was woken to look like a relative (a
       * similar creature). Absent until it is woken.
       */
      held: v.optional(whole),
    }),
  ),
  /** Present if parts of other creatures have been grafted onto the organism. */
  grafts: v.optional(grafts),
  /** Present from the beginning of a transformation or graft until the organism rests. */
  transforming: v.optional(
    v.strictObject({
      /** Number of steps until all cells read the new genomes. */
      stepsLeft: whole,
      /**
       * Present while a transformation spreads across the organism: the cell where it began, and
       * the genomes that the cells read before.
       */
      wave: v.optional(
        v.strictObject({ x: whole, y: whole, latents: v.array(latent), labels: v.optional(bytes) }),
      ),
    }),
  ),
  /**
   * The organism's earlier kinds and origins, oldest first. Each was valid until the tick `until`.
   */
  was: v.optional(v.array(v.strictObject({ kind: v.string(), origin, until: whole }))),
});

export type OrganismState = v.InferOutput<typeof organismState>;

const ended = v.strictObject({
  ...{ id: positive, kind: v.string(), origin, parents, planter },
  born: whole,
  died: whole,
  cause,
  wounds: whole,
  healed: whole,
  /** The organism's earlier kinds, oldest first. */
  was: v.optional(v.array(v.string())),
  /**
   * [Z] the organism's latent. Absent if the gallery contains the organism's kind, and thus its
   * latent.
   */
  latent: v.optional(latent),
  parts: v.optional(v.array(part)),
  /** The organism's seed as a token. Present only for organisms with grafts (chimeras). */
  token: v.optional(v.string()),
});
/** A dead organism, as the family tree shows it. */
export type Ended = v.InferOutput<typeof ended>;

const lineage = v.strictObject({
  /** Dead organisms, in order of death. */
  ended: v.array(ended),
  forgotten: whole,
});
export type LineageState = v.InferOutput<typeof lineage>;

/** A participant's last stroke with one tool. */
const lastStroke = v.strictObject({
  participant: whole,
  end: v.strictObject({ x: number, y: number, radius: number }),
  /** Tick of the stroke's last message. */
  at: whole,
  /** Organisms that the stroke has wounded or grafted onto. */
  wounded: v.array(positive),
});

export const roomState = v.pipe(
  v.strictObject({
    version: v.literal(ROOM_STATE_VERSION),
    tick: whole,
    maxOrganisms: positive,
    nextOrganism: positive,
    /** Highest id of all participants who have entered or sent a command. */
    lastParticipant: whole,
    /**
     * How many of the next tick's events have already been applied to this state. A replay skips
     * these events.
     */
    acted: whole,
    random: v.strictObject({
      words: v.tuple([word, word, word, word]),
      spare: v.optional(v.number()),
    }),
    hands: v.strictObject({
      nextId: positive,
      held: v.array(
        v.strictObject({
          participant: positive,
          seeds: v.array(
            v.strictObject({
              ...{ id: positive, origin, parents, latent },
              /**
               * Present if the host or an extension has approved the drawing from which the seed
               * was made.
               */
              approved: v.optional(v.literal(true)),
            }),
          ),
        }),
      ),
    }),
    energy: v.strictObject({
      settings: energySettings,
      tickRate: number,
      accounts: v.array(v.strictObject({ participant: positive, level: number, at: whole })),
    }),
    attendance: v.strictObject({
      present: v.array(positive),
      absent: v.array(v.strictObject({ participant: positive, since: whole })),
      /**
       * For each participant, a number that all participants with the same network address share
       * (rule DEP-6).
       */
      sources: v.optional(v.array(v.strictObject({ participant: positive, source: positive }))),
    }),
    flashLimit,
    /**
     * Time in seconds for which a wounded organism is protected from further wounds. If absent, 0.
     */
    protect: v.optional(v.pipe(number, v.minValue(0))),
    /** Each participant's last stroke with the damage tool (rule DMG-4). */
    strokes: v.optional(v.array(lastStroke)),
    /** Each participant's last stroke with the graft tool (rule GRA-6). */
    graftStrokes: v.optional(v.array(lastStroke)),
    /**
     * For each participant, the latest session and its executed commands, oldest first. The room
     * uses this list to recognise commands that arrive twice.
     */
    done: v.optional(
      v.array(
        v.strictObject({
          ...{ participant: whole, session },
          /** `seed`: id of the seed that the participant got from the command. */
          commands: v.array(v.strictObject({ id: whole, seed: v.optional(positive) })),
        }),
      ),
    ),
    /** Departed organisms that can be replanted (rule DEP-10), in order of departure. */
    departed: v.optional(
      v.array(
        v.strictObject({
          ...{ id: positive, latent, origin, kind: v.string(), parents, planter },
          grafts: v.optional(grafts),
          /** Top left corner of the organism's window. */
          ...{ x: whole, y: whole },
          at: whole,
        }),
      ),
    ),
    rules: rulesVersion,
    /** Seed of the room's random decisions. */
    seed: word,
    /**
     * Speed at which wounds close from their rim, in cells per step. If absent, wounds close
     * immediately.
     */
    closing: v.optional(reach),
    life: lifeSettings,
    /**
     * For each gallery creature, the similar creatures (relatives) that it can look like. If
     * absent, no creature has relatives.
     */
    relatives: v.optional(relativesTable),
    /**
     * Version of the algorithm that draws random latents. If absent, latents have a standard normal
     * distribution.
     */
    sampler: v.optional(samplerVersion),
    /**
     * Maximum share of the organisms that may look like a relative (a similar creature) at the same
     * time. If absent, 0.
     */
    liveliness: v.optional(liveliness),
    lineage: v.optional(lineage),
    organisms: v.array(organismState),
    planes: v.strictObject({
      width: positive,
      height: positive,
      /** [height, width, 4] colours of the cells. */
      rgba: bytes,
      /** [height, width] id of each cell's owner. */
      owner: owners,
    }),
  }),
  v.check(({ planes: { width, height, rgba, owner } }) => {
    return rgba.length === 4 * width * height && owner.length === width * height;
  }, 'the planes of the grid do not have width × height entries'),
  v.check(({ organisms, nextOrganism }) => {
    const ids = organisms.map(({ id }) => id);
    return ids.every((id, i) => id < nextOrganism && (i === 0 || ids[i - 1] < id));
  }, 'the organisms are not sorted by id'),
);

export type RoomState = v.InferOutput<typeof roomState>;

/** An organism that departed recently and can be replanted. */
export type Departed = NonNullable<RoomState['departed']>[number];

/** The part of a room's state that commands and other events change. */
export type CommandState = Omit<
  RoomState,
  'version' | 'tick' | 'acted' | 'done' | 'organisms' | 'planes'
>;
