/**
 * The complete state of a room between two ticks, as plain data. Together with the engine's cell
 * states, it lets a room continue bit for bit. Queued commands are not included, because they are
 * not answered yet.
 *
 * To add a field that outlives a tick, add it here and to `exportOrganism` or `Room.export`, and
 * raise the version.
 */
import * as v from 'valibot';
import {
  between,
  finite as number,
  id as positive,
  count as whole,
} from '../../shared/common-schemas.ts';
import { cause, flashLimit, origin } from '../../shared/vocabulary.ts';
import { samplerVersion } from '../vnca/card.ts';
import { relativesTable } from '../vnca/relatives.ts';

export const ROOM_STATE_VERSION = 1;

const word = v.pipe(whole, v.maxValue(0xffffffff));
const latent = v.custom<Float32Array>((value) => value instanceof Float32Array);
const bytes = v.custom<Uint8Array>((value) => value instanceof Uint8Array);
const owners = v.custom<Uint32Array>((value) => value instanceof Uint32Array);
const parents = v.pipe(v.array(positive), v.readonly());

/** Raise this version when a change of the rules would make an existing room replay differently. */
export const RULES_VERSION = 1 as const;
/** Schema of the version of a room's rules. */
export const rulesVersion = v.literal(RULES_VERSION);
/** Session of a sender: scope in which the ids of repeatable commands are unique, uint32. */
export const session = v.pipe(whole, v.maxValue(0xffffffff));
/** How far wounds close from their rim, in cells per step. */
export const reach = positive;

/** Share of the organisms that may express at the same time. */
export const liveliness = between(0, 1);

/** Schema of `LifeSettings`. */
export const lifeSettings = v.strictObject({
  birth: positive,
  healing: positive,
  expressing: positive,
  /** Lifetime in a busy room, in seconds; absent: unlimited. */
  lifetime: v.optional(v.pipe(number, v.minValue(0))),
});

/** Schema of `EnergySettings`. */
export const energySettings = v.strictObject({
  capacity: number,
  newcomer: number,
  refillPerSecond: number,
  plant: number,
  damagePerCell: number,
  wake: number,
});

/** Sender of a command, or planter of an organism. */
export const actor = v.strictObject({ id: whole, name: v.string(), hue: v.number() });
const planter = actor;

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
  /** Tick of the last renewal by the planter; absent: never renewed. */
  renewed: v.optional(whole),
  phase: v.picklist(['growing', 'awake', 'asleep', 'departing']),
  /** Ticks until a departing organism is gone. */
  dissolving: v.optional(positive),
  /** Set if the planter cannot renew the departing organism. */
  isFinal: v.optional(v.literal(true)),
  /** Number of steps taken. */
  age: whole,
  stage: positive,
  wounds: whole,
  healed: whole,
  /** Cells owned when the organism was wounded; 0 if it was still growing; absent once healed. */
  hurt: v.optional(whole),
  /** Maker of the latest wound and tick of its first stroke; only in rooms with protection. */
  cut: v.optional(v.strictObject({ by: whole, at: whole })),
  /** Number of steps since the organism was grown or last woken. */
  awakeSteps: whole,
  /** How often freed cells have woken the organism since a stroke or a neighbour's death. */
  stirs: whole,
  /** Number of consecutive steps without visible change. */
  restTicks: whole,
  /**
   * [S, S], 1 = another owner blocks a live cell at this position. The organism wakes when the
   * position is freed.
   */
  pressing: bytes,
  /** [stage, stage, 4] RGBA after the last step; absent before the first step. */
  seen: v.optional(bytes),
  flicker: v.optional(
    v.strictObject({
      /** [S, S, 2] highest or lowest luminance and redness since the last turn, in 255ths. */
      levels: bytes,
      /** [S, S] whether luminance and redness rise or fall, as bits. */
      going: bytes,
      /** [S, S] number of turns in each time slot of the last second, four bits per slot. */
      turns: owners,
      /** Tick of the last measurement. */
      at: whole,
    }),
  ),
  /** Ticks until the next step of a slowed organism. */
  pause: v.optional(whole),
  /** Ticks until the next step at the organism's pace. */
  wait: v.optional(whole),
  /** [stage, stage] cells of the coming step, 1 = hit by a stroke since the last step. */
  woundMask: v.optional(bytes),
  /** [S, S] steps until a killed cell can live again; 0 for all other cells. */
  closed: v.optional(bytes),
  /** Present while the organism expresses a relative or returns to its own latent. */
  expression: v.optional(
    v.strictObject({
      /** [Z] latent that the cells read: the relative's, or the organism's own on the way back. */
      latent,
      /** Steps until the cells read the organism's own latent. */
      stepsLeft: whole,
      /** Number of cells owned before the expression; absent until the organism wakes for it. */
      held: v.optional(whole),
    }),
  ),
  /** Present from a transformation until the organism rests. */
  transforming: v.optional(
    v.strictObject({
      /** [Z] latent that the cells read when the transformation began. */
      from: latent,
      /** Steps until the cells read the organism's own latent. */
      stepsLeft: whole,
    }),
  ),
  /** Former kinds and origins, oldest first. */
  was: v.optional(v.array(v.strictObject({ kind: v.string(), origin, until: whole }))),
});

