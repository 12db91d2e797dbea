/**
 * The complete state of a room between two ticks, as plain data. Together with the cell states in
 * the engine, it allows a room to continue with bit-identical results. Queued commands are not
 * included, because they have not been executed yet and their senders have not received answers.
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
 * Version of the world's rules. Raise it if the rules change so that existing journals would replay
 * differently.
 */
export const RULES_VERSION = 1 as const;
export const rulesVersion = v.literal(RULES_VERSION);
/**
 * Session of a command's sender, uint32. A command that arrives a second time is recognised by its
 * id, which is unique within the session.
 */
export const session = v.pipe(whole, v.maxValue(0xffffffff));
/** Speed at which wounds close from their rim, in cells per step. */
export const reach = positive;

/** Maximum share of the organisms that may express (resemble) a relative at the same time. */
export const liveliness = between(0, 1);

export const lifeSettings = v.strictObject({
  birth: positive,
  healing: positive,
  expressing: positive,
  /** Lifetime of organisms in a busy room, in seconds. If absent, it is unlimited. */
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

/** Grafts of an organism: see `organisms/grafts.ts`. */
const grafts = v.strictObject({
  /** Genomes besides the organism's own. */
  genomes: v.array(v.strictObject({ latent, kind: v.string(), origin })),
  /**
   * For each label, the index of its genome in `genomes`, and who painted it (`by`). `by` is absent
   * if the label was not painted but was already part of the organism's seed.
   */
  labels: v.array(v.strictObject({ genome: whole, by: v.optional(actor) })),
  /**
   * [S, S] label of each cell: 0 for the organism's own genome; n + 1 for the label at index n of
   * `labels`.
   */
  places: bytes,
  /** [S, S] 1 for each position that had a cell when the organism last rested, otherwise 0. */
  body: bytes,
  /** The last stroke of each painter, oldest first. */
  strokes: v.array(
    v.strictObject({
      painter: whole,
      /**
       * [S, S] for each position that the stroke painted, one plus the label that it had before; 0
       * if there is no label to restore.
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
  /** Tick at which the planter last renewed the organism; absent if never. */
  renewed: v.optional(whole),
  phase: v.picklist(['growing', 'awake', 'asleep', 'departing']),
  /** Number of ticks until a departing organism has dissolved. */
  dissolving: v.optional(positive),
  /** Present if the planter cannot renew the departing organism. */
  isFinal: v.optional(v.literal(true)),
  /** Number of steps that the organism has taken. */
  age: whole,
  stage: positive,
  wounds: whole,
  healed: whole,
  /**
   * Number of cells that the organism owned when it was wounded; 0 if the organism's final size was
   * not known then. Absent if all wounds have healed.
   */
  hurt: v.optional(whole),
  /**
   * Who made the latest wound, and the tick in which the wound's first stroke hit the organism.
   * Present only in rooms that protect wounded organisms.
   */
  cut: v.optional(v.strictObject({ by: whole, at: whole })),
  /** Number of steps since the organism became grown or was last woken. */
  awakeSteps: whole,
  /**
   * How often freed cells of neighbours have woken the organism. The count starts again when a
   * stroke hits the organism, and when a neighbour dies.
   */
  stirs: whole,
  /** Number of consecutive steps in which the organism has not visibly changed. */
  restTicks: whole,
  /**
   * [S, S] 1 for each live cell that is blocked because another organism owns its position,
   * otherwise 0. If such a position becomes bare, the sleeping organism wakes.
   */
  pressing: bytes,
  /**
   * [stage, stage, 4] the organism's RGBA picture after its last step. Absent before the first
   * step.
   */
  seen: v.optional(bytes),
  flicker: v.optional(
    v.strictObject({
      /**
       * [S, S, 2] for each cell, the latest extreme of luminance and of redness, in 255ths: the
       * highest value if the value last rose, or the lowest if it last fell (see `flicker.ts`).
       */
      levels: bytes,
      /**
       * [S, S] for each cell, bits that say whether its luminance and redness are rising or
       * falling.
       */
      going: bytes,
      /**
       * [S, S] for each cell, the number of turns (see `flicker.ts`) in each time slot of the last
       * second, four bits per slot.
       */
      turns: owners,
      /** Tick of the last measurement. */
      at: whole,
    }),
  ),
  /**
   * Number of ticks until the next step of the organism, if it has to pause or step rarely because
   * it flashed.
   */
  pause: v.optional(whole),
  /** Number of ticks until the next step of the organism at its current pace. */
  wait: v.optional(whole),
  /**
   * [stage, stage] 1 for each cell that a stroke has hit since the organism's last step, otherwise
   * 0. Here, `stage` is the side of the organism in its next step.
   */
  woundMask: v.optional(bytes),
  /**
   * [S, S] number of steps until a cell killed by a stroke can live again; 0 for all other cells.
   */
  closed: v.optional(bytes),
  /**
   * Present from the beginning of an expression of a relative until the organism has returned to
   * its own shape.
   */
  expression: v.optional(
    v.strictObject({
      /**
       * [Z] the latent that the cells read: first the relative's, then, while the organism returns
       * to its own shape, the organism's own.
       */
      latent,
      /** Number of steps until the cells read the organism's own latent again. */
      stepsLeft: whole,
      /**
       * Number of cells that the organism owned before the expression. Absent until the organism
       * wakes for the expression.
       */
      held: v.optional(whole),
    }),
  ),
  /** Present if parts of other creatures have been grafted onto the organism. */
  grafts: v.optional(grafts),
  /** Present from the beginning of a transformation or a graft until the organism rests. */
  transforming: v.optional(
    v.strictObject({
      /** Number of steps until all cells read the organism's new genomes. */
      stepsLeft: whole,
      /**
       * Present during a wave of transformation: the cell where it began, and the genomes that the
       * cells read before.
       */
      wave: v.optional(
        v.strictObject({ x: whole, y: whole, latents: v.array(latent), labels: v.optional(bytes) }),
      ),
    }),
  ),
  /**
   * Former kinds and origins of the organism, oldest first. `until` is the tick at which the kind
   * was replaced by the next kind.
   */
  was: v.optional(v.array(v.strictObject({ kind: v.string(), origin, until: whole }))),
});

export type OrganismState = v.InferOutput<typeof organismState>;

const ended = v.strictObject({
  ...{ id: positive, kind: v.string(), origin, parents, planter },
  born: whole,
  /** Tick at which the organism died. */
  died: whole,
  cause,
  wounds: whole,
  healed: whole,
  /** The organism's former kinds, oldest first. */
  was: v.optional(v.array(v.string())),
  /**
   * [Z] the organism's latent. Absent if the organism's kind is in the gallery, because the gallery
   * contains the latent.
   */
  latent: v.optional(latent),
  parts: v.optional(v.array(part)),
  /** The organism's seed as a token. Present only for chimeras (organisms with grafts). */
  token: v.optional(v.string()),
});
/** A dead organism as the family tree remembers it. */
export type Ended = v.InferOutput<typeof ended>;

const lineage = v.strictObject({
  /** The remembered dead organisms, in order of death. */
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
    /** Highest id of any participant who has entered or sent a command. */
    lastParticipant: whole,
    /** Number of events of the next tick that have already changed this state. */
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
               * Present if the seed was made from a drawing that the host or an extension has
               * approved.
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
       * For each participant, a number that all participants with the same network address share.
       * Absent until the first participant with such a number enters (rule DEP-6).
       */
      sources: v.optional(v.array(v.strictObject({ participant: positive, source: positive }))),
    }),
    flashLimit,
    /**
     * For how long a wounded organism is protected from further wounds, in seconds. If absent, 0.
     */
    protect: v.optional(v.pipe(number, v.minValue(0))),
    /** Each participant's last stroke with the damage tool (rule DMG-4). */
    strokes: v.optional(v.array(lastStroke)),
    /** Each participant's last stroke with the graft tool (rule GRA-6). */
    graftStrokes: v.optional(v.array(lastStroke)),
    /**
     * For each participant, the latest session and the commands executed in this session, oldest
     * first. Needed because an executed command may arrive a second time.
     */
    done: v.optional(
      v.array(
        v.strictObject({
          ...{ participant: whole, session },
          /** `seed`: id of the seed that the command gave to the participant. */
          commands: v.array(v.strictObject({ id: whole, seed: v.optional(positive) })),
        }),
      ),
    ),
    /** Departed organisms that can be replanted (rule DEP-10), earliest departure first. */
    departed: v.optional(
      v.array(
        v.strictObject({
          ...{ id: positive, latent, origin, kind: v.string(), parents, planter },
          grafts: v.optional(grafts),
          /** Top left corner of the organism's window. */
          ...{ x: whole, y: whole },
          /** Tick at which the organism died. */
          at: whole,
        }),
      ),
    ),
    rules: rulesVersion,
    /** Seed for the room's random decisions (see `chance`). */
    seed: word,
    /**
     * Speed at which wounds close from their rim, in cells per step. If absent, wounds close
     * immediately.
     */
    closing: v.optional(reach),
    life: lifeSettings,
    /**
     * For each gallery creature, the similar creatures (relatives) that it can express. If absent,
     * no creature has relatives.
     */
    relatives: v.optional(relativesTable),
    /** Version of the sampler for random seeds. If absent, latents are drawn from N(0, I). */
    sampler: v.optional(samplerVersion),
    /**
     * Maximum share of the organisms that may express a relative at the same time. If absent, 0.
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
