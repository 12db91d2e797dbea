/**
 * The process of the attackers of `public-day.ts`: one attack after another, two at a time, in an
 * order that a seed decides. All come from two addresses.
 */
import { connect, type Socket } from 'node:net';
import { pack } from 'msgpackr';
import { WebSocket } from 'ws';
import { createRandom } from '../../shared/random.ts';
import { Attacker } from '../load/attackers.ts';
import { answerParent, startArgument } from '../load/child.ts';
import { addCounts } from '../load/figures.ts';
import { LoadClient } from '../load/load-client.ts';
import { ATTACKS } from '../load/messages.ts';
import { PacketCache } from '../load/packet-cache.ts';

export interface AttackersPlan {
  readonly port: number;
  readonly seed: number;
}

/** Attacks by name, and how often each was begun. */
export type AttackCounts = Readonly<Record<string, number>>;

const AT_ONCE = 2;
/** s that an attack lasts, at least and at most. */
const [SHORTEST, LONGEST] = [10, 30];
const ADDRESSES = ['127.0.6.6', '127.0.6.7'];

const { port, seed } = startArgument<AttackersPlan>();
const random = createRandom(seed);
const packets = new PacketCache();
const url = `http://127.0.0.1:${port}`;
const counts: Record<string, number> = {};

/** What an attack holds, to be ended with it. */
class Attack {
  private readonly ends: (() => void)[] = [];
  readonly localAddress = ADDRESSES[random.integer(ADDRESSES.length)];

  end(): void {
    for (const end of this.ends) end();
  }

  onEnd(end: () => void): void {
    this.ends.push(end);
  }

  every(ms: number, act: () => void): void {
    const timer = setInterval(act, ms);
    this.onEnd(() => clearInterval(timer));
  }

  tcp(): Socket {
    const socket = connect({ port, host: '127.0.0.1', localAddress: this.localAddress });
    socket.on('error', () => {});
    this.onEnd(() => socket.destroy());
    return socket;
  }

  client(join: object = { room: 'garden' }): LoadClient {
    const { localAddress } = this;
    const client = new LoadClient({
      packets,
      url,
      localAddress,
      join: join as never,
      redial: 1_000,
    });
    this.onEnd(() => client.close());
    return client;
  }

  /** A WebSocket that Socket.IO has greeted. */
  raw(use: (socket: WebSocket) => void): void {
    const { localAddress } = this;
    const socket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`, {
      localAddress,
    });
    socket.on('open', () => {
      socket.send(pack({ type: 0, nsp: '/' }));
      use(socket);
    });
    socket.on('error', () => {});
    this.onEnd(() => socket.terminate());
  }
}

const times = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

/** A stroke across the whole room. @param radius cells */
function across(client: LoadClient, radius: number): void {
  const { welcome } = client;
  if (!welcome) return;
  const { width, height } = welcome.room;
  const y = random.integer(height);
  client.command('damage', { radius, points: [0, y, width / 2, y, width, y] });
}

const PAGE = 'GET /checkpoints/organisms/gallery.png HTTP/1.1\r\nHost: x\r\n\r\n';

const OWN: Readonly<Record<string, (attack: Attack) => void>> = {
  'unread-pages': (attack) =>
    attack.every(500, () => {
      const socket = attack.tcp();
      socket.pause();
      socket.write(PAGE.repeat(200));
      setTimeout(() => socket.destroy(), 3_000);
    }),
  pings: (attack) => {
    for (let i = 0; i < 20; i++) {
      attack.raw((socket) =>
        attack.every(100, () => {
          for (let n = 0; n < 980 && socket.readyState === WebSocket.OPEN; n++) socket.ping();
        }),
      );
    }
  },
  'silent-tcp': (attack) => times(3_000, () => attack.tcp()),
  fragments: (attack) => {
    for (let i = 0; i < 20; i++) {
      attack.raw((socket) =>
        attack.every(20, () => {
          if (socket.readyState === WebSocket.OPEN) socket.send('x', { fin: false });
        }),
      );
    }
  },
  'take-all-places': (attack) => times(500, () => attack.client()),
  'plant-and-reconnect': (attack) =>
    attack.every(300, () => {
      const client = attack.client();
      setTimeout(() => {
        const room = client.welcome?.room;
        for (let i = 0; i < 8 && room; i++) {
          const [x, y] = [random.integer(room.width), random.integer(room.height)];
          client.command('plant', { x, y, seed: { from: 'prior' } });
        }
      }, 200);
      setTimeout(() => client.close(), 600);
    }),
  'kill-all': (attack) => {
    const clients = times(13, () => attack.client());
    attack.every(500, () => {
      for (const client of clients) across(client, 12);
    });
  },
  'keep-awake': (attack) => {
    const client = attack.client();
    attack.every(100, () => across(client, 0.5));
  },
  'wild-latents': (attack) => {
    const client = attack.client();
    attack.every(500, () => {
      const { welcome } = client;
      if (!welcome) return;
      const { width, height } = welcome.room;
      const latent = times(welcome.checkpoint.latentSize, () => 200 * random.uniform() - 100);
      const [x, y] = [random.integer(width), random.integer(height)];
      client.command('plant', { x, y, seed: { from: 'latent', latent } });
    });
  },
  previews: (attack) => {
    const clients = times(30, () => attack.client());
    let id = 0;
    attack.every(1_000, () => {
      for (const client of clients) {
        const seed = { from: 'map', x: random.uniform(), y: random.uniform() };
        client.say('preview', { id: id++, seed });
      }
    });
  },
  'take-all-walls': (attack) => times(20, () => attack.client({ room: 'garden', as: 'wall' })),
};

function begin(): void {
  const names = [...Object.keys(OWN), ...ATTACKS];
  const name = names[random.integer(names.length)];
  addCounts(counts, { [name]: 1 });
  const attack = new Attack();
  if (OWN[name]) OWN[name](attack);
  else {
    const known = ATTACKS.find((one) => one === name)!;
    const attackers = times(5, () => new Attacker(known, { url, room: 'garden' }, packets, random));
    for (const attacker of attackers) attack.onEnd(() => attacker.end());
  }
  const seconds = SHORTEST + random.integer(LONGEST - SHORTEST + 1);
  setTimeout(() => {
    attack.end();
    begin();
  }, 1_000 * seconds);
}

answerParent((question: 'attack' | 'counts'): AttackCounts => {
  if (question === 'attack') times(AT_ONCE, begin);
  return counts;
});