export type OrganismState = v.InferOutput<typeof organismState>;

const ended = v.strictObject({
  ...{ id: positive, kind: v.string(), origin, parents, planter },
  born: whole,
  /** Tick of death. */
  died: whole,
  cause,
  wounds: whole,
  healed: whole,
  /** Former kinds, oldest first. */
  was: v.optional(v.array(v.string())),
  /** Absent if the gallery has the latent of this kind. */
  latent: v.optional(latent),
});
/** An organism that has died. */
export type Ended = v.InferOutput<typeof ended>;

const lineage = v.strictObject({
  /** In order of death. */
  ended: v.array(ended),
  /** Number of dead organisms that have been forgotten. */
  forgotten: whole,
});
/** The dead organisms that a room remembers. */
export type LineageState = v.InferOutput<typeof lineage>;

export const roomState = v.pipe(
  v.strictObject({
    version: v.literal(ROOM_STATE_VERSION),
    tick: whole,
    maxOrganisms: positive,
    nextOrganism: positive,
    /** Highest id of any participant who has entered or sent a command. */
    lastParticipant: whole,
    /** Number of the next tick's events that are already applied. */
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
              /** Set if the host or an extension has approved the drawing. */
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
      /** Absent until a participant enters with a source (rule DEP-6). */
      sources: v.optional(v.array(v.strictObject({ participant: positive, source: positive }))),
    }),
    flashLimit,
    /** How long a wounded organism cannot be wounded again, in seconds; absent: 0. */
    protect: v.optional(v.pipe(number, v.minValue(0))),
    /** Each participant's last stroke: its end, its tick and the wounded organisms (rule DMG-4). */
    strokes: v.optional(
      v.array(
        v.strictObject({
          participant: whole,
          end: v.strictObject({ x: number, y: number, radius: number }),
          at: whole,
          wounded: v.array(positive),
        }),
      ),
    ),
    /**
     * Executed commands that may arrive twice, per participant: the latest session, and the
     * executed commands of this session, oldest first.
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
    /** Organisms that can be replanted (rule DEP-10), in order of departure. */
    departed: v.optional(
      v.array(
        v.strictObject({
          ...{ id: positive, latent, origin, kind: v.string(), parents, planter },
          /** Top left corner of the window. */
          ...{ x: whole, y: whole },
          /** Tick of death. */
          at: whole,
        }),
      ),
    ),
    rules: rulesVersion,
    /** Random seed of the room's chances (see `chance`). */
    seed: word,
    /** Absent: wounds close immediately. */
    closing: v.optional(reach),
    life: lifeSettings,
    /** Relatives that gallery creatures can express; absent: none. */
    relatives: v.optional(relativesTable),
    /** Sampler that the room draws latents with; absent: N(0, I). */
    sampler: v.optional(samplerVersion),
    /** Share of the organisms that may express at the same time; absent: none. */
    liveliness: v.optional(liveliness),
    /** Absent if no death is remembered. */
    lineage: v.optional(lineage),
    organisms: v.array(organismState),
    planes: v.strictObject({
      width: positive,
      height: positive,
      /** [height, width, 4] */
      rgba: bytes,
      /** [height, width] */
      owner: owners,
    }),
  }),
  v.check(({ planes: { width, height, rgba, owner } }) => {
    return rgba.length === 4 * width * height && owner.length === width * height;
  }, 'planes do not match their size'),
  v.check(({ organisms, nextOrganism }) => {
    const ids = organisms.map(({ id }) => id);
    return ids.every((id, i) => id < nextOrganism && (i === 0 || ids[i - 1] < id));
  }, 'organisms are not in order of their ids'),
);

export type RoomState = v.InferOutput<typeof roomState>;

/** An organism that departed recently. */
export type Departed = NonNullable<RoomState['departed']>[number];

/** The part of a room's state that commands and other events change. */
export type CommandState = Omit<
  RoomState,
  'version' | 'tick' | 'acted' | 'done' | 'organisms' | 'planes'
>;
