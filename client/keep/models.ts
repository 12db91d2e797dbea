/**
 * Models that grow seeds on the keepsake page: the models inlined in the page or, if there are
 * none, the server's models. Also reads and writes the links of keepsakes.
 */
import { divide, firstStage, growthSchedule, seedState } from '../../server/vnca/architecture.ts';
import type { Card } from '../../server/vnca/card.ts';
import type { Model } from '../../server/vnca/checkpoint.ts';
import type { Genomes } from '../../server/vnca/chimera.ts';
import type { LatentBounds } from '../../server/vnca/genome.ts';
import { createReadout } from '../../server/vnca/readout.ts';
import { createScalarRule } from '../../server/vnca/scalar-rule.ts';
import { type PainterNet, parsePainter } from '../../shared/painter/net.ts';
import { float32Of, readSafetensors } from '../../shared/safetensors.ts';
import { MAX_TOKEN, MIN_TOKEN, modelPath, type TokenSpecies } from '../../shared/seed-token.ts';
import { latin1 } from '../keepsake/picture.ts';

/** A model with the bounds of its latents, and the rule for when its organisms fall asleep. */
export interface PageModel extends Model {
  readonly bounds: LatentBounds;
  readonly rest: {
    /**
     * Maximum change of an RGBA8 value from one step to the next at which an organism counts as at
     * rest.
     */
    readonly level: number;
    /** Number of steps at rest after which an organism sleeps. */
    readonly ticks: number;
    /** Maximum number of steps before a grown organism sleeps. */
    readonly most: number;
  };
  /** Paints the model's organisms; if it is undefined, organisms are drawn enlarged. */
  readonly painter?: PainterNet;
}

/** Models that `npm run keep-page` has inlined in the page. */
const inlined = (): HTMLElement[] => [
  ...document.querySelectorAll<HTMLElement>('script[data-model]'),
];

/** Returns the origin of the server to plant at: '' for the page's own, undefined for none. */
export const plantingServer = (): string | undefined =>
  document.querySelector<HTMLMetaElement>('meta[name=vivarium-server]')?.content ??
  (inlined().length > 0 ? undefined : '');

/**
 * Finds a model by the identity of its weights.
 *
 * @returns undefined if it is not available
 * @throws Error if it cannot be loaded
 */
export async function findModel(name: string): Promise<PageModel | undefined> {
  const models = inlined();
  if (models.length > 0) {
    const found = models.find(({ dataset }) => dataset.model === name);
    return found && parse(latin1(atob(found.textContent ?? '')));
  }
  const response = await fetch(modelPath(name));
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`${response.status}`);
  return parse(new Uint8Array(await response.arrayBuffer()));
}

function parse(bytes: Uint8Array): PageModel {
  const file = readSafetensors(bytes);
  const { card, bounds, rest, painter } = file.metadata;
  const model = {
    card: JSON.parse(card) as Card,
    tensors: float32Of(file),
    bounds: JSON.parse(bounds),
    rest: JSON.parse(rest),
  };
  try {
    return painter ? { ...model, painter: parsePainter(latin1(atob(painter))) } : model;
  } catch {
    // A later release may have written the painter.
    return model;
  }
}

/** Returns the properties of a model that its tokens depend on. */
export function tokenSpecies({ card, tensors }: PageModel): TokenSpecies {
  const { identity, latentSize, side } = card;
  const { data } = tensors.get('gallery.latents')!;
  const gallery = card.gallery.map((_, i) => {
    return { latent: data.subarray(i * latentSize, (i + 1) * latentSize) };
  });
  return { identity: identity!, latentSize, side, gallery };
}

/**
 * Yields the picture of an organism after each step, from its seed until it sleeps.
 *
 * @param genomes the organism's own genome first
 * @returns RGBA [side, side], not premultiplied
 */
