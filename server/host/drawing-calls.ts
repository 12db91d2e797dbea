/** Handlers for the drawings that wait for the host's yes: their list, pictures and decisions. */
import type { Request } from 'express';
import { FILES } from '../../shared/host/api.ts';
import { HostRefusal } from '../../shared/host/reasons.ts';
import type { DrawingState } from '../../shared/host/state.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { createGrowthFilm } from '../previews/growth-previews.ts';
import type { WaitingDrawing } from '../realtime/drawings/drawing-review.ts';
import type { OpenRoom } from '../rooms/live-room.ts';
import type { FileHandler, Handlers } from './api.ts';
import type { HostContext } from './host-context.ts';

/** The waiting drawings of a room, as the host's page shows them. @param now ms */
export function drawingsOf({ server }: OpenRoom, now: number): DrawingState[] {
  return server.drawings.waiting.map(({ id, by, since }) => ({ id, by, waited: now - since }));
}

/** The handlers of the calls about drawings. */
export function drawingCalls({ rooms }: HostContext) {
  return {
    decideDrawing: async ({ approve }, { room, drawing }) => {
      const { drawings } = rooms.requireOpen(room).server;
      if (!(await drawings.decide(Number(drawing), approve)))
        throw new HostRefusal('no-such-drawing');
      return {};
    },
  } satisfies Partial<Handlers>;
}

/** The pictures of waiting drawings, by path. */
export function drawingFiles({ rooms }: HostContext): Readonly<Record<string, FileHandler>> {
  const find = ({ params }: Request): { drawing: WaitingDrawing; live: OpenRoom } => {
    const live = rooms.requireOpen(`${params.room}`);
    const drawing = live.server.drawings.find(Number(params.drawing));
    if (!drawing) throw new HostRefusal('no-such-drawing');
    return { drawing, live };
  };
  return {
    [FILES.drawing]: async (request, response) => {
      const { drawing, live } = find(request);
      const { side } = live.room.species;
      const { png } = await createGrowthFilm([pictureOf(drawing.pixels, side)], side, 0);
      response.type('png').send(Buffer.from(png));
    },
    [FILES.grownDrawing]: async (request, response) => {
      const { drawing, live } = find(request);
      const { png } = await live.server.previews.backend
        .grow(drawing.latent)
        .catch((error: unknown) => {
          throw error instanceof Refusal ? new HostRefusal('room-busy') : error;
        });
      response.type('png').send(Buffer.from(png));
    },
  };
}

/** A drawing as a read-out of a grown organism: ink is white. */
function pictureOf(pixels: Uint8Array, side: number) {
  const isInk = pixels.length === side * side;
  const rgba = isInk
    ? Uint8Array.from({ length: 4 * side * side }, (_, i) => pixels[i >> 2])
    : pixels;
  return { stage: side, rgba, presence: new Uint8Array(side * side) };
}
