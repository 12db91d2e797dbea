/** A room that is never at rest, on a server for pages of real browsers. */

import { ensureClient } from '../../server/http/serve-client.ts';
import { STROKE_LIMITS } from '../../shared/limits.ts';
import { createRandom } from '../../shared/random.ts';
import { GARDEN, Gardener } from '../load/garden.ts';
import { startServer, UNLIMITED } from '../support/server.ts';
import { Visitor } from '../support/visitor.ts';

const VISITORS = 6;
/** Period in seconds after which an organism dies, and a visitor leaves and another joins. */
const TURN = 5;

/**
 * Opens a room of 256×256 cells with 64 organisms, at 15 ticks/s. Every second has a planting and a
 * cut, and visitors move their hands. Every five seconds, an organism is wiped away, and a visitor
 * is replaced by another.
 */
export async function openBusyGarden() {
  const server = await startServer(
    {
      size: `${GARDEN.width}x${GARDEN.height}`,
      'tick-rate': GARDEN.tickRate,
      'max-organisms': GARDEN.organisms,
      energy: 'off',
      limits: UNLIMITED,
    },
    { clientFolder: await ensureClient(() => {}) },
  );
  const room = server.world.rooms.get('garden')!;
  const gardener = new Gardener(room);
  const random = createRandom(256);
  gardener.plantFirst(GARDEN.organisms);
  const visitors: Visitor[] = [];
  let names = 0;
  const come = async (): Promise<void> => {
    visitors.push(await Visitor.join(server.port, 'garden', `Visitor ${++names}`));
  };
  for (let i = 0; i < VISITORS; i++) await come();
  const [{ life }] = visitors;
  await visitors[0].until(
    () => life.filter(({ what }) => what === 'asleep').length >= room.organisms.length,
  );
  let seconds = 0;
  const timer = setInterval(() => {
    gardener.plantSomewhere();
    gardener.cutSomewhere();
    for (const visitor of visitors) {
      visitor.send('cursor', {
        tool: 'plant',
        x: room.grid.width * random.uniform(),
        y: room.grid.height * random.uniform(),
      });
    }
    if (++seconds % TURN !== 0) return;
    const organisms = [...room.organisms];
    const { x, y } = organisms[random.integer(organisms.length)];
    gardener.wipe(x, y, STROKE_LIMITS.maxRadius);
    visitors.shift()?.leave();
    // A visitor who could not join is replaced at the next turn.
    come().catch(() => undefined);
  }, 1000);
  return {
    room,
    port: server.port,
    engine: server.engine.name,
    close: async () => {
      clearInterval(timer);
      for (const visitor of visitors) visitor.leave();
      await server.close();
    },
  };
}