export function* growthOf(model: PageModel, genomes: Genomes): Generator<ImageData> {
  const { card, rest } = model;
  const { channels } = card;
  const step = createScalarRule(model, genomes);
  const read = createReadout(card);
  const held = new Uint8Array(card.side ** 2);
  let states = seedState(genomes.latents[0], firstStage(card), channels);
  let rgba = new Uint8Array(0);
  const look = (): ImageData => {
    const cells = states.length / channels;
    const presence = new Uint8Array(cells);
    rgba = new Uint8Array(4 * cells);
    read(states, 0, rgba, presence);
    return ownedCells(card, held, rgba, presence);
  };
  for (const { divide: isDividing } of growthSchedule(card)) {
    states = step(isDividing ? divide(states, channels) : states);
    yield look();
  }
  for (let steps = 0, resting = 0; steps < rest.most && resting < rest.ticks; steps++) {
    const before = rgba;
    states = step(states);
    const picture = look();
    const isResting = rgba.every((v, i) => Math.abs(v - before[i]) <= rest.level);
    resting = isResting ? resting + 1 : 0;
    yield picture;
  }
}

/**
 * Claims and releases cells after a step, as if the organism were alone in a room (rules OWN-2 and
 * OWN-3).
 *
 * @param held whether the organism owns each cell, [side, side]; changed by this function
 * @param rgba premultiplied colours of the current stage's cells
 * @param presence aliveness of the current stage's cells, 0 to 255
 * @returns the picture of the owned cells
 */
function ownedCells(
  { side, presence: { threshold: share } }: Card,
  held: Uint8Array,
  rgba: Uint8Array,
  presence: Uint8Array,
): ImageData {
  const threshold = Math.ceil(share * 255);
  const stage = Math.sqrt(presence.length);
  const inset = (side - stage) >> 1;
  const picture = new ImageData(side, side);
  for (let cell = 0; cell < presence.length; cell++) {
    const place = (inset + Math.floor(cell / stage)) * side + inset + (cell % stage);
    if (presence[cell] >= threshold) held[place] = 1;
    // An organism keeps a cell as long as its presence is at least half of the claiming threshold.
    else if (presence[cell] < threshold / 2) held[place] = 0;
    const alpha = rgba[4 * cell + 3];
    if (held[place] === 0 || alpha === 0) continue;
    for (let c = 0; c < 3; c++) picture.data[4 * place + c] = (255 * rgba[4 * cell + c]) / alpha;
    picture.data[4 * place + 3] = alpha;
  }
  return picture;
}

export interface KeepLink {
  /** The seed and the identity of its weights; see `shared/seed-token.ts`. */
  readonly token: string;
  /** Name of the room; undefined if the link names no room. */
  readonly room: string | undefined;
}

const LINK = new RegExp(`#([\\w-]{${MIN_TOKEN},${MAX_TOKEN}})(?:/([a-z0-9-]{1,64}))?`);

/** Maximum number of bytes of a file that are searched. */
const MOST = 64 * 2 ** 20;

/** Returns the first link in a text; undefined if there is none. */
export function readLink(text: string): KeepLink | undefined {
  const [, token, room] = LINK.exec(text) ?? [];
  return token === undefined ? undefined : { token, room };
}

/** Returns the link in a keepsake's picture or film; undefined if it contains none. */
export async function linkInFile(file: Blob): Promise<KeepLink | undefined> {
  const bytes = new Uint8Array(await file.slice(0, MOST).arrayBuffer());
  const text = new TextDecoder('latin1').decode(bytes);
  return readLink(text.startsWith('GIF8') ? lastComment(text, bytes) : text);
}

/** Returns the comment at the end of a GIF. It is stored in blocks that begin with their length. */
function lastComment(text: string, bytes: Uint8Array): string {
  let comment = '';
  let at = text.lastIndexOf('!\xfe') + 2;
  while (bytes[at] > 0) {
    const next = at + 1 + bytes[at];
    comment += text.slice(at + 1, next);
    at = next;
  }
  return comment;
}

/** Returns the fragment of a link's address. */
export const fragmentOf = ({ token, room }: KeepLink): string =>
  room === undefined ? `#${token}` : `#${token}/${room}`;

/**
 * Returns the address where the seed can be planted.
 *
 * @param server its origin; '' for the page's own
 */
export function plantingAddress({ token, room }: KeepLink, server: string): string {
  return `${server}/${room === undefined ? '' : `r/${room}`}?seed=${token}`;
}
